"""Metrics that have names of their own: their records, how they are handed over, and files of the first format."""

import math
import os
import random
import subprocess
import sys

import pytest
from sqlalchemy import event

from mltrack_jupyter.entities import (
    ManyNames,
    Metric,
    NewRun,
    Points,
    RunEntry,
    Singles,
    spelled_out,
)
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store.journal import records
from mltrack_jupyter.store.journal.draining import Drain
from mltrack_jupyter.store.journal.folding import Fold, Names
from mltrack_jupyter.store.journal.records import (
    Header,
    Name,
    framed,
    header_content,
    read_header,
    scan,
)
from mltrack_jupyter.store.journal.sinks import StoreSink


class Seen(StoreSink):
    """A store of which is noted what it was handed."""

    def __init__(self, services):
        super().__init__(services)
        self.entries = []

    def append(self, journal_id, since, upto, entries):
        self.entries += entries
        return super().append(journal_id, since, upto, entries)


@pytest.fixture
def sink(desk):
    return Seen(desk.services)


def drained(desk, journal, sink):
    Drain(journal.journal_id, desk.folder, journal.segments).run(sink)
    return sink.entries


def latest(desk):
    return dict(desk.services.runs.get(desk.run_id).data.metrics)


def history(desk, key):
    found = desk.services.metrics.history(desk.run_id, key)
    return [(point.step, point.timestamp, point.ordinal, point.value) for point in found]


def point_content(number, step, timestamp, value):
    return records.POINT.pack(records.POINT_KIND, number, step, timestamp, value)


def of_first_format(desk, journal_id="a" * 32):
    """A file as the versions before wrote it: a record for each name, and its points in others."""
    header = Header(journal_id=journal_id, uri=desk.services.uri, index=0, pid=1)
    begin = RunEntry(run_id=desk.run_id, new=NewRun(experiment_id="0", start_time=5))
    contents = [header_content(header), records.entry_content(begin)]
    for number in range(300):
        contents.append(records.name_content(number, Name(desk.run_id, f"old/{number}")))
        contents.append(point_content(number, 0, 5, number / 4))
    contents.append(records.name_content(300, Name(desk.run_id, "loss")))
    contents += [point_content(300, step, 5, 0.5) for step in range(3)]
    contents.append(records.many_content([(300, 3, 6, 0.25), (0, 1, 6, 9.0)]))
    desk.folder.mkdir(exist_ok=True)
    path = desk.folder / f"{journal_id}.000000.journal"
    path.write_bytes(b"".join(map(framed, contents)) + bytes(4096))
    return path


def test_a_file_of_the_first_format_is_handed_over(desk):
    path = of_first_format(desk)
    assert len(desk.recover()) == 1
    assert not path.exists()
    assert latest(desk) == {f"old/{n}": n / 4 for n in range(1, 300)} | {"old/0": 9.0, "loss": 0.25}
    assert history(desk, "loss") == [
        (0, 5, 0, 0.5),
        (1, 5, 0, 0.5),
        (2, 5, 0, 0.5),
        (3, 6, 0, 0.25),
    ]


def test_a_file_of_the_first_format_goes_on_where_it_was_read_to(desk):
    # The version that wrote it counted a name and its point as two.
    of_first_format(desk)
    entry = RunEntry(run_id=desk.run_id, new=NewRun(experiment_id="0", start_time=5))
    desk.services.journals.append("a" * 32, 0, 2 + 2 * 300, [entry])
    desk.recover()
    assert latest(desk) == {"loss": 0.25, "old/0": 9.0}


def test_what_is_written_has_a_format_that_older_versions_leave_alone(desk, journal):
    header, _ = read_header(bytes(journal.segments[0].recent))
    assert header.format == records.FORMAT == 2


def test_a_new_name_and_its_point_are_one_record(desk, journal):
    written = journal.written
    for number in range(100):
        journal.point(desk.run_id, f"m{number}", 0, 1, 0.5)
    journal.points(desk.run_id, [(f"n{number}", 0, 1, 0.5) for number in range(100)])
    # The run once, the metrics one by one, and those of a batch at once.
    assert journal.written - written == 1 + 100 + 1
    found = scan(bytes(journal.segments[0].recent))
    assert records.count_of(found) == 1 + journal.written


