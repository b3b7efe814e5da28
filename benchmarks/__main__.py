"""Us beside MLflow, in one run: ``python -m benchmarks [ROW ...] [--quick] [--repeat N]``.

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
    """A piece of work, which figure of it is compared, and whether more is better.

    The ``key`` names it on the command line; a product beside ours does at most ``most`` of it.
    """

    key: str
    name: str
    work: str
    figure: str
    unit: str
    count: int = 0
    more_is_better: bool = False
    most: int = 10**9


def _pages() -> list[Row]:
    questions = {
        "newest": "newest first",
        "filtered": "by param and metric, ordered by metric",
        "rare": "by a metric that 20 runs fit, ordered by param",
    }
    return [
        Row(
            f"page-{key}",
            f"first 100 of {size:,} runs: {name}",
            "page",
            key,
            "ms",
            size,
            most=10_000,
        )
        for key, name in questions.items()
        for size in (1_000, 10_000, 100_000)
    ]


_LOAD = 100
ROWS = [
    Row("import", "import", "import", "seconds", "s"),
    Row("first", "process start to first durable metric, new store", "first", "wall", "s"),
    Row("p50", "log_metric on the caller's thread, p50", "log_metric", "p50", "µs", 300),
    Row("p99", "log_metric on the caller's thread, p99", "log_metric", "p99", "µs", 300),
    Row("runs", "500 runs of 10 params, 5 metrics, 3 tags", "runs", "rate", "runs/s", 500, True),
    Row("search", "search of 300 runs by param and metric, ordered", "search", "p50", "ms", 300),
    *_pages(),
    Row("frame", "10,000 runs × 15 columns as a DataFrame", "frame", "frame", "s", 10_000),
    Row("history", "one metric of 100,000 points as columns", "points", "read", "s", 100_000),
    Row("bytes", "bytes on disk of a point", "points", "bytes", "B", 100_000),
    *(
        Row(
            f"models-{count}",
            f"log_model as number {count} of one run, CPU",
            "models",
            "models",
            "ms",
            count,
            most=80,
        )
        for count in (20, 80, 320)
    ),
    Row(
        "grown",
        "the last of 150 models of a run to the first, CPU",
        "models",
        "grown",
        "×",
        150,
        most=80,
    ),
    Row(
        "names",
        "300,000 new names of metrics until the first read",
        "names",
        "names",
        "s",
        300_000,
        most=1000,
    ),
    Row("start", "server: start to first answer", "serve", "seconds", "s", _LOAD),
    Row("processes", "server: processes", "serve", "processes", "", _LOAD),
    Row("memory", "server: memory when started", "serve", "memory", "MiB", _LOAD),
    Row("batch", "log-batch of 100 metrics, 4 clients", "serve", "batch", "req/s", _LOAD, True),
    Row("first-100", "runs/search first 100, 4 clients", "serve", "search", "req/s", _LOAD, True),
    Row("single", "log-metric one by one, 1 client", "serve", "single", "req/s", _LOAD, True),
]
QUICK = {"log_metric": 50, "runs": 20, "search": 40, "page": 200, "frame": 50, "serve": 10}
QUICK |= {"points": 1000, "models": 4, "names": 100}


def measure(product: str, row: Row, count: int) -> dict[str, float]:
    """Do a piece of work with a product once, in a process and a folder of its own."""
    command = [sys.executable, "-m", f"benchmarks.adapters.{product}", row.work, str(count)]
    # What is compiled stays so, as it is after an install.
    hidden = ("MLTRACK_", "MLFLOW_", "PYTHONDONTWRITEBYTECODE")
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


def chosen(names: list[str]) -> list[Row]:
    """Return the rows of these keys (``page`` for all that begin with it), or every row."""
    keys = list(dict.fromkeys(row.key for row in ROWS))
    wanted: set[str] = set()
    for name in names:
        found = [name] if name in keys else [key for key in keys if key.startswith(name)]
        if not found:
            raise SystemExit(f"no row {name!r}; there are {', '.join(keys)}")
        wanted.update(found)
    return [row for row in ROWS if not names or row.key in wanted]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("row", nargs="*", help="rows by their names; all of them by default")
    parser.add_argument("--quick", action="store_true", help="small sizes, one turn: does it run?")
    parser.add_argument("--repeat", type=int, default=3, help="turns of each product")
    options = parser.parse_args()
    peers = [name for name in ("mlflow",) if find_spec(name)] + ["bare"]
    turns = 1 if options.quick else options.repeat
    table = Table(turns, quick=options.quick)
    print(
        f"| work | ours | {' | '.join(peers)} | ours beside {' | beside '.join(peers)} | growth |"
    )
    print(f"|---|---|{'---|' * len(peers) * 2}---|")
    for row in chosen(options.row):
        ours, *others = (
            table.value(product, row, ["ours", *peers]) for product in ["ours", *peers]
        )
        cells = [_shown(value, row.unit) for value in (ours, *others)]
        ratios = [ratio(row, ours, other) for other in others]
        print(f"| {' | '.join([row.name, *cells, *ratios, table.growth(row, ours)])} |", flush=True)


class Table:
    """What was measured, so that figures of one piece of work are measured together."""

    def __init__(self, turns: int, *, quick: bool) -> None:
        self._turns = turns
        self._quick = quick
        self._known: dict[tuple[str, str, int], list[dict[str, float]]] = {}
        self._before: dict[tuple[str, str], tuple[int, float]] = {}

    def value(self, product: str, row: Row, products: list[str]) -> float | None:
        """Return the median of a product; all that take part do the work in turn."""
        count = QUICK.get(row.work, row.count) if self._quick else row.count
        for _ in range(self._turns):
            for name in products:
                known = self._known.setdefault((name, row.work, count), [])
                if len(known) < self._turns and _takes_part(name, row):
                    known.append(measure(name, row, count))
        found = self._known[product, row.work, count]
        return statistics.median(item[row.figure] for item in found) if found else None

    def growth(self, row: Row, ours: float | None) -> str:
        """Return how much more ours took than at the size before, and the factor between the sizes."""
        place = (row.work, row.figure)
        before = self._before.get(place)
        if ours is None or self._quick:
            return ""
        self._before[place] = (row.count, ours)
        if before is None or before[0] == row.count:
            return ""
        return f"{ours / before[1]:.1f} × for {row.count // before[0]} ×"


def _takes_part(product: str, row: Row) -> bool:
    if product == "bare":
        return row.work == "serve"
    return product == "ours" or row.count <= row.most


def _shown(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.3g} {unit}".strip()


def ratio(row: Row, ours: float | None, theirs: float | None) -> str:
    """Return how many times better we are."""
    if ours is None or theirs is None:
        return ""
    return f"{ours / theirs if row.more_is_better else theirs / ours:.2g} ×"


if __name__ == "__main__":
    main()
