"""Files that are cut, damaged or none of ours: the good beginning is read, and nobody is kept waiting."""

import os
import shutil

import pytest

from mltrack_jupyter.store.journal.records import HEAD
from mltrack_jupyter.store.journal.records import count_of as records_in
from mltrack_jupyter.store.journal.segment import Segment


def ends_of(data):
    """Return where the records of a whole file end, by the lengths that they begin with."""
    ends = [0]
    while length := HEAD.unpack_from(data, ends[-1])[0]:
        ends.append(ends[-1] + HEAD.size + length)
    return ends[1:]


@pytest.fixture
def written(desk):
    """The bytes of a journal with a run, three points, a batch and a param, and where its records end."""
    journal = desk.journal()
    for step in range(3):
        journal.point(desk.run_id, "m", step, 1, 0.5)
    journal.points(desk.run_id, [("a", 0, 1, 1.0), ("b", 0, 1, 2.0)])
    desk.param(journal, "p", "ü" * 10)
    (segment,) = journal.segments
    desk.die(journal)
    data = segment.path.read_bytes()
    ends = ends_of(data)
    assert not any(data[ends[-1] :])
    return segment.path, data[: ends[-1] + 20], ends


def count_of(path):
    """Return how many records can be read of a file that a dead process left; the header counts."""
    taken = Segment.take_over(path)
    if taken is None:
        return 0
    found = 0
    while records := taken.read():
        found += records_in(records)
    taken.close()
    return found + 1


def test_a_file_cut_at_every_byte_reads_its_good_prefix(written):
    path, data, ends = written
    for cut in range(len(data)):
        path.write_bytes(data[:cut])
        assert count_of(path) == sum(end <= cut for end in ends), cut


def test_a_flipped_byte_ends_what_can_be_read(written):
    path, data, ends = written
    for place in range(ends[-1]):
        flipped = bytearray(data)
        flipped[place] ^= 0xFF
        path.write_bytes(flipped)
        assert count_of(path) == sum(end <= place for end in ends), place


def test_a_torn_file_is_handed_over_up_to_there_and_kept(desk, written, caplog):
    path, data, ends = written
    torn = bytearray(data)
    torn[ends[4]] ^= (
        0xFF  # in the head of the third point; before it are header, run, name, two points
    )
    path.write_bytes(torn)
    (done,) = desk.recover()
    assert done.torn
    assert desk.steps() == [0, 1]
    assert path.with_suffix(".torn").read_bytes() == torn
    assert "is left out" in caplog.text
    assert desk.recover() == []


def test_the_files_of_others_and_garbage_stop_nobody(desk, written):
    path, _, _ = written
    folder = path.parent
    (folder / "empty.journal").touch()
    (folder / "garbage.journal").write_bytes(os.urandom(5000))
    (folder / "zeros.journal").write_bytes(bytes(5000))
    (folder / "folder.journal").mkdir()
    (folder / "notes.txt").write_text("mine")
    os.mkfifo(folder / "pipe.journal")
    (folder / "link.journal").symlink_to(folder / "nowhere")
    left = set(os.listdir(folder)) - {path.name}
    (done,) = desk.recover()
    assert not done.torn
    assert (desk.steps(), desk.params()) == ([0, 1, 2], {"p": "ü" * 10})
    assert set(os.listdir(folder)) == left


def test_a_file_whose_beginning_is_damaged_is_told_once_and_kept(desk, written, caplog):
    path, data, _ = written
    path.write_bytes(b"\0" + data[1:])
    assert desk.recover() == desk.recover() == []
    assert caplog.text.count("it is kept as .torn") == 1
    assert path.with_suffix(".torn").read_bytes()[1:] == data[1:]


def test_a_copy_of_a_file_under_another_name_is_nobody_s_journal(desk, written, caplog):
    path, _, _ = written
    copy = path.with_name(f"Copy of {path.name}")
    shutil.copy(path, copy)
    desk.recover()
    assert desk.steps() == [0, 1, 2]
    assert list(desk.folder.iterdir()) == [copy]
    assert caplog.text.count("its name is not that of a journal") == 1


def test_a_newer_format_is_left_alone(desk, written):
    path, data, _ = written
    from mltrack_jupyter.store.journal.records import FORMAT, Header, framed, header_content

    header = Header(journal_id="a" * 32, uri=desk.services.uri, index=0, pid=1, format=FORMAT + 1)
    path.write_bytes(framed(header_content(header)) + data)
    assert desk.recover() == []
    assert path.exists()


def test_the_files_of_another_store_in_the_same_folder_are_left(desk, written):
    path, _, _ = written
    from mltrack_jupyter.store.journal import recover

    other = desk.services.uri.replace("mltrack.db", "other.db")
    assert recover(desk.folder, lambda: desk.services, other) == []
    assert path.exists()


def test_a_store_that_was_moved_still_finds_its_journals(desk, written):
    path, _, _ = written
    from mltrack_jupyter.store.journal import recover

    (done,) = recover(desk.folder, lambda: desk.services, "sqlite:///elsewhere/mltrack.db")
    assert done.journal_id == path.name.split(".")[0]
    assert desk.steps() == [0, 1, 2]


def test_a_file_that_was_never_finished_is_swept_after_an_hour(desk, written):
    folder = written[0].parent
    old, young = folder / "a.000000.new", folder / "b.000000.new"
    for path in (old, young):
        path.write_bytes(bytes(100))
    os.utime(old, (1, 1))
    desk.recover()
    assert (old.exists(), young.exists()) == (False, True)
