"""The pieces of work of logging, which every product does.

``python -m benchmarks.adapters.logging <product> <work> <count>`` in an empty folder.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.adapters.loggers import PRODUCTS, Mlflow, Ours, Product


def loaded(product: Product, count: int) -> dict[str, float]:
    begin, cpu = time.perf_counter(), time.process_time()
    __import__(product.module)
    if product.module == "mltrack_jupyter":  # its names are loaded when they are first used
        from mltrack_jupyter import log_metric, start_run  # noqa: F401
    return {"seconds": time.perf_counter() - begin, "cpu": time.process_time() - cpu}


def first(product: Product, count: int) -> dict[str, float]:
    product.load()
    product.begin()
    product.log("m", 1.0, 0)
    if not isinstance(product, Ours | Mlflow):  # they are durable when the call returns
        product.end()
    return {"cpu": time.process_time(), "at": time.time()}


def calls(product: Product, count: int) -> dict[str, float]:
    product.load()
    product.begin()
    product.log("warm", 0.0, 0)
    log = product.log
    times = _times(lambda step: log("m", 1.0 / (step + 1), step), count)
    return {"p50": statistics.median(times), "p99": times[int(count * 0.99)]}


def tens(product: Product, count: int) -> dict[str, float]:
    """Log ten metrics together."""
    product.load()
    product.begin()
    values = [{f"m{key}": step / (key + 1) for key in range(10)} for step in range(count)]
    product.log_all(values[0], 0)
    return {"p50": statistics.median(_times(lambda n: product.log_all(values[n], n + 1), count))}


def empty(product: Product, count: int) -> dict[str, float]:
    """Begin and end a run with nothing in it."""
    product.load()
    product.begin("warm")
    product.log("warm", 0.0, 0)
    product.end()

    def run(number: int) -> None:
        product.begin(f"run-{number}")
        product.end()

    return {"p50": statistics.median(_times(run, count))}


def _times(call: Callable[[int], object], count: int) -> list[float]:
    """Return how long calls took on the caller's thread (µs), the shortest first."""
    clock, times = time.perf_counter_ns, []
    for number in range(count):
        begin = clock()
        call(number)
        times.append((clock() - begin) / 1000)
    return sorted(times)


def training(product: Product, count: int) -> dict[str, float]:
    """What a metric every 10 ms adds to a loop of pure Python: its calls, and CPU of other threads.

    That is the most that the loop can lose; other threads wait for the disk without it. In percent.
    """
    product.load()
    product.begin()
    product.log("warm", 0.0, 0)
    time.sleep(1)  # what happens once, such as opening a store, is behind us
    clock, log, size = time.perf_counter, product.log, 10_000
    while (begin := clock()) and sum(range(size)) and clock() - begin < 0.01:
        size += 10_000
    worked = logged = 0.0
    others = time.process_time() - time.thread_time()
    for step in range(count):
        begin = clock()
        sum(range(size))
        middle = clock()
        log("m", 1.0 / (step + 1), step)
        worked += middle - begin
        logged += clock() - middle
    others = time.process_time() - time.thread_time() - others
    return {"overhead": 100 * (logged + others) / worked}


def points(product: Product, count: int, width: int = 1) -> dict[str, float]:
    product.load()
    product.begin()
    product.log("warm", 0.0, 0)
    if isinstance(product, Ours):
        product.settle()
    begin, cpu = time.perf_counter(), time.process_time()
    for step in range(count):
        if width == 1:
            product.log("m", 1.0 / (step + 1), step)
        else:
            product.log_all({f"m{key}": step / (key + 1) for key in range(width)}, step)
    product.end()
    if isinstance(product, Ours):
        product.settle()
    return {"seconds": time.perf_counter() - begin, "cpu": time.process_time() - cpu}


def wide(product: Product, count: int) -> dict[str, float]:
    return points(product, count, 10)


def runs(product: Product, count: int) -> dict[str, float]:
    product.load()
    product.begin("warm")
    product.log("warm", 0.0, 0)
    product.end()
    begin, cpu = time.perf_counter(), time.process_time()
    for number in range(count):
        product.begin(f"run-{number}")
        product.describe(
            {f"param{i}": i * number for i in range(10)}, {f"tag{i}": str(number) for i in range(3)}
        )
        product.log_all({f"metric{i}": i / (number + 1) for i in range(5)}, 0)
        product.end()
    if isinstance(product, Ours):
        product.settle()
    seconds = time.perf_counter() - begin
    return {"rate": count / seconds, "cpu": (time.process_time() - cpu) / count}


def fill(product: Product, count: int) -> dict[str, float]:
    """Log many points as fast as the product can; how large is that on the disk?"""
    product.load()
    if isinstance(product, Mlflow):
        from mlflow.entities import Metric

        run = product.api.start_run()
        for first in range(0, count, 1000):
            steps = range(first, min(first + 1000, count))
            batch = [Metric("m", 0.1 * s, 1_780_000_000_000 + s, s) for s in steps]
            product.api.MlflowClient().log_batch(run.info.run_id, metrics=batch)
        product.api.end_run()
    else:
        product.begin()
        for step in range(count):
            product.log("m", 0.1 * step, step)
        product.end()
        if isinstance(product, Ours):
            from mltrack_jupyter.tracking import session

            session.close()
    return {"size": _size()}


def read(product: Product, count: int) -> dict[str, float]:
    """Read a metric in a process that has not read yet, and three times more in the same process."""
    product.load()
    times = []
    for _ in range(4):
        begin = time.perf_counter()
        found = product.read("m")
        times.append(time.perf_counter() - begin)
        assert found == count, found
    return {"seconds": times[0], "again": statistics.median(times[1:])}


def count_points(product: Product, count: int) -> dict[str, float]:
    product.load()
    return {"points": product.read("m")}


def for_ever(product: Product, count: int) -> dict[str, float]:
    """Log until killed, and say after each call that it returned."""
    product.load()
    product.begin()
    for step in range(10**9):
        product.log("m", 0.5, step)
        os.write(1, b"%d\n" % step)
    return {}


def _size() -> int:
    return sum(path.stat().st_size for path in Path().rglob("*") if path.is_file())


WORKS = {
    work.__name__: work
    for work in (
        loaded,
        first,
        calls,
        tens,
        empty,
        training,
        points,
        wide,
        runs,
        fill,
        read,
        count_points,
        for_ever,
    )
}

if __name__ == "__main__":
    chosen = PRODUCTS[sys.argv[1]]()
    sys.modules.update(dict.fromkeys(chosen.hidden))  # type: ignore[arg-type]
    answer = WORKS[sys.argv[2]](chosen, int(sys.argv[3]))
    print(json.dumps(answer), flush=True)
