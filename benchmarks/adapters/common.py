"""The pieces of work, written once over MLflow's names, which both products have.

Each runs in a fresh process: ``python -m benchmarks.adapters.<product> <work>`` in an empty folder.
"""

from __future__ import annotations

import json
import random
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import serving


def first_metric(load: Callable[[], Any]) -> dict[str, float]:
    """Seconds from here until one metric of a new run in a new store is committed."""
    api = load()
    with api.start_run():
        api.log_metric("loss", 1.0)
    return {}


def log_metric(load: Callable[[], Any], count: int = 1000) -> dict[str, float]:
    """Microseconds a call of log_metric takes on the caller's thread."""
    api = load()
    with api.start_run():
        api.log_metric("warm", 0.0)
        times = []
        for step in range(count):
            begin = time.perf_counter()
            api.log_metric("loss", 1.0 / (step + 1), step=step)
            times.append((time.perf_counter() - begin) * 1e6)
    times.sort()
    return {"p50": statistics.median(times), "p99": times[int(len(times) * 0.99)]}


def runs(load: Callable[[], Any], count: int) -> dict[str, float]:
    """Runs a second, each with 10 params, 5 metrics and 3 tags."""
    api = load()
    with api.start_run():
        api.log_metric("warm", 0.0)
    begin = time.perf_counter()
    for number in range(count):
        with api.start_run(run_name=f"run-{number}"):
            api.log_params({f"param{i}": i * number for i in range(10)})
            api.log_metrics({f"metric{i}": i / (number + 1) for i in range(5)})
            api.set_tags({f"tag{i}": number for i in range(3)})
    return {"rate": count / (time.perf_counter() - begin)}


def search(load: Callable[[], Any], count: int) -> dict[str, float]:
    """Milliseconds of a filtered, ordered search among the runs just made."""
    api = load()
    for number in range(count):
        with api.start_run():
            api.log_params({"depth": number % 10})
            api.log_metric("acc", number / count)
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        found = api.search_runs(
            filter_string="params.depth = '4' and metrics.acc > 0.5",
            order_by=["metrics.acc DESC"],
            output_format="list",
        )
        times.append((time.perf_counter() - begin) * 1e3)
    assert found
    return {"p50": statistics.median(times)}


