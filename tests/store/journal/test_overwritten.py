"""A journal that somebody overwrites, cuts short, replaces or deletes while its process logs."""

import os
import shutil

import pytest

from mltrack_jupyter.errors import StoreUnwritable
from mltrack_jupyter.store.journal.draining import Drain
from mltrack_jupyter.store.journal.journal import Journal
from mltrack_jupyter.store.journal.keeper import Keeper
from mltrack_jupyter.store.journal.sinks import StoreSink


def cut(path, _):
    os.truncate(path, 0)


def cut_a_little(path, _):
    os.truncate(path, 300)


def put_back(path, backup):
    shutil.copyfile(backup, path)  # as cp does: emptied, then written


def overwrite(path, _):
    with path.open("r+b") as file:
        file.write(os.urandom(2000))


def zero(path, _):
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))


def grow(path, _):
    with path.open("wb") as file:
        file.write(os.urandom(10_000_000))


def replace(path, backup):
    shutil.copyfile(backup, path.with_name("other"))
    os.replace(path.with_name("other"), path)


def delete(path, _):
    path.unlink()


CHANGES = [cut, cut_a_little, put_back, overwrite, zero, grow, replace, delete]
IN_PLACE = CHANGES[:6]


@pytest.fixture
def backup(tmp_path):
    return tmp_path / "backup"


@pytest.fixture
def keeper(desk):
    keeper = Keeper(desk.folder, desk.services.uri, lambda: desk.services)
    desk.begin(keeper.journal)
    yield keeper
    keeper.close()


def log(desk, journal, steps):
    for step in steps:
        journal.point(desk.run_id, "m", step, 1, 0.5)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    "handed_over", [False, True], ids=["nothing handed over", "a part handed over"]
)
def test_what_was_acknowledged_is_handed_over(desk, keeper, backup, change, handed_over):
    log(desk, keeper.journal, range(10))
    (segment,) = keeper.journal.segments
    shutil.copyfile(segment.path, backup)
    if handed_over:
        keeper.flush()
    log(desk, keeper.journal, range(10, 20))
    change(segment.path, backup)
    log(desk, keeper.journal, range(20, 30))
    keeper.flush()
    log(desk, keeper.journal, range(30, 40))
    keeper.flush()
    assert desk.steps() == list(range(40))


@pytest.mark.parametrize("change", IN_PLACE)
def test_it_outlives_its_process_again_and_that_is_said_once(desk, keeper, backup, change, caplog):
    """The next time that somebody looks, the file is written anew: also while the store is away."""
    log(desk, keeper.journal, range(10))
    (segment,) = keeper.journal.segments
    shutil.copyfile(segment.path, backup)
    log(desk, keeper.journal, range(10, 20))
    change(segment.path, backup)
    log(desk, keeper.journal, range(20, 30))
    keeper.journal.mend()
    log(desk, keeper.journal, range(30, 40))
    keeper.journal.mend()
    assert caplog.text.count("what was logged is in it again") == 1
    desk.die(keeper.journal)
    keeper.journal.segments.clear()
    desk.recover()
    assert desk.steps() == list(range(40))
    assert desk.files() == []


def test_a_hole_in_what_was_handed_over_is_closed_too(desk, keeper, backup, monkeypatch):
    """Whoever comes after a crash reads a file from its beginning, and stops at what is no record."""
    monkeypatch.setattr("mltrack_jupyter.store.journal.mending._WHOLE", 0.0)
    log(desk, keeper.journal, range(10))
    (segment,) = keeper.journal.segments
    shutil.copyfile(segment.path, backup)
    log(desk, keeper.journal, range(10, 20))
    keeper.flush()
    put_back(segment.path, backup)
    log(desk, keeper.journal, range(20, 30))
    keeper.journal.mend()
    desk.die(keeper.journal)
    keeper.journal.segments.clear()
    desk.recover()
    assert desk.steps() == list(range(30))


