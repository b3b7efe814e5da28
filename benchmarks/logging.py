"""Logging beside the peers, in one run: ``python -m benchmarks.logging [--quick] [--peers FOLDER]``.

A peer takes part if it can be imported, or is in a folder of its own below ``--peers`` (as ``pip install
--target FOLDER/trackio trackio`` makes it). The products take turns, each time in a fresh process and an
empty folder; the medians are compared.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PRODUCTS = ("ours", "bare", "mlflow", "trackio", "wandb", "aim", "dvclive", "tensorboardX")


@dataclass(frozen=True)
class Row:
    """A piece of work and the figure of it that is compared; ``slow`` is how much of it slow products do.

    ``owed`` is how many times better than others we are to be, and ``most`` how large ours may be.
    """

    name: str
    work: str
    figure: str
    unit: str
    count: int = 1
    slow: int = 0
    more_is_better: bool = False
    owed: Mapping[str, float] = field(default_factory=dict)
    most: float | None = None


ROWS = [
    Row("import of what starts a run", "loaded", "seconds", "s"),
    Row("the same, CPU", "loaded", "cpu", "s", most=0.06, owed={"mlflow": 20}),
    Row("start to first durable metric", "first", "wall", "s", owed={"tensorboardX": 1}),
    Row("the same, CPU until then", "first", "cpu", "s"),
    Row("`log_metric`, caller, p50", "calls", "p50", "µs", 5_000, 300, owed={"trackio": 2.5}),
    Row("the same, p99", "calls", "p99", "µs", 5_000, 300),
    Row("ten metrics together, caller, p50", "tens", "p50", "µs", 1_000, 100),
    Row("an empty run, caller, p50", "empty", "p50", "µs", 300, 10),
    Row("a loop that logs every 10 ms", "training", "overhead", "% more", 500),
    Row("10,000 points until readable", "points", "seconds", "s", 10_000, 500, owed={"trackio": 7.6}),
    Row("the same, CPU", "points", "cpu", "s", 10_000, 500),
    Row("1,000 steps × 10 metrics", "wide", "seconds", "s", 1000, 100, owed={"trackio": 2.4}),
    Row("the same, CPU", "wide", "cpu", "s", 1000, 100),
    Row("runs of 10 params, 5 metrics, 3 tags", "runs", "rate", "runs/s", 500, 25, True, {"tensorboardX": 6.7}),
    Row("the same, CPU a run", "runs", "cpu", "s", 500, 25),
    Row("read one metric of 100,000 points, new process", "read", "seconds", "s", 100_000, 10_000),
    Row("the same, again (ours: columns)", "read", "again", "s", 100_000, 10_000, owed={"bare": 0.5}),
    Row("bytes on disk per point", "read", "bytes", "B", 100_000, 10_000, most=32),
    Row("acknowledged points lost by `kill -9`", "kill", "lost", "points", most=0),
    Row("of acknowledged points", "kill", "acknowledged", "points"),
]  # fmt: skip
# What takes minutes is done less of, and the figure multiplied.
SLOW = {
    *(("mlflow", work) for work in ("read", "points", "wide", "calls", "tens", "empty", "runs")),
    *((peer, work) for peer in ("trackio", "wandb", "aim", "dvclive") for work in ("empty", "runs")),
    *(("dvclive", work) for work in ("points", "wide", "read")),
}  # fmt: skip


class Bench:
    """Runs pieces of work, and keeps what they came to."""

    def __init__(self, peers: Path | None, quick: bool) -> None:
        self.peers, self.quick = peers, quick
        self._found: dict[tuple[str, str, int], dict[str, float]] = {}

    def has(self, product: str) -> bool:
        try:
            self._run(product, "loaded", 1, ROOT)
        except RuntimeError as error:
            if product == "ours":
                raise
            print(
                f"{product} takes no part: {str(error).strip().splitlines()[-1]}", file=sys.stderr
            )
            return False
        return True

    def figure(self, product: str, row: Row, turn: int) -> float:
        """Return a figure; works that several rows are of are done once a turn."""
        place = product, row.work, turn
        count = row.slow if (product, row.work) in SLOW else row.count
        count = min(count, 100) if self.quick else count
        if place not in self._found:
            self._found[place] = self._measure(product, row.work, count)
        value = self._found[place].get(row.figure, float("nan"))
        figures, works = ("seconds", "again", "cpu"), ("points", "wide", "read")
        scaled = row.figure in figures and row.work in works
        return value * row.count / count if scaled and not self.quick else value

    def _measure(self, product: str, work: str, count: int) -> dict[str, float]:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            if work == "kill":
                return self._kill(product, folder)
            if work != "read":
                return self._run(product, work, count, folder)
            size = self._run(product, "fill", count, folder)["size"]
            # A store with a few points in it has everything else that one with many has.
            with tempfile.TemporaryDirectory() as other:
                size -= self._run(product, "fill", count // 100, Path(other))["size"]
            filled = {"bytes": size / (count - count // 100)}
            try:
                return filled | self._run(product, work, count, folder)
            except RuntimeError:
                return filled

    def _kill(self, product: str, folder: Path) -> dict[str, float]:
        """Kill a process in the middle of logging; how many points are there of those it logged?"""
        process = subprocess.Popen(
            self._command(product, "for_ever", 1), cwd=folder, env=self._environment(product, folder),
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        said = [process.stdout.readline()]
        reader = threading.Thread(target=lambda: said.extend(process.stdout))
        reader.start()
        time.sleep(0.2 if self.quick else random.uniform(1.5, 2.5))
        os.killpg(process.pid, 9)
        process.wait()
        reader.join()
        acknowledged = sum(line.endswith(b"\n") for line in said)
        there = self._run(product, "count_points", 1, folder)["points"]
        return {"acknowledged": acknowledged, "lost": max(0, acknowledged - there)}

    def _command(self, product: str, work: str, count: int) -> list[str]:
        return [sys.executable, "-m", "benchmarks.adapters.logging", product, work, str(count)]

    def _environment(self, product: str, folder: Path) -> dict[str, str]:
        # What is compiled stays so, as it is after an install.
        hidden = ("MLTRACK_", "MLFLOW_", "WANDB_", "TRACKIO_", "PYTHONDONTWRITEBYTECODE")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
        peer = self.peers / product if self.peers else None
        paths = [str(ROOT), *([str(peer)] if peer and peer.is_dir() else [])]
        return kept | {
            "PYTHONPATH": os.pathsep.join(paths),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLTRACK_STATE_DIR": str(folder / "state"),  # what other processes left is none of it
        }

    def _run(self, product: str, work: str, count: int, folder: Path) -> dict[str, float]:
        begin = time.time()
        done = subprocess.run(
            self._command(product, work, count), cwd=folder, env=self._environment(product, folder),
            capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:] or "it failed")
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        answer: dict[str, float] = json.loads(lines[-1])  # peers have a last word, too
        return answer | {"wall": answer.get("at", time.time()) - begin}


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little of everything: does it run?")
    parser.add_argument("--repeat", type=int, default=3, help="turns of each product")
    parser.add_argument("--peers", type=Path, help="a folder with a folder of each peer's packages")
    parser.add_argument("--products", nargs="*", default=PRODUCTS, help="who takes part")
    parser.add_argument("--works", nargs="*", help="which pieces of work, by the words in ROWS")
    options = parser.parse_args()
    bench = Bench(options.peers.absolute() if options.peers else None, options.quick)
    products = [product for product in options.products if bench.has(product)]
    print(f"| work | {' | '.join(products)} | owed |\n|---|{'---|' * len(products)}---|")
    rows = [row for row in ROWS if not options.works or row.work in options.works]
    for row in rows:
        values: dict[str, list[float]] = {product: [] for product in products}
        for turn in range(1 if options.quick else options.repeat):
            for product in products:
                try:
                    values[product].append(bench.figure(product, row, turn))
                except (RuntimeError, subprocess.TimeoutExpired) as error:
                    print(f"{product}, {row.name}: {error}", file=sys.stderr)
        found = {product: middle(some) for product, some in values.items()}
        cells = [cell(row, found["ours"], value) for value in found.values()]
        print(f"| {row.name} | {' | '.join(cells)} | {owed(row, found)} |", flush=True)


def middle(found: list[float]) -> float | None:
    """Return the median, ``None`` for what a product cannot do."""
    known = [value for value in found if value == value]
    return statistics.median(known) if known else None


def times_better(row: Row, ours: float, value: float) -> float:
    """Return how many times better we are."""
    better, worse = (ours, value) if row.more_is_better else (value, ours)
    return better / worse if worse else float("inf")


def cell(row: Row, ours: float | None, value: float | None) -> str:
    """Return a figure and how many times better we are, or ``-`` for what a product cannot do."""
    if value is None:
        return "-"
    if row.work == "kill":
        return f"{value:.0f}"
    shown = "" if value == ours or ours is None else f" ({times_better(row, ours, value):.3g} ×)"
    return f"{value:.3g} {row.unit}{shown}"


def owed(row: Row, found: Mapping[str, float | None]) -> str:
    """Return what a row owes, and whether that is reached."""
    ours = found["ours"]
    if ours is None:
        return ""
    said = []
    for peer, ratio in row.owed.items():
        value = found.get(peer)
        if value is None:
            said.append(f"{ratio} × {peer}: not measured")
        else:
            reached = times_better(row, ours, value)
            said.append(
                f"{ratio} × {peer}: {'' if reached >= ratio else '**missed**, '}{reached:.3g}"
            )
    if row.most is not None:
        said.append(f"≤ {row.most} {row.unit}: {'yes' if ours <= row.most else '**missed**'}")
    return "; ".join(said)


if __name__ == "__main__":
    main()
