"""Requests of one kind wait for no other kind, and for none of their own for ever."""

import asyncio
import contextvars
import fcntl
import math
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from conftest import clean_environment

from mltrack_jupyter.errors import NotFound, Unavailable
from mltrack_jupyter.server.lanes import SIZES, Lane, Lanes
from mltrack_jupyter.services.dispatch import find
from mltrack_jupyter.store.deadline import left_s
from mltrack_jupyter.store.sql import database
from mltrack_jupyter.store.sql.lock_holders import TURN

EXPERIMENT = "/api/2.0/mlflow/experiments/get?experiment_id=0"
CREATE = "/api/2.0/mlflow/runs/create"
FILE = "/api/2.0/mlflow-artifacts/artifacts/0/f"
HOLDER = """
import sys, time
from mltrack_jupyter.store.sql.database import Database
with Database("sqlite:///" + sys.argv[1]).write():
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def lane():
    lane = Lane("tests", 2, 3)
    yield lane
    lane.close()


@pytest.fixture
def gate():
    """What calls wait for in their threads; opened in the end whatever happens."""
    gate = threading.Event()
    yield gate
    gate.set()


async def test_who_finds_no_place_is_told_so_and_nothing_is_done(lane, gate):
    done = []

    def call(number):
        gate.wait()
        done.append(number)

    inside = [asyncio.ensure_future(lane.run(call, number)) for number in range(5)]
    await asyncio.sleep(0)
    assert (lane.health.running, lane.health.waiting, lane.health.most, lane.is_full) == (
        2,
        3,
        5,
        True,
    )
    for number in range(5, 9):
        with pytest.raises(Unavailable, match="Nothing was done"):
            await lane.run(call, number)
    gate.set()
    await asyncio.gather(*inside)
    assert sorted(done) == [0, 1, 2, 3, 4]
    assert (lane.health.turned_away, lane.is_full) == (4, False)
    assert await lane.run(len, "abc") == 3


async def test_who_waits_too_long_for_a_thread_is_told_so_and_never_answered_twice(lane, gate):
    late = []
    inside = [asyncio.ensure_future(lane.run(gate.wait)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="busy"):
        await lane.run(late.append, 1, patience=0.01)
    gate.set()
    await asyncio.gather(*inside)
    await lane.run(len, "")
    assert late == []


async def test_what_a_call_waits_for_others_counts_from_its_arrival(lane, gate):
    inside = [asyncio.ensure_future(lane.run(gate.wait)) for _ in range(2)]
    await asyncio.sleep(0)
    waiting = asyncio.ensure_future(lane.run(left_s, 1000.0, patience=60.0))
    await asyncio.sleep(0.05)
    gate.set()
    assert await waiting < 60.0 - 0.04
    await asyncio.gather(*inside)


async def test_a_call_has_the_context_and_the_error_of_its_request(lane):
    who = contextvars.ContextVar("who", default="nobody")
    who.set("ada")
    assert await lane.run(who.get) == "ada"

    def refuse():
        raise NotFound("no such run")

    with pytest.raises(NotFound, match="no such run"):
        await lane.run(refuse)
    assert lane.health.running == 0


@pytest.mark.parametrize("name", list(SIZES))
async def test_a_lane_that_is_full_leaves_the_others_as_they_were(name, gate):
    lanes = Lanes()
    threads, places = SIZES[name]
    count = threads + (10 if math.isinf(places) else int(places))
    inside = [asyncio.ensure_future(lanes.of(name).run(gate.wait)) for _ in range(count)]
    await asyncio.sleep(0)
    assert lanes.of(name).is_full is not math.isinf(places)
    assert lanes.of(name).health.running == threads
    for other in SIZES.keys() - {name}:
        assert await lanes.of(other).run(len, "abc") == 3
    gate.set()
    await asyncio.gather(*inside)
    lanes.close()


async def test_a_lane_that_is_closed_takes_nobody():
    lane = Lane("tests", 1)
    lane.close()
    with pytest.raises(Unavailable, match="shut down"):
        await lane.run(len, "")
    assert lane.health.running == 0


async def test_who_waits_for_a_writer_gives_up_when_the_server_ends(store, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 100_000)
    path, lane = store.uri.removeprefix("sqlite:///"), Lane("tests", 1)
    with open(path + TURN, "w") as held:  # noqa: ASYNC230 - made once
        fcntl.flock(held, fcntl.LOCK_EX)
        waiting = asyncio.ensure_future(
            lane.run(store.experiments.create, "never", patience=math.inf)
        )
        while not lane._deadlines:  # noqa: ASYNC110 - what it waits for sets no event
            await asyncio.sleep(0.001)
        lane.close()
        with pytest.raises(Unavailable, match="could not be written"):
            await waiting
    assert store.experiments.create("now")


@pytest.mark.parametrize(
    ("method", "path", "lane"),
    [
        ("GET", "/api/2.0/mlflow/runs/get", "reads"), ("POST", "/api/2.0/mlflow/runs/search", "reads"),
        ("POST", CREATE, "writes"), ("POST", "/api/1/journals/append", "writes"),
        ("PUT", FILE, "files"), ("GET", FILE, "files"), ("GET", "/get-artifact", "files"),
        ("GET", "/api/2.0/mlflow/artifacts/list", "files"), ("DELETE", FILE, "files"), ("POST", "/api/1/trash/purge", "files"),
    ],
)  # fmt: skip
def test_every_operation_has_its_lane(method, path, lane):
    assert find(method, path)[0].operation.lane == lane


@pytest.fixture
def stopped_writer(start_server):
    """A server, with a file, beside a process that is stopped in a transaction; and that process's number."""
    server = start_server()
    with asking(server) as client:
        assert client.put(FILE, content=b"1").status_code == 200
    code = [sys.executable, "-c", HOLDER, str(server.store / "mltrack.db")]
    process = subprocess.Popen(code, stdout=subprocess.PIPE, env=clean_environment())
    assert process.stdout.readline() == b"held\n"
    process.send_signal(signal.SIGSTOP)
    yield server, process.pid
    process.send_signal(signal.SIGCONT)
    process.kill()
    process.wait()
    process.stdout.close()


