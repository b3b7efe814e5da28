"""A journal on its way into the store: each record once, whatever happens on the way."""

import json
import shutil
import sys
import threading
import time
import uuid

import pytest

from mltrack_jupyter.entities import NewRun, Param, Points, RunEntry, Tag
from mltrack_jupyter.errors import ServerUnreachable
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.journal.draining import Drain
from mltrack_jupyter.store.journal.journal import Journal
from mltrack_jupyter.store.journal.keeper import Keeper
from mltrack_jupyter.store.journal.segment import Segment
from mltrack_jupyter.store.journal.sinks import StoreSink


class FlakySink(StoreSink):
    """A store whose answers are lost: what was sent is there, and the sender does not hear of it."""

    def __init__(self, services):
        super().__init__(services)
        self.lost = self.away = 0

    def append(self, *batch):
        if self.away:
            self.away -= 1
            raise ServerUnreachable("nobody answers")
        found = super().append(*batch)
        if self.lost:
            self.lost -= 1
            raise ServerUnreachable("the answer was lost")
        return found


@pytest.fixture
def sink(desk):
    return FlakySink(desk.services)


@pytest.fixture
def drain(desk, journal):
    return Drain(journal.journal_id, desk.folder, journal.segments)


def creations(desk):
    found = desk.services.workspace.changes(0).changes
    return [item for item in found if item.entity_id == desk.run_id and item.action == "create"]


def test_what_was_logged_is_in_the_store(desk, journal, drain, sink):
    journal.point(desk.run_id, "m", 0, 5, 0.25)
    journal.points(desk.run_id, [("m", 1, 6, 0.5), ("n", 1, 6, 1.5)])
    desk.param(journal, "p", "1")
    drain.run(sink)
    run = desk.services.runs.get(desk.run_id)
    assert run.data.metrics == {"m": 0.5, "n": 1.5}
    assert run.data.params == {"p": "1"}
    points = desk.services.metrics.history(desk.run_id, "m")
    assert [(p.step, p.timestamp, p.value) for p in points] == [(0, 5, 0.25), (1, 6, 0.5)]


def test_an_answer_that_is_lost_does_not_double_anything(desk, journal, drain, sink):
    for step in range(5):
        journal.point(desk.run_id, "m", step, 1, 0.5)
        desk.param(journal, "p", str(step))
        sink.lost = 1
        with pytest.raises(ServerUnreachable):
            drain.run(sink)
    journal.point(desk.run_id, "m", 5, 1, 0.5)
    drain.run(sink)
    assert desk.steps() == list(range(6))
    amended = desk.services.journals.amendments(desk.run_id)
    assert [(item.before, item.after) for item in amended] == [
        (str(i), str(i + 1)) for i in range(4)
    ]
    assert len(creations(desk)) == 1


def test_a_store_that_is_away_gets_it_later(desk, journal, drain, sink):
    sink.away = 3
    for step in range(3):
        journal.point(desk.run_id, "m", step, 1, 0.5)
        with pytest.raises(ServerUnreachable):
            drain.run(sink)
    drain.run(sink)
    assert desk.steps() == [0, 1, 2]


def test_what_is_logged_meanwhile_is_left_for_the_next_time(desk, journal, drain, sink):
    steps = iter(range(2000))

    class BusySink(StoreSink):
        def append(self, *batch):
            journal.point(desk.run_id, "m", next(steps), 1, 0.5)
            return super().append(*batch)

    busy = BusySink(desk.services)
    for number in range(3):
        journal.point(desk.run_id, "n", number, 1, 0.5)
        drain.run(busy)  # it ends, although there is always something more
    assert desk.steps("n") == [0, 1, 2]
    assert desk.steps("m") == [0, 1]
    drain.run(sink)
    assert desk.steps("m") == [0, 1, 2]