def test_a_file_that_is_full_is_looked_at_before_the_next_one_begins(desk, backup):
    journal = desk.journal()
    log(desk, journal, range(10))
    cut(journal.segments[0].path, backup)
    log(desk, journal, range(10, 20))
    journal.seal()
    log(desk, journal, range(20, 30))
    desk.die(journal)
    journal.segments.clear()
    desk.recover()
    assert desk.steps() == list(range(30))


def test_one_that_waits_and_was_cut_is_kept_and_told(desk, backup, caplog):
    """What waits long is only in its file: what somebody takes away of it is gone, and the rest is not."""
    journal = desk.journal()
    for begin in range(0, 40, 10):
        log(desk, journal, range(begin, begin + 10))
        journal.seal()
    os.truncate(journal.segments[1].path, 600)
    drain = Drain(journal.journal_id, desk.folder, journal.segments)
    drain.run(StoreSink(desk.services))
    found = desk.steps()
    assert set(found) >= {*range(10), *range(20, 40)}
    assert len(found) < 40
    assert caplog.text.count("is lost; the file is kept as .torn") == 1
    assert desk.files() == ["000001.torn"]


def test_a_disk_that_is_full_tells_the_call_and_not_the_process(desk, journal, monkeypatch):
    """A mapped file on a disk that is full, or copies what is written, ends the process by a signal."""
    real, full = os.pwrite, [True, True]

    def pwrite(handle, data, place):
        if full and full.pop():
            raise OSError(28, "No space left on device")
        return real(handle, data[:7], place)  # by small parts

    monkeypatch.setattr("mltrack_jupyter.store.journal.segment.write_at", pwrite)
    monkeypatch.setattr("mltrack_jupyter.store.journal.journal._write", pwrite)
    for call in (
        lambda: desk.param(journal, "p", "1"),
        lambda: journal.point(desk.run_id, "m", 0, 1, 0.5),
    ):
        with pytest.raises(StoreUnwritable, match="The disk is full"):
            call()
    desk.param(journal, "p", "2")
    journal.point(desk.run_id, "m", 1, 1, 0.5)
    Drain(journal.journal_id, desk.folder, journal.segments).run(StoreSink(desk.services))
    assert (desk.params(), desk.steps()) == ({"p": "2"}, [1])


def test_a_store_that_is_put_back_in_place_does_not_end_the_training(run_script):
    done = run_script(
        """
import os, shutil, subprocess, time, mltrack_jupyter as mltrack
run = mltrack.start_run()
for step in range(300):
    mltrack.log_metric("m", step, step=step)
    if step == 100:
        mltrack.get_run(run.run_id)
        shutil.copytree("store", "backup")
    if step == 200:
        for place in os.listdir("store/journals"):
            shutil.copyfile(f"backup/journals/{place}", f"store/journals/{place}")
    if step == 250:
        for place in os.listdir("store/journals"):
            os.truncate(f"store/journals/{place}", 0)
mltrack.end_run()
print(len(mltrack.get_metric_history(run.run_id, "m")), mltrack.get_run(run.run_id).info.status.value)
"""
    )
    assert done.stdout.split() == ["300", "FINISHED"], done.stderr


def test_a_point_that_was_interrupted_before_it_was_known_is_written_over(desk, monkeypatch):
    journal = Journal(desk.folder, desk.services.uri)
    desk.begin(journal)
    journal.point(desk.run_id, "m", 0, 1, 0.5)
    real, interrupts = os.pwrite, [KeyboardInterrupt()]

    def pwrite(*given):
        written = real(*given)
        if interrupts:
            raise interrupts.pop()
        return written

    monkeypatch.setattr("mltrack_jupyter.store.journal.journal._write", pwrite)
    with pytest.raises(KeyboardInterrupt):
        journal.point(desk.run_id, "m", 1, 1, 0.5)
    journal.point(desk.run_id, "m", 2, 1, 0.5)
    Drain(journal.journal_id, desk.folder, journal.segments).run(StoreSink(desk.services))
    assert desk.steps() == [0, 2]
    desk.die(journal)