def asking(server):
    headers = {"Authorization": f"Bearer {server.token}"}
    return httpx.Client(base_url=server.tracking_uri, headers=headers, timeout=120)


def test_a_writer_that_is_stopped_stops_no_reader_and_is_named(stopped_writer):
    server, pid = stopped_writer
    count = 100  # more than there are places
    with asking(server) as client, ThreadPoolExecutor(count) as threads:
        writes = [
            threads.submit(httpx.post, server.tracking_uri + CREATE, json={"experiment_id": "0"},
                           headers=client.headers, timeout=120) for _ in range(count)
        ]  # fmt: skip
        answered = 0
        while not all(write.done() for write in writes):
            assert client.get(EXPERIMENT).status_code == 200
            assert client.get(FILE).content == b"1"
            assert client.get("/../api/status").status_code == 200
            answered += 1
        answers = [write.result() for write in writes]
    assert answered > 10
    assert {answer.status_code for answer in answers} == {503}
    assert {answer.headers["Retry-After"] for answer in answers} == {"2"}
    told = [answer.json()["message"] for answer in answers]
    busy = [text for text in told if "The server is busy" in text]
    assert len(busy) >= count - 72
    if sys.platform == "linux":
        named = [text for text in told if f"another process (pid {pid}, which is stopped" in text]
        assert len(named) >= 8  # those that had a thread


def test_the_health_tells_of_a_writer_that_is_stopped(stopped_writer):
    server, pid = stopped_writer
    with asking(server) as client:
        told = client.get("/api/1/health").json()
    if sys.platform == "linux":
        assert told["status"] == "degraded"
        assert any(f"The process {pid} is stopped" in reason for reason in told["reasons"])
        os.kill(pid, signal.SIGCONT)
        with asking(server) as client:
            assert client.get("/api/1/health").json()["status"] == "ok"


def test_a_server_that_starts_beside_a_stopped_writer_reads(stopped_writer, start_server):
    server, _ = stopped_writer
    other = start_server(f"--MltrackApp.backend_store_uri={server.store}", name="other")
    with asking(other) as client:
        assert client.get(EXPERIMENT).status_code == 200
