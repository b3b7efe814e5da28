"""Folders and disks that do not take what is logged, and values that are unusual."""

import errno
import math
import os
import sys
import time

import pytest

from mltrack_jupyter.errors import StoreUnwritable
from mltrack_jupyter.store.journal import Keeper
from mltrack_jupyter.store.journal.journal import Journal

linux = pytest.mark.skipif(sys.platform != "linux", reason="limits and folders as Linux has them")


@pytest.fixture
def full_disk(monkeypatch):
    """Let files of journals find no room, until told otherwise."""
    real = os.posix_fallocate
    state = {"full": False}

    def fallocate(*arguments):
        if state["full"]:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*arguments)

    monkeypatch.setattr(os, "posix_fallocate", fallocate)
    return lambda full: state.update(full=full)


@linux
def test_a_full_disk_is_told_and_costs_nothing_that_was_acknowledged(desk, full_disk):
    journal = desk.journal()
    full_disk(True)
    said, messages = [], []
    for step in range(24_000):
        try:
            journal.point(desk.run_id, "m", step, 1, 0.5)
            said.append(step)
        except StoreUnwritable as error:
            messages.append(str(error))
    assert said
    assert len(messages) > 1000
    assert "disk is full" in messages[0]
    assert "What was logged before is safe" in messages[0]
    assert desk.files() == ["000000.journal"]  # nothing half-made is left
    full_disk(False)
    journal.point(desk.run_id, "m", 99_999, 1, 0.5)
    desk.die(journal)
    journal.segments.clear()
    desk.recover()
    assert desk.steps() == [*said, 99_999]


@linux
def test_a_limit_on_the_size_of_files(run_script):
    """The system's own refusal, in a real process."""
    done = run_script(
        """
import resource, mltrack_jupyter as mltrack
from mltrack_jupyter.errors import StoreUnwritable
run = mltrack.start_run()
mltrack.log_metric("m", 0, step=0)
mltrack.get_run(run.run_id)
before = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1, before[1]))
said = [0]
for step in range(1, 9000):
    try:
        mltrack.log_metric("m", step, step=step)
        said.append(step)
    except StoreUnwritable as error:
        message = str(error)
resource.setrlimit(resource.RLIMIT_FSIZE, before)
mltrack.log_metric("m", 1, step=10_000)
found = sorted(point.step for point in mltrack.get_metric_history(run.run_id, "m"))
print(found == [*said, 10_000], len(said) < 9000, "Nothing can be logged" in message)
"""
    )
    assert done.stdout.split() == ["True"] * 3, done.stderr


@linux
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(desk):
    desk.folder.mkdir(mode=0o500)
    with pytest.raises(StoreUnwritable, match="Choose a folder that you can write"):
        desk.journal()


def test_a_file_where_the_folder_should_be(desk):
    desk.folder.write_text("a file")
    with pytest.raises(StoreUnwritable, match="Choose a folder that you can write"):
        desk.journal()


@linux
def test_a_working_directory_that_was_deleted(run_script):
    done = run_script(
        """
import os, mltrack_jupyter as mltrack
os.mkdir("gone"); os.chdir("gone"); os.rmdir("../gone")
run = mltrack.start_run()
mltrack.log_metric("m", 1.5)
print(mltrack.get_run(run.run_id).data.metrics)
"""
    )
    assert done.stdout.strip() == "{'m': 1.5}"


def test_a_clock_that_jumps_back(desk, monkeypatch):
    journal = desk.journal()
    for step, now in enumerate([5_000, 3_000, 1_000]):
        monkeypatch.setattr(time, "time_ns", lambda now=now: now * 10**6)
        journal.point(desk.run_id, "m", step, now, 0.5)
        journal.seal()
    desk.die(journal)
    journal.segments.clear()
    desk.recover()
    assert sorted(desk.steps()) == [0, 1, 2]
    assert desk.services.runs.get(desk.run_id).data.metrics == {"m": 0.5}


def test_nan_and_infinities_arrive(desk):
    journal = desk.journal()
    for step, value in enumerate([math.nan, math.inf, -math.inf]):
        journal.point(desk.run_id, "m", step, step, value)
    desk.die(journal)
    journal.segments.clear()
    desk.recover()
    found = [point.value for point in desk.services.metrics.history(desk.run_id, "m")]
    assert math.isnan(found[0])
    assert found[1:] == [math.inf, -math.inf]


def test_a_folder_with_a_name_in_other_letters(store, tmp_path):
    folder = tmp_path / "опыты 実験 🧪" / "journals"
    journal = Journal(folder, store.uri)
    journal.point("a" * 32, "точность", 0, 1, 0.5)
    assert len(list(folder.glob("*.journal"))) == 1
    for segment in journal.segments:
        segment.close()


def test_a_record_that_comes_while_the_thread_goes_home_is_not_forgotten(desk, until, monkeypatch):
    from mltrack_jupyter.store.journal import keeper as module

    monkeypatch.setattr(module, "_IDLE", 0.0)
    monkeypatch.setattr(module, "_PACE", 0.001)
    keeper = Keeper(desk.folder, desk.services.uri, lambda: desk.services)
    desk.begin(keeper.journal)
    for step in range(300):
        keeper.journal.point(desk.run_id, "m", step, 1, 0.5)
        if keeper.thread is None:
            keeper.wrote()
        time.sleep(0.001)
    until(lambda: not keeper.pending)
    assert desk.steps() == list(range(300))
    assert keeper.close()


def test_a_store_that_takes_nothing_can_still_be_read(run_script):
    """What a dead process left waits, and says so."""
    done = run_script(
        """
import logging, os, sqlite3, mltrack_jupyter as mltrack
from mltrack_jupyter.errors import StoreUnwritable
from mltrack_jupyter.store.journal.draining import Drain
from mltrack_jupyter.tracking import session
run = mltrack.start_run(); mltrack.log_metric("m", 1.0); mltrack.end_run()
session.close()
if os.fork() == 0:
    mltrack.start_run(); mltrack.log_metric("m", 2.0)
    os._exit(0)
os.wait()
def refuse(*_):
    raise StoreUnwritable("read-only")
real, Drain.run = Drain.run, refuse
print(mltrack.get_run(run.run_id).data.metrics)
session.close()
Drain.run = real
print(len(mltrack.search_runs(output_format="list")))
"""
    )
    assert done.stdout.splitlines() == ["{'m': 1.0}", "2"]
    assert "is not in the store yet: read-only" in done.stderr
