"""What a store refuses costs the runs that it refuses, and no others; only silence is waited for."""

import io
import json
import uuid

import pytest

from mltrack_jupyter.entities import NewRun, Param, RunEntry
from mltrack_jupyter.errors import (
    InvalidParameter,
    NotFound,
    PermissionDenied,
    ServerUnreachable,
    Unauthenticated,
)
from mltrack_jupyter.store.journal import is_away, refused
from mltrack_jupyter.store.journal.draining import Drain
from mltrack_jupyter.store.journal.sinks import StoreSink

REFUSALS = [PermissionDenied, NotFound, InvalidParameter]


class Strict(StoreSink):
    """A store that refuses a request with anything of some runs in it, as one with rights for each does."""

    def __init__(self, services, kind=PermissionDenied):
        super().__init__(services)
        self.kind = kind
        self.forbidden = set()
        self.read_only = False
        self.calls = 0

    def append(self, journal_id, since, upto, entries):
        self.calls += 1
        if self.read_only:
            raise self.kind("You may read here, and not write.")
        self._check(*[entry.run_id for entry in entries])
        return super().append(journal_id, since, upto, entries)

    def upload(self, run_id, path, body):
        self._check(run_id)
        super().upload(run_id, path, body)

    def check(self, run_id):
        self._check(run_id)
        super().check(run_id)

    def _check(self, *run_ids):
        if bad := self.forbidden.intersection(run_ids):
            raise self.kind(f"You may not write to {bad.pop()}.")


@pytest.fixture
def drain(desk, journal):
    return Drain(journal.journal_id, desk.folder, journal.segments)


def kept(desk):
    return [
        json.loads(line)
        for place in desk.folder.glob("*.refused.jsonl")
        for line in place.read_text().splitlines()
    ]


def begin(desk, journal):
    run_id = uuid.uuid4().hex
    desk.begin(journal, run_id)
    return run_id


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_run_that_may_not_be_written_costs_no_other(desk, journal, drain, caplog, kind):
    sink = Strict(desk.services, kind)
    bad = begin(desk, journal)
    drain.run(sink)
    sink.forbidden.add(bad)
    for step in range(20):
        journal.point(bad, "m", step, 1, 0.5)
        journal.point(desk.run_id, "m", step, 1, 0.5)
    drain.run(sink)
    assert desk.steps() == list(range(20))
    assert desk.services.metrics.history(bad, "m").items == []
    (line,) = kept(desk)
    assert line["entry"]["points"][0]["steps"] == list(range(20))
    assert caplog.text.count(f"You may not write to {bad}.") == 1


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_run_that_may_not_be_begun_costs_no_other(desk, journal, drain, kind):
    sink = Strict(desk.services, kind)
    bad = begin(desk, journal)
    sink.forbidden.add(bad)
    journal.point(bad, "m", 0, 1, 0.5)
    good = begin(desk, journal)
    journal.point(good, "m", 0, 1, 0.5)
    drain.run(sink)
    assert desk.services.runs.get(good).data.metrics == {"m": 0.5}
    with pytest.raises(NotFound):
        desk.services.runs.get(bad)
    assert kept(desk)[0]["entry"]["new"]["experiment_id"] == "0"


def test_a_loop_that_logs_to_it_asks_once(desk, journal, drain, caplog):
    sink = Strict(desk.services)
    bad = begin(desk, journal)
    drain.run(sink)
    sink.forbidden.add(bad)
    journal.point(bad, "m", 0, 1, 0.5)
    drain.run(sink)
    sink.calls = 0
    for step in range(1, 11):
        journal.point(bad, "m", step, 1, 0.5)
        journal.point(desk.run_id, "m", step, 1, 0.5)
        drain.run(sink)
    assert sink.calls == 10
    assert len(kept(desk)) == 11
    assert caplog.text.count("You may not write to") == 1


