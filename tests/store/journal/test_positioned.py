"""What a platform without ``pread``, ``pwrite`` and ``posix_fallocate`` does instead."""

import os
import threading

import pytest

from mltrack_jupyter.store.journal import positioned
from mltrack_jupyter.store.journal.keeper import Keeper


@pytest.fixture
def elsewhere(monkeypatch):
    """Let journals use what other platforms use."""
    for module in ("journal.finding.read_at", "journal.segment.read_at"):
        monkeypatch.setattr(f"mltrack_jupyter.store.{module}", positioned._read_from)
    for module in ("journal.segment.write_at", "journal.journal._write"):
        monkeypatch.setattr(f"mltrack_jupyter.store.{module}", positioned._write_to)
    monkeypatch.setattr(positioned, "write_at", positioned._write_to)
    monkeypatch.delattr(os, "posix_fallocate")


def test_a_file_is_read_and_written_at_places(tmp_path):
    handle = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    assert positioned._write_to(handle, b"there", 4) == 5
    assert positioned._write_to(handle, b"here", 0) == 4
    assert positioned._read_from(handle, 100, 4) == b"there"
    assert positioned._read_from(handle, 4, 0) == b"here"
    os.close(handle)


def test_what_is_in_a_file_stays_when_it_gets_its_size(tmp_path, elsewhere):
    handle = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    os.write(handle, b"kept")
    positioned.reserve(handle, 10)
    positioned.reserve(handle, 8)
    assert (tmp_path / "file").read_bytes() == b"kept" + bytes(6)
    os.close(handle)


def test_threads_that_log_while_what_they_logged_is_handed_over(desk, elsewhere):
    keeper = Keeper(desk.folder, desk.services.uri, lambda: desk.services)
    desk.begin(keeper.journal)

    def log(first):
        for step in range(first, first + 500):
            keeper.journal.point(desk.run_id, "m", step, 1, 0.5)
            if step % 100 == 0:
                keeper.flush()

    threads = [threading.Thread(target=log, args=(first,)) for first in (0, 500, 1000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    keeper.flush()
    assert desk.steps() == list(range(1500))


def test_a_journal_of_a_dead_process_is_found_and_read(desk, journal, elsewhere):
    for step in range(10):
        journal.point(desk.run_id, "m", step, 1, 0.5)
    desk.die(journal)
    journal.segments.clear()
    desk.recover()
    assert desk.steps() == list(range(10))
