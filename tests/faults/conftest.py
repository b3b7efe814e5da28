"""Processes that are killed, and what must be in the store afterwards."""

import importlib.util
import json
import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from conftest import TOKEN, clean_environment

from mltrack_jupyter.errors import NotFound
from mltrack_jupyter.store.journal import recover

HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("writer", HERE / "writer.py")
writer = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(writer)


class Writer:
    """A process that runs ``writer.py`` below a folder."""

    def __init__(self, folder, mode, uri):
        settings = {
            "MLTRACK_TRACKING_URI": str(uri),
            "MLTRACK_TRACKING_TOKEN": TOKEN,
            "MLTRACK_STATE_DIR": str(folder / "state"),
        }
        self.errors = folder / "errors.txt"
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, HERE / "writer.py", mode],
                cwd=folder, env=clean_environment() | settings, stdout=subprocess.PIPE, stderr=errors,
            )  # fmt: skip
        line = self.process.stdout.readline()
        assert line, self.errors.read_text()
        self.run_id = json.loads(line)[1]
        self._said = [self.process.stdout.readline()]  # the first call that opens the store
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        self._said.extend(self.process.stdout)

    def kill(self, after):
        """Kill it after some seconds; return what it said was logged."""
        time.sleep(after)
        self.process.kill()
        return self.end()

    def end(self):
        self.process.wait(120)
        self._reader.join()
        self.process.stdout.close()
        return [tuple(json.loads(line)) for line in self._said if line.endswith(b"\n")]


def check(services, run_id, said):
    """Check that what was acknowledged is there once and whole, and that nothing else is torn."""
    steps = {
        kind: {step for what, step in said if what == kind} for kind in {kind for kind, _ in said}
    }
    run = services.runs.get(run_id)
    _check_points(services, run_id, "m", steps.get("m", set()), lambda step: step * 0.5)
    for key, value in {
        "a": lambda step: step * 0.5,
        "b": lambda step: -step,
        "c": lambda _: 1e300,
    }.items():
        _check_points(services, run_id, key, steps.get("abc", set()), value)
    batches = [{p.step for p in services.metrics.history(run_id, key)} for key in "abc"]
    assert batches[0] == batches[1] == batches[2], "a torn batch"
    params, tags = run.data.params, run.data.tags
    for step in steps.get("params", set()):
        assert params[f"p{step}"] == str(step)
    for key in params:
        assert {f"p{key[1:]}", f"q{key[1:]}"} <= set(params), "a torn batch of params"
    for step in steps.get("tags", set()):
        assert tags[f"t{step}"] == str(step)
    if steps.get("tags"):
        assert int(tags["newest"]) >= max(steps["tags"])
    _check_files(services, run_id, steps)


def _check_points(services, run_id, key, acknowledged, value):
    points = list(services.metrics.history(run_id, key))
    found = Counter(point.step for point in points)
    assert max(found.values(), default=1) == 1, "doubled"
    assert set(found) >= acknowledged, sorted(acknowledged - set(found))[:10]
    # Of what was not acknowledged, at most the call that was cut off.
    assert len(found) <= len(acknowledged) + 1
    assert [point.value for point in points] == [value(point.step) for point in points]


def _check_files(services, run_id, steps):
    for step in steps.get("file", set()):
        path = f"files/{step}.txt" if step % 2 else f"files/{step}/"
        assert _read(services, run_id, path) == writer.content(step)
    for step in steps.get("text", set()):
        assert _read(services, run_id, f"files/{step}.txt") == "x" * 70_000
    last = max(steps.get("file", {0})) + 1  # the call that was cut off: whole or absent
    try:
        found = _read(services, run_id, f"files/{last}.txt" if last % 2 else f"files/{last}/")
    except NotFound:
        return
    assert found in (writer.content(last), None)


def _read(services, run_id, path):
    if path.endswith("/"):
        files = services.run_artifacts.list(run_id, path[:-1]).files
        if not files:
            raise NotFound(path)
        path = files[0].path
    with services.run_artifacts.read(run_id, path).file as file:
        return file.read().decode()


def check_ended(services, run_ids):
    """Check that no run of a killed process is said to be running, where the store can tell."""
    leases = getattr(services, "leases", None)
    if leases is None:
        return
    leases.reap()
    running = [run_id for run_id in run_ids if services.runs.get(run_id).info.status == "RUNNING"]
    assert running == []


def intact(path):
    with sqlite3.connect(path) as connection:
        (said,) = connection.execute("PRAGMA integrity_check").fetchone()
    connection.close()
    return said == "ok"


def kills(short, long):
    """How many kills are asked for: a few, or with SOAK=1 many."""
    return int(os.environ.get("KILLS", long)) if os.environ.get("SOAK") else short


def recover_all(folder, services):
    return recover(folder, lambda: services, services.uri)


@pytest.fixture
def chance():
    """Randomness that a failing test tells how to repeat."""
    seed = int(os.environ.get("SEED", time.time_ns()))
    print(f"SEED={seed}")
    return random.Random(seed)
