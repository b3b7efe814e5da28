"""Every point that was logged is kept, and keeps the time at which it was logged, however many log at once."""

import asyncio
import math
import multiprocessing
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from mltrack_jupyter.tracking import logging, session
from mltrack_jupyter.tracking.client import Client

WRITERS, EACH = 4, 2000


def of_one(mltrack):
    mltrack.log_metric("x", 1.0)


def of_one_step(mltrack):
    mltrack.log_metric("x", 1.0, step=7)


def of_one_time(mltrack):
    mltrack.log_metric("x", 1.0, step=7, timestamp=5_000)


def of_no_number(mltrack):
    mltrack.log_metric("x", math.nan)


def of_several(mltrack):
    mltrack.log_metrics({"x": 1.0, "y": 2.0})


WAYS = [of_one, of_one_step, of_one_time, of_no_number, of_several]


def check(points, count, since):
    """Check that there are so many points, at times that have been, and in one order."""
    assert len(points) == count
    order = [(point.timestamp, point.step, point.ordinal) for point in points]
    assert order == sorted(set(order))
    times = [point.timestamp for point in points if point.timestamp != 5_000]
    assert all(since <= found <= time.time_ns() // 10**6 for found in times)


@pytest.mark.parametrize("way", WAYS)
def test_threads_that_log_to_one_metric(mltrack, way):
    since = time.time_ns() // 10**6
    with mltrack.start_run() as run, ThreadPoolExecutor(WRITERS) as pool:
        jobs = [pool.submit(lambda: [way(mltrack) for _ in range(EACH)]) for _ in range(WRITERS)]
        [job.result() for job in jobs]
    found = mltrack.get_metric_history(run.info.run_id, "x")
    check(found, WRITERS * EACH, since)
    stored = mltrack.get_run(run.info.run_id)
    assert stored.info.end_time >= found[-1].timestamp
    assert stored.data.metric_list[0].ordinal == found[-1].ordinal


def log_in_threads(way, run_id, uri):
    import mltrack_jupyter as mltrack

    mltrack.set_tracking_uri(uri)
    with mltrack.start_run(run_id=run_id), ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: [way(mltrack) for _ in range(EACH // 4)], range(2)))
    session.close()


@pytest.mark.parametrize("way", [of_one, of_one_time])
def test_processes_with_threads_that_log_to_one_metric(mltrack, way):
    since = time.time_ns() // 10**6
    with mltrack.start_run() as run:
        run_id, uri = run.info.run_id, mltrack.get_tracking_uri()
        processes = [
            multiprocessing.get_context("spawn").Process(
                target=log_in_threads, args=(way, run_id, uri)
            )
            for _ in range(2)
        ]
        [process.start() for process in processes]
        for _ in range(EACH):
            way(mltrack)
        for process in processes:
            process.join(120)
            assert process.exitcode == 0
    check(mltrack.get_metric_history(run_id, "x"), 2 * EACH, since)


def log_past_the_journal(run_id, uri, count):
    client = Client(uri)
    for _ in range(count):
        client.log_metric(run_id, "x", 1.0)


def test_clients_of_several_processes(mltrack):
    """A client writes to the store at once; its points are told apart as well."""
    run_id, uri = Client().create_run("0").info.run_id, mltrack.get_tracking_uri()
    processes = [
        multiprocessing.get_context("spawn").Process(
            target=log_past_the_journal, args=(run_id, uri, 50)
        )
        for _ in range(2)
    ]
    [process.start() for process in processes]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: log_past_the_journal(run_id, uri, 50), range(2)))
    [process.join(120) for process in processes]
    assert len(mltrack.get_metric_history(run_id, "x")) == 200


def test_points_of_one_time_that_name_a_model(mltrack, monkeypatch):
    monkeypatch.setattr(logging, "now_ms", lambda: 5_000)
    with mltrack.start_run() as run:
        model = mltrack.initialize_logged_model("m")
        for _ in range(3):
            mltrack.log_metric("x", 1.0, model_id=model.model_id)
    assert len(mltrack.get_metric_history(run.info.run_id, "x")) == 3
    assert len(mltrack.get_logged_model(model.model_id).metrics) == 3


def test_a_client_that_says_a_time_says_the_same_point_again(mltrack):
    client = Client()
    run_id = client.create_run("0").info.run_id
    for _ in range(2):
        client.log_metric(run_id, "x", 1.0, timestamp=5_000)
    assert len(client.get_metric_history(run_id, "x")) == 1


async def test_tasks_that_log_to_one_metric(mltrack):
    async def work():
        for _ in range(100):
            mltrack.log_metric("x", 1.0)
            await asyncio.sleep(0)

    since = time.time_ns() // 10**6
    with mltrack.start_run() as run:
        await asyncio.gather(*(work() for _ in range(10)))
    check(mltrack.get_metric_history(run.info.run_id, "x"), 1000, since)


def test_a_loop_without_steps_spans_the_time_that_it_took(mltrack):
    began = time.time_ns() // 10**6
    with mltrack.start_run() as run:
        for number in range(20_000):
            mltrack.log_metric("loss", 1.0 / (number + 1))
        ended = time.time_ns() // 10**6
    found = mltrack.get_metric_history(run.info.run_id, "loss")
    check(found, 20_000, began)
    assert [point.value for point in found] == [1.0 / (number + 1) for number in range(20_000)]
    assert found[-1].timestamp <= ended
    assert mltrack.get_run(run.info.run_id).data.metrics == {"loss": found[-1].value}


def test_readers_meet_no_point_twice_while_threads_log(mltrack):
    with mltrack.start_run() as run:
        stop = threading.Event()
        counts = []

        def read():
            while not stop.is_set():
                counts.append(len(mltrack.get_metric_history(run.info.run_id, "x")))

        reader = threading.Thread(target=read)
        reader.start()
        for _ in range(2000):
            mltrack.log_metric("x", 0.5)
        stop.set()
        reader.join()
    assert counts == sorted(counts)
    assert len(mltrack.get_metric_history(run.info.run_id, "x")) == 2000


def test_a_store_that_was_put_back_hears_of_no_point_twice(mltrack, tmp_path):
    """What was logged since is gone with the newer store; what is logged from now on follows what is there."""
    mltrack.set_tracking_uri(tmp_path / "store")
    with mltrack.start_run() as run:

        def log(value):
            [mltrack.log_metric("x", value, timestamp=5_000) for _ in range(10)]
            session.flush()

        log(1.0)
        (database,) = (tmp_path / "store").glob("*.db")
        with sqlite3.connect(database) as connection:
            connection.execute("VACUUM INTO ?", (str(tmp_path / "copy.db"),))
        connection.close()
        log(2.0)
        for left in (tmp_path / "store").glob(f"{database.name}-*"):
            left.unlink()
        (tmp_path / "copy.db").replace(database)
        log(3.0)
    found = mltrack.get_metric_history(run.info.run_id, "x")
    assert [(p.ordinal, p.value) for p in found] == [
        (ordinal, 1.0 if ordinal < 10 else 3.0) for ordinal in range(20)
    ]
