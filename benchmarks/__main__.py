"""Us beside MLflow, in one run: ``python -m benchmarks [--quick] [--repeat N]``.

Every measurement is a fresh process in an empty folder; the products take turns (A B A B …) and the
medians are compared, because absolute times on a shared machine mean little.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Row:
    """A piece of work, which figure of it is compared, and whether more is better."""

    name: str
    work: str
    figure: str
    unit: str
    count: int = 0
    more_is_better: bool = False


ROWS = [
    Row("import", "import", "seconds", "s"),
    Row("process start to first durable metric, new store", "first", "wall", "s"),
    Row("log_metric on the caller's thread, p50", "log_metric", "p50", "µs", 300),
    Row("log_metric on the caller's thread, p99", "log_metric", "p99", "µs", 300),
    Row("500 runs of 10 params, 5 metrics, 3 tags", "runs", "rate", "runs/s", 500, True),
    Row("search of 300 runs by param and metric, ordered, p50", "search", "p50", "ms", 300),
]
QUICK = {"log_metric": 50, "runs": 20, "search": 40}


def measure(product: str, row: Row, count: int) -> dict[str, float]:
    """Do a piece of work with a product once, in a process and a folder of its own."""
    command = [sys.executable, "-m", f"benchmarks.adapters.{product}", row.work, str(count)]
    hidden = ("MLTRACK_", "MLFLOW_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    environment |= {"PYTHONPATH": str(ROOT), "MLFLOW_DISABLE_TELEMETRY": "true"}
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        wall = time.perf_counter() - begin
    if done.returncode:
        raise SystemExit(f"{product} failed at {row.name}:\n{done.stderr[-2000:]}")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return {**result, "wall": wall}


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, one turn: does it run?")
    parser.add_argument("--repeat", type=int, default=3, help="turns of each product")
    options = parser.parse_args()
    products = ["ours", *(["mlflow"] if find_spec("mlflow") else [])]
    turns = 1 if options.quick else options.repeat
    cache: dict[tuple[str, str, int], list[dict[str, float]]] = {}
    print(f"| work | {' | '.join(products)} | ratio |")
    print(f"|---|{'---|' * len(products)}---|")
    for row in ROWS:
        count = QUICK.get(row.work, row.count) if options.quick else row.count
        for _ in range(turns):
            for product in products:
                known = cache.setdefault((product, row.work, count), [])
                if len(known) < turns:
                    known.append(measure(product, row, count))
        values = [
            statistics.median(item[row.figure] for item in cache[product, row.work, count])
            for product in products
        ]
        cells = " | ".join(f"{value:.3g} {row.unit}" for value in values)
        print(f"| {row.name} | {cells} | {ratio(row, values)} |", flush=True)


def ratio(row: Row, values: list[float]) -> str:
    """Return how many times better we are."""
    if len(values) < 2:
        return "(MLflow is not installed)"
    ours, theirs = values[0], values[1]
    return f"{ours / theirs if row.more_is_better else theirs / ours:.1f} ×"


if __name__ == "__main__":
    main()
