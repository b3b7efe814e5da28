"""Leases over time: silence, clocks that jump, and processes that come back."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from mltrack_jupyter.entities import Process, RunEntry, RunStatus, Tag
from mltrack_jupyter.store.journal.pulse import Pulse
from mltrack_jupyter.store.process import is_alive, present
from mltrack_jupyter.store.sql import leases
from mltrack_jupyter.store.sql.database import Database
from mltrack_jupyter.testing.making import new_run

REASON = "mltrack.status_reason"
MINUTE = 60_000
ELSEWHERE = Process(process_id="p", host="elsewhere", boot_id="b", pid=1, started=1)


@pytest.fixture
def database(store, tmp_path):
    database = Database(f"sqlite:///{tmp_path / '.mltrack' / 'mltrack.db'}")
    yield database
    database.close()


@pytest.fixture
def run_id(store):
    run_id = new_run(store).info.run_id
    store.leases.take(run_id, ELSEWHERE)
    return run_id


def beat(database, ago):
    """Set when the process was last heard of, in milliseconds before now."""
    with database.write() as connection:
        leases.renew(connection, "p", leases.clock(connection) - ago)


def test_a_silent_process_elsewhere_is_given_up_after_a_minute(store, database, run_id):
    beat(database, MINUTE - 5_000)
    assert store.leases.reap() == []
    beat(database, MINUTE + 5_000)
    assert store.leases.reap() == [run_id]
    run = store.runs.get(run_id)
    assert run.info.status is RunStatus.KILLED
    assert run.data.tags[REASON].startswith("The process that wrote the run, on elsewhere,")
    assert abs(run.info.end_time - (time.time() * 1000 - MINUTE - 5_000)) < 5_000


def test_its_run_goes_on_when_it_is_heard_of_again(store, database, run_id):
    beat(database, 2 * MINUTE)
    store.leases.reap()
    assert store.leases.renew("p") == [run_id]
    run = store.runs.get(run_id)
    assert (run.info.status, run.info.end_time) == (RunStatus.RUNNING, None)
    assert REASON not in run.data.tags
    assert store.leases.reap() == []


@pytest.mark.parametrize("told", [[], [Tag(REASON, "ValueError: x")]])
def test_why_it_had_ended_is_over_when_a_journal_tells_that_it_goes_on(
    store, database, run_id, told
):
    beat(database, 2 * MINUTE)
    store.leases.reap()
    entry = RunEntry(run_id=run_id, status=RunStatus.RUNNING, process=present(), tags=told)
    store.journals.append("journal", 0, 1, [entry])
    run = store.runs.get(run_id)
    assert (run.info.status, run.info.end_time) == (RunStatus.RUNNING, None)
    assert REASON not in run.data.tags


def test_what_somebody_ended_by_hand_meanwhile_stays_ended(store, database, run_id):
    beat(database, 2 * MINUTE)
    store.leases.reap()
    store.runs.update(run_id, status=RunStatus.FAILED)
    assert store.leases.renew("p") == []
    assert store.runs.get(run_id).info.status is RunStatus.FAILED


def test_a_process_that_was_given_up_can_still_finish_its_run(store, database, run_id):
    beat(database, 2 * MINUTE)
    store.leases.reap()
    store.runs.update(run_id, status=RunStatus.FINISHED)
    run = store.runs.get(run_id)
    assert (run.info.status, REASON in run.data.tags) == (RunStatus.FINISHED, False)


def test_a_clock_that_is_set_back_ends_nothing(store, database, run_id):
    beat(database, -60 * MINUTE)
    assert store.leases.reap() == []
    assert store.runs.get(run_id).info.status is RunStatus.RUNNING


def test_a_clock_that_is_set_forward_does_not_hurt_who_lives_here(store, database):
    run_id = new_run(store).info.run_id
    store.leases.take(run_id, present())
    with database.read() as connection:
        assert leases.lapsed(connection, leases.clock(connection) + 60 * MINUTE) == []


def test_a_lease_goes_with_its_run(store, database, run_id):
    store.runs.delete(run_id)
    store.workspace.purge(run_ids=[run_id])
    assert store.leases.renew("p") == []


def describe(pid):
    """Return the description that a process gives of itself."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    here = present()
    return Process(
        process_id=f"p{pid}", host=here.host, boot_id=here.boot_id, pid=pid, started=int(fields[19])
    )


