"""A writer that does not go on: others read as ever, and hear once, in time, who keeps them from writing."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest
from conftest import clean_environment

from mltrack_jupyter.errors import Unavailable
from mltrack_jupyter.store.deadline import left_s, within
from mltrack_jupyter.store.sql.database import Database
from mltrack_jupyter.store.sql.lock_holders import TURN, who_writes

# What may hold a store, each in a process of its own.
TRANSACTION = "from mltrack_jupyter.store.sql.database import Database\nheld = Database('sqlite:///' + path).write()\nheld.__enter__()"
TURN_ONLY = f"import fcntl\nhandle = open(path + '{TURN}', 'w')\nfcntl.flock(handle, fcntl.LOCK_EX)"
SQLITE_ONLY = "import sqlite3\nheld = sqlite3.connect(path, isolation_level=None)\nheld.execute('BEGIN IMMEDIATE')"
HOLDERS = {"a transaction": TRANSACTION, "its turn": TURN_ONLY, "SQLite's lock": SQLITE_ONLY}


@contextmanager
def stopped(path, holder):
    """Hold a store in a process that is stopped; yield its number."""
    code = f"import sys, time\npath = sys.argv[1]\n{holder}\nprint('held', flush=True)\ntime.sleep(600)"
    command = [sys.executable, "-c", code, str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=clean_environment())
    try:
        assert process.stdout.readline() == b"held\n"
        process.send_signal(signal.SIGSTOP)
        yield process.pid
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def path(store):
    return store.uri.removeprefix("sqlite:///")


@pytest.mark.parametrize("holder", HOLDERS)
def test_whoever_waits_in_vain_hears_who_holds_the_store(store, path, holder):
    with stopped(path, HOLDERS[holder]) as pid, within(0.5):
        assert store.experiments.get("0").name == "Default"
        with pytest.raises(Unavailable) as told:
            store.experiments.create("waits")
    assert path in told.value.message
    if sys.platform == "linux":
        assert f"another process (pid {pid}, which is stopped" in told.value.message
    assert store.experiments.create("goes on")


@pytest.mark.parametrize("holder", HOLDERS)
def test_waits_in_a_row_have_one_deadline(store, path, holder):
    """Of many threads that want to write, the last waits no longer than the first: none queues anew."""
    refused, begun, count = [], threading.Barrier(9), 8

    def write():
        begun.wait()
        with within(1.0):
            try:
                store.experiments.create("never")
            except Unavailable:
                refused.append(left_s(10.0))

    threads = [threading.Thread(target=write) for _ in range(count)]
    with stopped(path, HOLDERS[holder]):
        for thread in threads:
            thread.start()
        begun.wait()
        start = time.monotonic()
        for thread in threads:
            thread.join()
        took = time.monotonic() - start
    assert refused == [0.0] * count
    assert took < count  # each after the other, they would have waited a second more


def test_a_connection_waits_as_long_as_ever_after_it_waited_briefly(store, path):
    database = Database(store.uri)
    with within(0.2), database.write() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() <= 200
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 15_000
    database.close()


def test_a_thread_of_this_process_is_told_as_such(store, path):
    """A long transaction here (a purge, an import) is no reason to look for a process that hangs."""
    with store_is_held(path), within(0.3), pytest.raises(Unavailable) as told:
        store.experiments.create("waits")
    if sys.platform == "linux":
        assert f"another thread of this process (pid {os.getpid()})" in told.value.message


@contextmanager
def store_is_held(path):
    database, held, done = Database(f"sqlite:///{path}"), threading.Event(), threading.Event()

    def hold():
        with database.write():
            held.set()
            done.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        yield
    finally:
        done.set()
        thread.join()
        database.close()


def test_nobody_is_named_who_only_reads(store, path):
    with sqlite3.connect(path, isolation_level=None) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM experiments").fetchall()
        assert who_writes(path) == "another process"
    reader.close()
    assert who_writes(f"{path}.absent") == "another process"


def test_a_nearer_deadline_stays():
    assert left_s(5.0) == 5.0
    with within(100.0), within(0.0), within(50.0):
        assert left_s(5.0) == 0.0
    assert left_s(5.0) == 5.0