def models(load: Callable[[], Any], count: int) -> dict[str, float]:
    """Milliseconds of CPU that the last models of one run cost, and how many times what the first cost."""
    from sklearn.linear_model import LinearRegression

    api = load()
    model, costs = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]), []
    with api.start_run():
        for number in range(count):
            begin = time.process_time()
            api.log_metrics({f"m{k}": number / 3 for k in range(7)}, step=number)
            api.sklearn.log_model(model, name="model", step=number)
            costs.append((time.process_time() - begin) * 1e3)
    few = max(1, min(20, count // 4))
    last = statistics.median(costs[-few:])
    return {"models": last, "grown": last / statistics.median(costs[1 : few + 1])}


def names(load: Callable[[], Any], read: Callable[[str, str], Any], count: int) -> dict[str, float]:
    """Seconds until the first read of many metrics of which each has a name of its own."""
    api = load()
    begin = time.perf_counter()
    with api.start_run() as run:
        for number in range(count):
            api.log_metric(f"name_{number}", number / 3)
        assert len(read(run.info.run_id, f"name_{count - 1}")) == 1
    return {"names": time.perf_counter() - begin}


def page(load: Callable[[], Any], fill: Callable[..., None], count: int) -> dict[str, float]:
    """Milliseconds until the first 100 of many runs are there, in three orders and filters."""
    api, ids = _filled(load, fill, count)
    questions = {
        "newest": ("", []),
        "filtered": ("params.p0 = '4' and metrics.m1 > 0.5", ["metrics.m0 DESC"]),
        "rare": (f"metrics.m1 > {1 - 20 / count}", ["params.p1"]),
    }
    found = {}
    for name, (text, order) in questions.items():
        times = []
        for _ in range(7):
            begin = time.perf_counter()
            runs = api.search_runs(
                ids, filter_string=text, order_by=order, max_results=100, output_format="list"
            )
            times.append((time.perf_counter() - begin) * 1e3)
            assert runs
        found[name] = statistics.median(times)
    return found


def frame(load: Callable[[], Any], fill: Callable[..., None], count: int) -> dict[str, float]:
    """Seconds until all runs of an experiment are a DataFrame; pandas is imported before."""
    import pandas  # noqa: F401

    api, ids = _filled(load, fill, count)
    api.search_runs(ids, max_results=1)
    begin = time.perf_counter()
    assert len(api.search_runs(ids)) == count
    return {"frame": time.perf_counter() - begin}


def _filled(
    load: Callable[[], Any], fill: Callable[..., None], count: int
) -> tuple[Any, list[str]]:
    fill(count, 10, 5)
    api = load()
    return api, [api.get_experiment_by_name("bench").experiment_id]


def points(
    load: Callable[[], Any], read: Callable[[str, str], Any], log: Callable[..., None], count: int
) -> dict[str, float]:
    """Bytes on disk of a point of ten metrics logged together, and seconds to read one long metric."""
    api = load()
    with api.start_run() as run:
        api.log_metrics({f"m{k}": 0.0 for k in range(10)}, step=-1)
    chance, now = random.Random(1), 1_780_000_000_000
    before = _on_disk()
    for first in range(0, count // 10, 100):
        batch = [
            (f"m{k}", chance.random(), now + 37 * step + k, step)
            for step in range(first, first + 100)
            for k in range(10)
        ]
        log(run.info.run_id, batch)
    size = (_on_disk() - before) / count
    for first in range(0, count, 1000):
        log(
            run.info.run_id,
            [("long", chance.random(), now + i, i) for i in range(first, first + 1000)],
        )
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        assert len(read(run.info.run_id, "long")) == count
        times.append(time.perf_counter() - begin)
    return {"bytes": size, "read": statistics.median(times)}


def _on_disk() -> int:
    total = 0
    for path in [*Path().glob("*.db"), *Path().glob(".mltrack/*.db")]:
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        total += path.stat().st_size
    return total


def serve(command: Callable[[int], list[str]], count: int) -> dict[str, float]:
    """Start-up and size of a server, and the requests a second that it answers without an error."""
    port = serving.free_port()
    with serving.server(command(port), port) as found:
        client = serving.Client(port)
        experiment = client.experiment()
        for number in range(100):
            run = client.run(experiment)
            pairs = [{"key": f"p{k}", "value": str(k * number)} for k in range(5)]
            metrics = [{"key": f"m{k}", "value": k / 3, "timestamp": 1} for k in range(3)]
            client.send(
                f"{serving.RUNS}/log-batch", {"run_id": run, "params": pairs, "metrics": metrics}
            )
        rate = serving.rate
        return {
            **found,
            "search": rate(port, serving.search_runs, experiment, count),
            "batch": rate(port, serving.log_batches, client.experiment(), max(count // 2, 5)),
            "single": rate(port, serving.log_metrics, client.experiment(), 2 * count, clients=1),
        }


@dataclass(frozen=True)
class Product:
    """What a product brings to the pieces of work; how to import it, fill a store, start a server."""

    load: Callable[[], Any]
    imported: Callable[[], Any]
    fill: Callable[[int, int, int], None]
    log: Callable[[str, list[tuple[str, float, int, int]]], None]
    read: Callable[[str, str], Any]
    server: Callable[[int], list[str]]

    def do(self, work: str, count: int) -> dict[str, float]:
        """Do a piece of work."""
        if work == "import":
            self.imported()
            return {"modules": len(sys.modules)}
        if work == "page":
            return page(self.load, self.fill, count)
        if work == "frame":
            return frame(self.load, self.fill, count)
        if work == "points":
            return points(self.load, self.read, self.log, count)
        if work == "names":
            return names(self.load, self.read, count)
        if work == "serve":
            return serve(self.server, count)
        if work == "first":
            return first_metric(self.load)
        plain = {"log_metric": log_metric, "runs": runs, "search": search, "models": models}
        return plain[work](self.load, count)


def main(product: Product) -> None:
    """Do the work that the command line names and print the result."""
    begin = time.perf_counter()
    result = product.do(sys.argv[1], int(sys.argv[2]))
    print(json.dumps({"seconds": time.perf_counter() - begin, **result}))