def test_the_interpreter_is_shared_quickly_while_a_keeper_hands_over(desk, monkeypatch):
    seen = []
    monkeypatch.setattr(Drain, "run", lambda *_: seen.append(sys.getswitchinterval()))
    usual = sys.getswitchinterval()
    keeper = Keeper(desk.folder, desk.services.uri, lambda: desk.services)
    desk.begin(keeper.journal)
    keeper.flush()
    assert seen[0] < usual == sys.getswitchinterval()
    desk.die(keeper.journal)


def test_only_the_rest_of_a_batch_is_sent_that_is_there_in_part(desk, journal, drain, sink):
    journal.point(desk.run_id, "m", 0, 1, 0.5)
    sink.lost = 1
    with pytest.raises(ServerUnreachable):
        drain.run(sink)
    journal.point(desk.run_id, "m", 1, 1, 0.5)  # the next batch begins before what is there
    drain.run(sink)
    assert desk.steps() == [0, 1]


def test_a_dead_process_s_journal_is_taken_up_where_it_was(desk, journal, drain, sink):
    journal.point(desk.run_id, "m", 0, 1, 0.5)
    drain.run(sink)
    journal.point(desk.run_id, "m", 1, 1, 0.5)
    desk.die(journal)
    journal.segments.clear()
    desk.recover()
    assert desk.steps() == [0, 1]
    assert desk.files() == []


def test_files_follow_each_other_and_are_removed_when_they_are_read(desk, journal, drain, sink):
    for step in range(30_000):
        journal.point(desk.run_id, f"m{step % 7}", step, 1, 0.5)
    assert len(desk.files()) > 1
    drain.run(sink)
    assert len(desk.files()) == 1  # the one that is written to
    found = sorted(step for key in range(7) for step in desk.steps(f"m{key}"))
    assert found == list(range(30_000))


def test_a_name_is_said_again_in_every_file(desk, journal, sink):
    for step in range(3):
        journal.point(desk.run_id, "m", step, 1, 0.5)
        journal.seal()
    assert desk.files() == ["000000.journal", "000001.journal", "000002.journal"]
    desk.die(journal)
    journal.segments.pop(1).path.unlink()
    journal.segments.clear()
    desk.recover()
    assert desk.steps() == [0, 2]