def logged(random_):
    """Calls of a run that logs to few names and many, alone and in batches of new names and of others."""
    calls = []
    for place in range(400):
        keys = [f"k{random_.randrange(600)}" for _ in range(random_.choice([1, 1, 1, 4]))]
        if place % 20 == 0:
            keys = [f"k{number}" for number in range(place * 3, place * 3 + 60)]
        step = random_.choice([0, 0, place])
        values = [random_.choice([0.5, -1.0, math.nan, math.inf]) for _ in keys]
        calls.append([(key, step, 7, value) for key, value in zip(keys, values, strict=True)])
    return calls


@pytest.mark.parametrize("seed", range(4))
def test_points_come_as_they_were_logged(desk, journal, sink, seed):
    random_ = random.Random(seed)
    drain = Drain(journal.journal_id, desk.folder, journal.segments)
    expected = {}
    for call in logged(random_):
        if len(call) == 1:
            journal.point(desk.run_id, *call[0])
        else:
            journal.points(desk.run_id, call)
        for key, step, timestamp, value in call:
            same = expected.setdefault(key, {}).setdefault((step, timestamp), [])
            same.append(repr(value))
        if random_.random() < 0.02:
            journal.seal()
            drain.run(sink)
    drain.run(sink)
    assert any(isinstance(entry, ManyNames) for entry in sink.entries)
    for key, points in expected.items():
        found = {}
        for step, timestamp, ordinal, value in history(desk, key):
            assert ordinal == len(found.setdefault((step, timestamp), []))
            found[step, timestamp].append(repr(value))
        assert found == points


def test_names_are_no_objects_of_their_own_on_the_way(desk, journal, sink):
    for number in range(500):
        journal.point(desk.run_id, f"m{number}", number, 1, number / 2)
    journal.point(desk.run_id, "m3", 600, 1, 0.125)
    (entry,) = [item for item in drained(desk, journal, sink) if isinstance(item, ManyNames)]
    assert len(entry.singles.keys) == 499
    assert [points.key for points in entry.points] == ["m3"]
    assert history(desk, "m3") == [(3, 1, 0, 1.5), (600, 1, 0, 0.125)]
    assert latest(desk) == {f"m{n}": n / 2 for n in range(500)} | {"m3": 0.125}


def test_a_few_names_are_spelled_out(desk, journal, sink):
    for number in range(10):
        journal.point(desk.run_id, f"m{number}", 0, 1, 0.5)
    assert not any(isinstance(entry, ManyNames) for entry in drained(desk, journal, sink))


def test_a_server_is_handed_what_every_version_takes(desk, journal, sink, monkeypatch):
    from mltrack_jupyter.store.journal import sinks

    told = []
    append = desk.services.journals.append
    monkeypatch.setattr(sinks, "is_remote", lambda _: True)
    monkeypatch.setattr(
        desk.services.journals, "append", lambda *call: told.append(call[3]) or append(*call)
    )
    for number in range(200):
        journal.point(desk.run_id, f"m{number}", 0, 1, 0.5)
    assert any(isinstance(entry, ManyNames) for entry in drained(desk, journal, sink))
    assert all(type(entry) is RunEntry for entries in told for entry in entries)
    assert latest(desk) == {f"m{n}": 0.5 for n in range(200)}


def test_a_name_that_an_interrupt_left_with_two_numbers_keeps_the_order_of_its_points():
    contents = [records.run_content(0, "r")]
    contents += [records.firsts_content(0, number, [(f"k{number % 80}", 0, 1, float(number))]) for number in range(1, 161)]  # fmt: skip
    contents.append(point_content(90, 0, 1, 1000.0))
    names = Names()
    fold = Fold(names)
    for record in scan(b"".join(map(framed, contents))):
        names.learn(record)
        fold.add(record)
    (entry,) = fold.entries()
    found = {points.key: points.values for points in entry.points}
    assert found["k10"] == [10.0, 90.0, 1000.0]
    assert found["k79"] == [79.0, 159.0]
    assert len(found) == 80


