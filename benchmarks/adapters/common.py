"""The pieces of work, written once over MLflow's names, which both products have.

Each runs in a fresh process: ``python -m benchmarks.adapters.<product> <work>`` in an empty folder.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any


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


def main(load: Callable[[], Any], imported: Callable[[], Any]) -> None:
    """Do the work that the command line names and print the result."""
    work, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0
    begin = time.perf_counter()
    if work == "import":
        imported()
        result: dict[str, float] = {"modules": len(sys.modules)}
    elif work == "first":
        result = first_metric(load)
    elif work == "log_metric":
        result = log_metric(load, count)
    elif work == "runs":
        result = runs(load, count)
    elif work == "search":
        result = search(load, count)
    else:
        raise SystemExit(f"unknown work {work!r}")
    result["seconds"] = time.perf_counter() - begin
    print(json.dumps(result))