def test_of_many_runs_one_is_found_with_few_questions(desk, journal, drain):
    sink = Strict(desk.services)
    runs = [begin(desk, journal) for _ in range(200)]
    drain.run(sink)
    sink.forbidden.add(runs[77])
    for run_id in runs:
        journal.point(run_id, "m", 0, 1, 0.5)
    sink.calls = 0
    drain.run(sink)
    assert sink.calls < 25
    (line,) = kept(desk)
    assert line["entry"]["run_id"] == runs[77]
    found = desk.services.runs.search(["0"], "metrics.m = 0.5", max_results=1000)
    assert {run.info.run_id for run in found} == set(runs) - {runs[77]}


def test_a_run_that_is_allowed_again_is_written_again(desk, journal, drain, monkeypatch):
    monkeypatch.setattr(refused, "_REMEMBERED", 0.0)
    sink = Strict(desk.services)
    sink.forbidden.add(desk.run_id)
    journal.point(desk.run_id, "m", 0, 1, 0.5)
    drain.run(sink)
    sink.forbidden.clear()
    desk.begin(journal)
    journal.point(desk.run_id, "m", 1, 1, 0.5)
    drain.run(sink)
    assert desk.steps() == [1]


def test_who_may_write_nothing_loses_nothing(desk, journal, drain):
    """That is about who asks: a token of another role, until it is changed."""
    sink = Strict(desk.services)
    journal.point(desk.run_id, "m", 0, 1, 0.5)
    sink.read_only = True
    with pytest.raises(Unauthenticated, match="You may read here, and not write") as caught:
        drain.run(sink)
    assert is_away(caught.value)
    assert kept(desk) == []
    sink.read_only = False
    drain.run(sink)
    assert desk.steps() == [0]


def test_silence_among_the_questions_is_waited_for(desk, journal, drain):
    sink = Strict(desk.services)
    bad = begin(desk, journal)
    drain.run(sink)
    sink.forbidden.add(bad)
    desk.param(journal, "p", "1")
    journal.entry(RunEntry(run_id=bad, params=[Param("p", "1")]))
    real, answers = StoreSink.append, iter([True])

    def append(self, *batch):
        if not batch[3] and next(answers, False):  # the question whether anything is taken
            raise ServerUnreachable("nobody answers")
        return real(self, *batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StoreSink, "append", append)
        with pytest.raises(ServerUnreachable):
            drain.run(sink)
        assert kept(desk) == []
        drain.run(sink)
    assert desk.params() == {"p": "1"}
    assert len(kept(desk)) == 1


def test_a_file_of_a_run_that_is_forbidden_is_kept_and_stops_nobody(desk, journal, drain, caplog):
    sink = Strict(desk.services)
    bad = begin(desk, journal)
    drain.run(sink)
    sink.forbidden.add(bad)
    journal.spool(bad, "a.txt", io.BytesIO(b"kept"))
    journal.point(desk.run_id, "m", 0, 1, 0.5)
    drain.run(sink)
    assert desk.steps() == [0]
    (place,) = desk.folder.glob("*.files/*")
    assert place.read_bytes() == b"kept"
    assert "You may not write to" in caplog.text


def test_runs_of_two_processes_are_told_apart_although_one_is_refused(desk, journal, drain):
    """The begin of a run is asked for first, and told once more with the rest: nothing is doubled."""
    sink = Strict(desk.services)
    sink.forbidden.add(begin(desk, journal))
    good = uuid.uuid4().hex
    new = NewRun(experiment_id="0", start_time=1)
    journal.entry(RunEntry(run_id=good, new=new, params=[Param("p", "1")]))
    journal.point(good, "m", 0, 1, 0.5)
    drain.run(sink)
    run = desk.services.runs.get(good)
    assert (run.data.params, run.data.metrics) == ({"p": "1"}, {"m": 0.5})
    assert desk.services.journals.amendments(good) == []
    changes = desk.services.workspace.changes(0).changes
    assert [item.action for item in changes if item.entity_id == good].count("create") == 1