def test_a_child_s_journal_is_read_after_its_parent_s(desk, until):
    parent = desk.journal()
    for _ in range(5):  # ids are random: in each order of them
        until(lambda: time.time_ns() // 10**6 > parent.segments[0].header.began)
        child = Journal(desk.folder, desk.services.uri)
        child.point(desk.run_id, child.journal_id, 0, 1, 0.5)
        desk.die(child)
    desk.die(parent)
    desk.recover()
    assert len(desk.services.runs.get(desk.run_id).data.metrics) == 5
    assert desk.files() == []


def test_a_record_of_a_megabyte_among_small_ones(desk, journal, drain, sink):
    desk.param(journal, "small", "x")
    desk.param(journal, "big", "x" * 1_000_000)
    journal.entry(RunEntry(run_id=desk.run_id, tags=[Tag("big", "ä" * 4_000)] * 1000))
    desk.param(journal, "last", "y")
    drain.run(sink)
    run = desk.services.runs.get(desk.run_id)
    assert run.data.params == {"small": "x", "big": "x" * 1_000_000, "last": "y"}
    assert run.data.tags["big"] == "ä" * 4_000


def test_ten_thousand_points_in_one_call_are_one_record(desk, journal, drain, sink):
    written = journal.written
    journal.points(desk.run_id, [("m", step, 1, 0.5) for step in range(10_000)])
    assert journal.written == written + 2  # the name, and the points
    drain.run(sink)
    assert desk.steps() == list(range(10_000))


def test_a_store_put_back_to_a_backup_gets_what_came_after(desk, tmp_path):
    path = tmp_path / ".mltrack" / "mltrack.db"
    journal = desk.journal()
    drain = Drain(journal.journal_id, desk.folder, journal.segments)
    journal.point(desk.run_id, "m", 0, 1, 0.5)
    drain.run(StoreSink(desk.services))
    desk.services.close()
    shutil.copy(path, tmp_path / "backup.db")

    desk.services = open_store(path)
    journal.point(desk.run_id, "m", 1, 1, 0.5)
    drain.run(StoreSink(desk.services))
    desk.services.close()
    shutil.copy(tmp_path / "backup.db", path)

    desk.services = open_store(path)
    journal.point(desk.run_id, "m", 2, 1, 0.5)
    drain.run(StoreSink(desk.services))
    assert desk.steps() == [0, 2]  # the point 1 was the store's own, and is gone with it
    desk.die(journal)
    desk.services.close()


def test_what_is_refused_is_kept_for_people_and_stops_nobody(desk, journal, drain, sink, caplog):
    unknown = uuid.uuid4().hex
    journal.entry(RunEntry(run_id=unknown, params=[Param("p", "ü")]))
    journal.point(unknown, "m", 0, 1, 0.5)
    journal.point(desk.run_id, "m", 0, 1, 0.5)
    drain.run(sink)
    assert desk.steps() == [0]
    (place,) = desk.folder.glob("*.refused.jsonl")
    (line,) = map(json.loads, place.read_text(encoding="utf-8").splitlines())
    assert "not found" in line["reason"]
    assert line["entry"]["params"] == [{"key": "p", "value": "ü"}]
    assert line["entry"]["points"][0]["values"] == [0.5]
    assert place.name in caplog.text


def test_one_bad_record_costs_no_other(desk, journal, drain, sink):
    """Nothing of this kind passes a log call; a journal of another version may hold it."""
    journal.point(desk.run_id, "m", 0, 1, 0.5)
    other = uuid.uuid4().hex
    desk.begin(journal, other)
    bad = Points(key="m", steps=[1], timestamps=[-5], values=[1.0])
    journal.entry(RunEntry(run_id=other, params=[Param("", "no name")], points=[bad]))
    journal.point(desk.run_id, "m", 1, 1, 0.5)
    drain.run(sink)
    assert desk.steps() == [0, 1]
    (place,) = desk.folder.glob("*.refused.jsonl")
    (line,) = map(json.loads, place.read_text().splitlines())
    assert line["entry"]["params"] == [{"key": "", "value": "no name"}]


def test_a_run_of_an_experiment_that_is_not_there_is_refused(desk, journal, drain, sink):
    run_id = uuid.uuid4().hex
    journal.entry(RunEntry(run_id=run_id, new=NewRun(experiment_id="12345", start_time=1)))
    journal.point(desk.run_id, "m", 0, 1, 0.5)
    drain.run(sink)
    assert desk.steps() == [0]
    (place,) = desk.folder.glob("*.refused.jsonl")
    assert "12345" in place.read_text()


def test_an_artifact_waits_beside_the_journal(desk, journal, drain, sink, tmp_path):
    body = tmp_path / "body"
    body.write_bytes(b"x" * 100_000)
    with body.open("rb") as file:
        journal.spool(desk.run_id, "a/b.bin", file)
    journal.point(desk.run_id, "m", 0, 1, 0.5)
    drain.run(sink)
    with desk.services.run_artifacts.read(desk.run_id, "a/b.bin").file as found:
        assert found.read() == b"x" * 100_000
    assert desk.steps() == [0]
    assert list(desk.folder.rglob("*.files")) == []


def test_a_file_that_cannot_be_removed_is_not_handed_over_twice(
    desk, journal, drain, sink, monkeypatch
):
    desk.param(journal, "p", "1")
    journal.seal()
    desk.param(journal, "p", "2")
    real, failures = Segment.remove, [OSError("busy"), KeyboardInterrupt()]

    def remove(segment):
        if failures:
            raise failures.pop()
        real(segment)

    monkeypatch.setattr(Segment, "remove", remove)
    with pytest.raises(KeyboardInterrupt):
        drain.run(sink)
    drain.run(sink)
    assert len(journal.segments) == 2  # it is known as long as it is there
    drain.run(sink)
    assert len(journal.segments) == 1
    assert desk.params() == {"p": "2"}
    assert len(desk.services.journals.amendments(desk.run_id)) == 1


def test_a_record_that_cannot_be_read_is_kept_and_stops_nothing(desk, journal, drain, sink, caplog):
    journal.point(desk.run_id, "m", 0, 1, 0.5)
    journal.write(b"E" + b"from a version to come")
    journal.write(b"F" + b"neither")
    journal.point(desk.run_id, "m", 1, 1, 0.5)
    drain.run(sink)
    assert desk.steps() == [0, 1]
    kept = (desk.folder / f"{journal.journal_id}.refused.jsonl").read_text().splitlines()
    assert len(kept) == 2
    assert caplog.text.count("cannot be read by this version") == 2


def test_more_new_names_than_a_statement_takes(desk, journal, drain, sink):
    journal.points(desk.run_id, [(f"m{number}", 0, 1, 0.5) for number in range(12_000)])
    drain.run(sink)
    assert len(desk.services.runs.get(desk.run_id).data.metrics) == 12_000


def test_a_thread_that_cannot_be_started_is_tried_again(desk, until, monkeypatch, caplog):
    def full(_thread):
        raise RuntimeError("can't start new thread")

    keeper = Keeper(desk.folder, desk.services.uri, lambda: desk.services)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", full)
        desk.begin(keeper.journal)
        keeper.wrote()
        keeper.wrote()
    assert keeper.thread is None
    assert caplog.text.count("no thread hands over") == 1
    keeper.wrote()
    until(lambda: not keeper.pending)
    assert keeper.close()


def test_what_a_handler_logged_in_the_middle_comes_before_what_was_logged_after(desk):
    keeper = Keeper(desk.folder, desk.services.uri, lambda: desk.services)
    desk.begin(keeper.journal)
    first = keeper.journal
    with first._lock:  # as if a signal came in the middle of a call
        first._owner = threading.get_ident()
        desk.param(keeper.journal, "p", "in the handler")
    desk.param(keeper.journal, "p", "after it")
    keeper.flush()
    assert desk.params() == {"p": "after it"}
    desk.param(keeper.journal, "p", "last")
    assert keeper.close()
    assert desk.params() == {"p": "last"}
    assert desk.files() == []


def test_a_reader_that_reaches_the_store_again_ends_the_long_pause(desk, until, monkeypatch):
    keeper = Keeper(desk.folder, desk.services.uri, lambda: desk.services)
    keeper._told, keeper._pause = True, 30.0
    desk.begin(keeper.journal)
    keeper.flush()
    keeper.journal.point(desk.run_id, "m", 0, 1, 0.5)
    keeper.wrote()
    until(lambda: not keeper.pending, 10.0)
    assert keeper.close()


def test_a_file_that_was_left_to_others_is_not_removed(desk, journal, drain, sink):
    """Its keeper was closed while the store was away, and its thread was not done."""
    journal.point(desk.run_id, "m", 0, 1, 0.5)
    journal.seal()
    desk.die(journal)
    drain.run(sink)
    assert desk.files() == ["000000.journal"]
    journal.segments.clear()
    desk.recover()
    assert desk.steps() == [0]


def test_handlers_that_interrupt_each_other_end_one_journal_each(desk):
    keeper = Keeper(desk.folder, desk.services.uri, lambda: desk.services)
    desk.begin(keeper.journal)
    for step in range(1200):  # more than a call could go down
        journal = keeper.journal.newest() if step % 3 else keeper.journal
        with journal._lock:
            journal._owner = threading.get_ident()
            keeper.journal.point(desk.run_id, "m", step, 1, 0.5)
        if step % 400 == 0:
            keeper.flush()
    assert keeper.close()
    assert desk.steps() == list(range(1200))
    assert desk.files() == []