def test_metrics_are_numbered_without_being_looked_for(desk, journal, sink):
    told = []
    engine = desk.services.runs._database.engine
    event.listen(engine, "before_cursor_execute", lambda *call: told.append(call[2]))
    for number in range(5_000):
        journal.point(desk.run_id, f"m{number}", 0, 1, 0.5)
    drained(desk, journal, sink)
    assert not any("json_each" in text and "metric_keys" in text for text in told)
    assert len(latest(desk)) == 5_000


def test_names_that_other_runs_have_are_found(desk, journal, sink):
    other = desk.services.runs.create("0").info.run_id
    desk.services.runs.log_batch(other, [Metric(f"m{n}", 7.0, 1) for n in range(0, 600, 7)])
    for number in reversed(range(600)):
        journal.point(desk.run_id, f"m{number}", 0, 1, float(number))
    drained(desk, journal, sink)
    assert latest(desk) == {f"m{n}": float(n) for n in range(600)}
    assert all(history(desk, f"m{n}") == [(0, 1, 0, float(n))] for n in (0, 7, 8, 599))
    assert dict(desk.services.runs.get(other).data.metrics)["m7"] == 7.0


BAD = {
    "a name that is none": (["a", "b?"], [0, 0], "b\\?"),
    "a name that leaves its folder": (["a", "../b"], [0, 0], "relative path"),
    "a column that is short": (["a", "b"], [0], "different lengths"),
}


@pytest.mark.parametrize(("keys", "steps", "said"), BAD.values(), ids=BAD)
def test_columns_are_checked_as_points_are(desk, journal, sink, keys, steps, said):
    drained(desk, journal, sink)
    singles = Singles(keys=keys, steps=steps, timestamps=[1, 1], values=[0.5, 0.5])
    entry = ManyNames(run_id=desk.run_id, singles=singles)
    with pytest.raises(InvalidParameter, match=said):
        desk.services.journals.append("b" * 32, 0, 1, [entry])
    assert latest(desk) == {}


def test_an_entry_is_spelled_out_with_all_that_is_in_it(desk):
    singles = Singles(keys=["a"], steps=[1], timestamps=[2], values=[0.5])
    loss = Points(key="loss", steps=[0, 1], timestamps=[1, 1], values=[0.1, 0.2])
    entry = ManyNames(run_id="r", singles=singles, points=[loss], end_time=9)
    first = Points(key="a", steps=[1], timestamps=[2], values=[0.5])
    assert spelled_out([entry]) == [RunEntry(run_id="r", points=[first, loss], end_time=9)]


def test_a_batch_with_a_bad_point_leaves_nothing(desk, journal, sink):
    with pytest.raises(InvalidParameter):
        journal.points(desk.run_id, [("good", 0, 1, 0.5), ("bad?", 0, 1, 0.5)])
    journal.points(desk.run_id, [("good", 1, 1, 0.25)])
    drained(desk, journal, sink)
    assert history(desk, "good") == [(1, 1, 0, 0.25)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no SIGKILL")
def test_every_name_that_was_acknowledged_outlives_its_process(tmp_path):
    script = """
import os, signal, mltrack_jupyter as mltrack
with mltrack.start_run(run_name="killed"):
    for number in range(3000):
        mltrack.log_metric(f"alone/{number}", number)
        if number % 100 == 0:
            mltrack.log_metrics({f"both/{number}/{part}": part for part in range(60)})
    print("logged", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    after = """
import mltrack_jupyter as mltrack
(run,) = mltrack.search_runs(output_format="list", filter_string="run_name = 'killed'")
print(len(run.data.metrics), run.data.metrics["alone/2999"], run.data.metrics["both/2900/59"])
"""
    done, seen = (
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        for code in (script, after)
    )
    assert done.stdout == "logged\n", done.stderr
    assert seen.stdout == f"{3000 + 30 * 60} 2999.0 59.0\n", seen.stderr
