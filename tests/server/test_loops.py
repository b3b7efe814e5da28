"""The loops of the server outlive what they meet: told once a kind, tried again later and later, never gone."""

import asyncio
import logging
import sqlite3

import pytest

from mltrack_jupyter.errors import Unavailable
from mltrack_jupyter.server import kernels as kernels_module
from mltrack_jupyter.server import loops
from mltrack_jupyter.server.feed import Feed
from mltrack_jupyter.server.kernels import Kernels
from mltrack_jupyter.server.loops import Attempts, Loop
from mltrack_jupyter.store import watch
from mltrack_jupyter.testing.making import new_run

LOG = logging.getLogger("mltrack_jupyter.tests")


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """Try again as soon as may be: what is looked at is the order of things, not the clock."""
    monkeypatch.setattr(loops, "FIRST_DELAY_S", 0.001)


async def until(true):
    """Wait for a condition; a test that waits in vain is ended by the limit of all tests."""
    while not true():  # noqa: ASYNC110 - what it waits for sets no event
        await asyncio.sleep(0.001)


def failures(caplog):
    return [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("raised", [RuntimeError, KeyError, Unavailable, OSError, TimeoutError, RecursionError,
                                    asyncio.CancelledError, AssertionError, sqlite3.OperationalError])  # fmt: skip
async def test_a_loop_goes_on_whatever_a_round_raises(caplog, raised):
    caplog.set_level(logging.DEBUG)
    rounds = []

    async def go_round():
        rounds.append(1)
        if len(rounds) in (2, 3, 5):
            raise raised("for a moment")

    loop = Loop("of the test", go_round, 0.001, LOG)
    task = loop.start()
    await until(lambda: len(rounds) >= 8)
    assert not task.done()
    assert (loop.health.lives, loop.health.failures) == (True, 3)
    assert "for a moment" in loop.health.reason
    assert len(failures(caplog)) == 1  # with its traceback, once
    await loop.stop()
    assert task.done()
    assert not loop.health.lives


class SpeechlessError(Exception):
    """Fails at saying what it is."""

    def __str__(self):
        raise RuntimeError("no words")


async def test_a_failure_that_cannot_say_what_it_is():
    rounds = []

    async def go_round():
        rounds.append(1)
        if len(rounds) == 1:
            raise SpeechlessError

    loop = Loop("of the test", go_round, 0.001, LOG)
    task = loop.start()
    await until(lambda: len(rounds) >= 2)
    assert (task.done(), loop.health.reason) == (False, "SpeechlessError")
    await loop.stop()


async def _cancelled(loop):
    loop.task.cancel()


async def _faulty(loop):
    """Let it meet something that is caught nowhere."""
    loop._pause = None


@pytest.mark.parametrize("end", [_cancelled, _faulty], ids=["cancelled", "a fault"])
async def test_a_loop_whose_task_ends_is_begun_again_and_says_so(caplog, end):
    rounds = []

    async def go_round():
        rounds.append(1)

    loop = Loop("of the test", go_round, 0.001, LOG)
    first = loop.start()
    await until(lambda: rounds)
    await end(loop)
    await until(first.done)
    vars(loop).pop("_pause", None)
    await until(lambda: loop.task is not first and loop.health.lives)
    assert (loop.health.failures, len(failures(caplog))) == (1, 1)
    assert "of the test failed and is tried again" in caplog.text
    await loop.stop()
    assert not loop.health.lives


async def test_a_loop_that_was_stopped_while_it_waits_to_begin_again_stays_so(monkeypatch):
    monkeypatch.setattr(loops, "FIRST_DELAY_S", 0.02)

    async def go_round():
        pass

    loop = Loop("of the test", go_round, 0.001, LOG)
    first = loop.start()
    first.cancel()
    await until(first.done)
    await loop.stop()
    await asyncio.sleep(0.05)
    assert loop.task is first


async def test_another_kind_of_failure_is_told_too(caplog):
    errors = [ValueError("1"), ValueError("2"), KeyError("3"), ValueError("4")]

    async def go_round():
        if errors:
            raise errors.pop(0)

    loop = Loop("of the test", go_round, 0.001, LOG)
    loop.start()
    await until(lambda: not errors and loop.health.lives)
    assert [record.exc_info[0] for record in failures(caplog)] == [ValueError, KeyError]
    await loop.stop()


async def test_the_delay_grows_up_to_a_limit_and_begins_anew(monkeypatch):
    monkeypatch.setattr(loops, "FIRST_DELAY_S", 0.5)
    attempts, delays, broken = Attempts("of the test", LOG), [], True

    async def attempt():
        if broken:
            raise OSError("away")

    for _ in range(9):
        assert not await attempts.run(attempt)
        delays.append(attempts._delay)
        assert 0 < attempts.delay_s <= attempts._delay
        attempts._again_at = 0.0
    assert delays == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    broken = False
    assert await attempts.run(attempt)
    assert attempts.delay_s == 0
    broken = True
    await attempts.run(attempt)
    assert attempts._delay == 0.5


async def test_nothing_is_tried_before_the_delay_is_over(monkeypatch):
    monkeypatch.setattr(loops, "FIRST_DELAY_S", 3600)
    attempts, tried = Attempts("of the test", LOG), []

    async def attempt():
        tried.append(1)
        raise OSError("away")

    for _ in range(5):
        await attempts.run(attempt)
    assert len(tried) == 1


async def test_a_round_that_never_ends_is_given_up():
    attempts = Attempts("of the test", LOG, 0.01)
    assert not await attempts.run(asyncio.Event().wait)
    assert "TimeoutError" in attempts.health.reason


async def test_a_loop_that_waits_can_be_woken():
    rounds = []

    async def go_round():
        rounds.append(1)

    loop = Loop("of the test", go_round, 3600, LOG)
    loop.start()
    await until(lambda: len(rounds) == 1)
    loop.wake()
    await until(lambda: len(rounds) == 2)
    await loop.stop()


class Events:
    def __init__(self):
        self.told = []

    def add_listener(self, **_listener):
        pass

    def remove_listener(self, **_listener):
        pass

    def emit(self, *, data, **_event):
        self.told += [change["entity_id"] for change in data["changes"]]


class Held:
    """A store that is open, as the server holds it."""

    exists = True

    def __init__(self, services):
        self.opened = services

    def get(self):
        return self.opened

    def recover(self):
        pass


class Kernel:
    """A kernel of which this or that cannot be asked."""

    has_kernel, shutting_down = True, False

    def __init__(self, alive=True):
        self.alive, self.asked = alive, 0

    async def is_alive(self):
        self.asked += 1
        if isinstance(self.alive, Exception):
            raise self.alive
        if self.alive is None:
            await asyncio.Event().wait()
        return self.alive


class Manager:
    def __init__(self, **found):
        self.kernels, self.broken = found, False

    def list_kernel_ids(self):
        if self.broken:
            raise OSError("the kernel manager is away")
        return list(self.kernels)

    def get_kernel(self, kernel_id):
        return self.kernels[kernel_id]

    def add_restart_callback(self, *_arguments):
        pass


class Ending:
    """Leases that cannot always be written; what was written is noted."""

    def __init__(self, failing=0):
        self.failing, self.ended, self.reaped = failing, [], 0
        self.leases = self

    def end_kernel(self, kernel_id, reason):
        if self.failing:
            self.failing -= 1
            raise Unavailable("another process holds the store")
        self.ended.append((kernel_id, reason))
        return [kernel_id]

    def reap(self):
        self.reaped += 1
        return []


@pytest.fixture
def often(monkeypatch):
    monkeypatch.setattr(kernels_module, "_SECONDS", 0.001)
    monkeypatch.setattr(kernels_module, "_REAP_SECONDS", 0.001)
    monkeypatch.setattr(kernels_module, "_ASK_SECONDS", 0.01)


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize(
    "trouble", [ConnectionError("its machine is away"), None], ids=["an error", "silence"]
)
async def test_a_kernel_that_cannot_be_asked_hides_no_other(trouble):
    store, manager = Ending(), Manager(a=Kernel(trouble), b=Kernel(), c=Kernel())
    kernels = Kernels(Held(store), manager, Events(), LOG)
    kernels.start()
    await until(lambda: manager.kernels["a"].asked >= 2 and manager.kernels["b"].asked >= 2)
    manager.kernels["c"].alive = False
    await until(lambda: store.ended)
    assert store.ended[0] == ("c", kernels_module.DIED)
    manager.kernels["a"].alive = False
    await until(lambda: len(store.ended) == 2)
    assert not kernels._task.done()
    await kernels.stop()


@pytest.mark.usefixtures("often")
async def test_a_kernel_manager_that_fails_is_asked_again():
    store, manager = Ending(), Manager(a=Kernel())
    kernels = Kernels(Held(store), manager, Events(), LOG)
    manager.broken = True
    kernels.start()
    await until(lambda: kernels.loops[0].health.failures >= 2)
    manager.broken = False
    await until(lambda: kernels.loops[0].health.lives)
    assert store.reaped  # the other loops have not waited for it
    await kernels.stop()


@pytest.mark.usefixtures("often")
async def test_an_end_that_cannot_be_written_is_written_later():
    store, manager = Ending(failing=3), Manager(a=Kernel(False), b=Kernel(False))
    kernels = Kernels(Held(store), manager, Events(), LOG)
    kernels.start()
    await until(lambda: len(store.ended) == 2)
    assert sorted(store.ended) == [("a", kernels_module.DIED), ("b", kernels_module.DIED)]
    await kernels.stop()


async def test_what_is_noted_is_written_before_the_server_ends(monkeypatch):
    store = Ending()
    kernels = Kernels(Held(store), Manager(), Events(), LOG)
    monkeypatch.setattr(kernels._ends, "start", lambda: None)
    kernels.start()
    await kernels._hear(data={"action": "shutdown", "kernel_id": "a", "status": "success"})
    await kernels.stop()
    assert [kernel_id for kernel_id, _ in store.ended] == ["a"]


@pytest.mark.parametrize(
    "error", [sqlite3.OperationalError("unable to open database file"), OSError("no disk")]
)
async def test_the_feed_goes_on_when_the_file_can_be_opened_again(store, monkeypatch, error):
    events = Events()
    feed = Feed(Held(store), events, LOG)
    feed.start()
    await until(lambda: feed._watcher is not None)
    first = new_run(store).info.run_id
    await until(lambda: first in events.told)

    def broken(*_arguments, **_settings):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(watch.sqlite3, "connect", broken)
        feed._watcher.close()
        await until(lambda: feed.loop.health.failures >= 2)
    second = await asyncio.to_thread(lambda: new_run(store).info.run_id)
    await until(lambda: second in events.told)
    assert not feed._task.done()
    assert events.told.count(first) == 1  # nothing is told twice
    await feed.stop()
