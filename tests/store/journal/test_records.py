"""Records: what is written is read, and what is damaged is not."""

import math
import struct

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mltrack_jupyter.entities import NewRun, Param, RunEntry, RunStatus, Tag
from mltrack_jupyter.store.journal import records
from mltrack_jupyter.store.journal.folding import Fold, Names
from mltrack_jupyter.store.journal.records import Name, SpooledFile, count_of, divide, framed, scan

# Data is drawn slowly where other work goes on beside the tests.
patient = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
int64 = st.integers(-(2**63), 2**63 - 1)
values = st.floats(allow_nan=True, allow_infinity=True)
points = st.lists(
    st.tuples(st.integers(0, 2**32 - 1), int64, int64, values), min_size=1, max_size=20
)
entries = st.builds(
    RunEntry,
    run_id=words,
    new=st.none() | st.builds(NewRun, experiment_id=words, start_time=int64),
    params=st.lists(st.builds(Param, words, words), max_size=3),
    tags=st.lists(st.builds(Tag, words, words), max_size=3),
    status=st.none() | st.sampled_from(RunStatus),
    end_time=st.none() | int64,
)


def read(content):
    """Return the only record of what a journal would hold after this content was written."""
    (record,) = scan(framed(content) + bytes(100))
    assert record.end == len(framed(content))
    return record


def bits(points):
    return [(number, step, time, struct.pack("<d", value)) for number, step, time, value in points]


def read_points(content):
    return list(zip(*records.read_points(read(content)), strict=True))


@patient
@given(points)
def test_points_keep_every_bit(found):
    assert bits(read_points(records.many_content(found))) == bits(found)


@patient
@given(entries)
def test_an_entry_comes_back(entry):
    assert records.read_entry(read(records.entry_content(entry))) == entry


@patient
@given(st.integers(0, 2**32 - 1), words, words)
def test_a_name_comes_back(number, run_id, key):
    found = records.read_name(read(records.name_content(number, Name(run_id, key))))
    assert found == (number, Name(run_id, key))


@patient
@given(words, words)
def test_a_spooled_file_comes_back(run_id, path):
    file = SpooledFile(run_id=run_id, path=path, spooled="x.files/y")
    assert records.read_file(read(records.file_content(file))) == file


def test_nan_and_infinities_are_values():
    found = [(0, 0, 0, value) for value in (math.nan, math.inf, -math.inf, -0.0, 5e-324)]
    assert bits(read_points(records.many_content(found))) == bits(found)


def point_content(number, step, time, value):
    return records.POINT.pack(records.POINT_KIND, number, step, time, value)


NAMES = [
    records.name_content(number, Name(f"run{number % 2}", f"key{number}")) for number in range(3)
]
RUNS = [records.run_content(number, f"run{number}") for number in range(2)]
firsts = st.builds(
    records.firsts_content,
    st.integers(0, 1),
    st.integers(3, 40),
    st.lists(
        st.tuples(st.sampled_from(["a", "b", "loss/é"]), int64, int64, values),
        min_size=1,
        max_size=3,
        unique_by=lambda point: point[0],
    ),
)
of_known = st.tuples(st.integers(0, 2), int64, int64, values)
contents = st.lists(
    of_known.map(lambda point: point_content(*point))
    | st.lists(of_known, min_size=1, max_size=3).map(records.many_content)
    | firsts
    | entries.map(records.entry_content),
    max_size=12,
)


def ends_of(found):
    """Return where records end, also those that are read as one."""
    return [
        record.divide(count)[0].end if record.size > 1 else record.end
        for record in found
        for count in range(1, record.size + 1)
    ]


@patient
@given(st.lists(st.binary(min_size=1, max_size=30) | contents.filter(len).map(min)), st.data())
def test_a_cut_or_a_flipped_byte_leaves_the_records_before_it(contents, data):
    whole = b"".join(framed(content) for content in contents)
    ends = ends_of(scan(whole))
    assert len(ends) == len(contents)

    cut = data.draw(st.integers(0, len(whole)))
    assert ends_of(scan(whole[:cut])) == [end for end in ends if end <= cut]

    if whole:
        place = data.draw(st.integers(0, len(whole) - 1))
        flipped = bytearray(whole)
        flipped[place] ^= 1 << data.draw(st.integers(0, 7))
        assert ends_of(scan(bytes(flipped))) == [end for end in ends if end <= place]


def folded(parts):
    """Return what batches of records come to, each point of each run in the order of the batches."""
    found = {}
    for part in parts:
        names = Names()
        for record in scan(b"".join(map(framed, [*RUNS, *NAMES]))):
            names.learn(record)
        fold = Fold(names)
        for record in part:
            fold.add(record)
        for entry in fold.entries():
            for points in entry.points:
                for point in zip(points.steps, points.timestamps, points.values, strict=True):
                    found.setdefault((entry.run_id, points.key), []).append(repr(point))
    return found


@patient
@given(contents, st.data())
def test_points_in_a_row_are_read_together_and_divided_anywhere(contents, data):
    frames = [framed(content) for content in contents]
    whole = scan(b"".join(frames))
    assert scan(b"".join(frames), is_own=True) == whole
    assert count_of(whole) == len(frames)
    assert (whole[-1].end if whole else 0) == sum(map(len, frames))

    one_by_one = [scan(frame) for frame in frames]
    assert folded([whole]) == folded(one_by_one)

    count = data.draw(st.integers(0, len(frames)))
    first, rest = divide(whole, count)
    assert (count_of(first), count_of(rest)) == (count, len(frames) - count)
    assert (first[-1].end if first else 0) == sum(map(len, frames[:count]))
    assert folded([first, rest]) == folded(one_by_one)