@pytest.fixture
def sleeper():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
class TestProcesses:
    def test_this_one_lives(self):
        assert is_alive(present()) is True
        assert present() is present()

    def test_a_stopped_one_keeps_its_run_and_a_killed_one_loses_it(self, store, sleeper):
        run_id = new_run(store).info.run_id
        store.leases.take(run_id, describe(sleeper.pid))
        sleeper.send_signal(signal.SIGSTOP)
        for _ in range(3):
            assert store.leases.reap() == []
        sleeper.kill()
        start = time.monotonic()
        while not store.leases.reap():
            time.sleep(0.01)
        # A zombie, which nobody waited for, is dead as well.
        assert time.monotonic() - start < 2
        assert store.runs.get(run_id).info.status is RunStatus.KILLED

    def test_a_later_one_with_the_same_number_is_another(self, sleeper):
        found = describe(sleeper.pid)
        assert is_alive(found) is True
        later = Process(**{**{n: getattr(found, n) for n in found.__struct_fields__}, "started": 1})
        assert is_alive(later) is False

    @pytest.mark.parametrize("pid", [0, -1, 2**31, 2**62])
    def test_no_number_is_too_odd(self, pid):
        here = present()
        odd = Process(process_id="p", host=here.host, boot_id=here.boot_id, pid=pid, started=1)
        assert is_alive(odd) is False

    def test_a_fork_is_another_process(self):
        here = present()
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            there = present()
            told = (
                f"{there.process_id != here.process_id} {there.pid == os.getpid()} {is_alive(here)}"
            )
            os.write(writing, told.encode())
            os._exit(0)
        os.waitpid(child, 0)
        assert os.read(reading, 100) == b"True True True"


def test_who_joins_a_run_gets_it_when_its_owner_elsewhere_has_been_silent(store, database, run_id):
    store.leases.take(run_id, present())
    assert store.leases.renew(present().process_id) == []
    beat(database, MINUTE + 5_000)
    store.leases.take(run_id, present())
    assert store.leases.renew(present().process_id) == [run_id]
    assert store.leases.reap() == []


def test_a_program_that_replaced_another_one_owns_its_runs(store):
    """By exec: the process is the same, and so is what can be looked for."""
    run_id, before = new_run(store).info.run_id, present()
    store.leases.take(run_id, replace(before, process_id="before"))
    store.leases.take(run_id, before)
    assert store.leases.renew(before.process_id) == [run_id]


@pytest.fixture
def pulse(store, monkeypatch):
    monkeypatch.setattr("mltrack_jupyter.store.journal.pulse.SECONDS", -1.0)
    return Pulse(lambda: store)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_pulse_of_a_process_takes_what_it_joined_and_nobody_owns_any_more(
    store, pulse, sleeper
):
    run_id, deleted = new_run(store).info.run_id, new_run(store).info.run_id
    store.runs.delete(deleted)
    store.leases.take(run_id, describe(sleeper.pid))
    pulse.runs |= {run_id, deleted, "not-there-yet"}
    pulse.beat()
    assert store.leases.renew(present().process_id) == []
    sleeper.kill()
    sleeper.wait()
    assert store.leases.reap() == [run_id]
    pulse.beat()
    assert store.runs.get(run_id).info.status is RunStatus.RUNNING
    assert store.leases.renew(present().process_id) == [run_id]


def test_a_process_that_joins_a_run_and_dies_does_not_end_it(store):
    """The run goes on in the one that began it, which is this one."""
    run_id = new_run(store).info.run_id
    store.leases.take(run_id, present())
    helper = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    mine = present()
    joined = Process(
        process_id="helper", host=mine.host, boot_id=mine.boot_id, pid=helper.pid,
        started=mine.started,
    )  # fmt: skip
    store.leases.take(run_id, joined)
    helper.kill()
    helper.communicate()
    store.leases.reap()
    assert store.runs.get(run_id).info.status is RunStatus.RUNNING
