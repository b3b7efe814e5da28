"""The n-th write, sync, rename … fails: one of our errors or success, and nothing acknowledged is lost.

A few of the n by default; with SOAK=1 every one, up to 320 of a kind (SHARE=1/2 does a half of them).
"""

import errno
import json
import os
import shutil
import subprocess
import sys

import pytest
from conftest import clean_environment
from faults.conftest import HERE, intact, recover_all

from mltrack_jupyter.errors import NotFound
from mltrack_jupyter.store import open_store

COMPILER = shutil.which("gcc") or shutil.which("cc")
pytestmark = [
    pytest.mark.skipif(
        sys.platform != "linux", reason="the library that lets calls fail is Linux's"
    ),
    pytest.mark.skipif(
        COMPILER is None, reason="needs gcc or cc to build the library that lets calls fail"
    ),
    pytest.mark.timeout(3000),
]
FILE = "0123456789abcdef" * 20_000
MOST = 320
"""How many calls of a kind fail, each in a run of its own, at most."""
WORKS = ["first", "batches", "files", "many", "experiments"]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    path = tmp_path_factory.mktemp("library") / "failing.so"
    source = HERE / "failing.c"
    command = [COMPILER, "-shared", "-fPIC", "-O1", "-o", path, source, "-ldl"]
    subprocess.run(command, check=True)
    return path


def work(folder, library, name, **failing):
    """Do a piece of work in a new folder; return what it said."""
    folder.mkdir()
    settings = {"LD_PRELOAD": str(library), "FAIL_BELOW": str(folder / "store")}
    settings |= {"MLTRACK_TRACKING_URI": str(folder / "store")}
    done = subprocess.run(
        [sys.executable, HERE / "workload.py", name],
        cwd=folder, env=clean_environment() | settings | failing, capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def check(folder, said):
    """Check that the store opens and has what was acknowledged."""
    assert said[-1] == ["finished"]
    for what, *rest in said:
        if what == "error":
            assert len(rest[1]) > 20, "a message says what to do"
    done = {rest[0] for what, *rest in said if what == "done"}
    (run_id,) = (rest[0] for what, *rest in said if what == "id")
    services = open_store(folder / "store")
    recover_all(folder / "store" / "journals", services)
    try:
        run = services.runs.get(run_id)
        points = list(services.metrics.history(run_id, "m"))
        steps = [point.step for point in points]
        assert len(steps) == len(set(steps)), "doubled"
        for name in done - {"run", "end", "read", "search", "experiment"}:
            kind, number = name[0], int(name[1:])
            if kind == "m":
                assert number in steps
            elif kind == "f":
                with services.run_artifacts.read(run_id, f"{name}.txt").file as file:
                    assert file.read().decode() == FILE
            else:
                found = run.data.params if kind == "p" else run.data.tags
                assert found[name] == str(number)
        for name in {"f0", "f1"} - done:
            _check_whole_or_absent(services, run_id, name)
        if "end" in done:
            assert run.info.status == "FINISHED"
    finally:
        services.close()
    assert intact(folder / "store" / "mltrack.db")


def _check_whole_or_absent(services, run_id, name):
    try:
        with services.run_artifacts.read(run_id, f"{name}.txt").file as file:
            assert file.read().decode() == FILE
    except NotFound:
        pass


def spread(count, most):
    """Return the numbers from 1 to ``count``, or so many of them, evenly."""
    if count <= most:
        return range(1, count + 1)
    return sorted({1 + place * (count - 1) // (most - 1) for place in range(most)})


def chosen(counts, at_most):
    """Return which calls fail: (kind, n); with SOAK=1 all of them, up to ``MOST`` of a kind."""
    every = [(kind, n) for kind, count in counts for n in range(1, count + 1)]
    if os.environ.get("SOAK"):
        part, parts = map(int, os.environ.get("SHARE", "1/1").split("/"))
        # A record is a call by itself: of many thousand alike so many are taken, from the first to the last.
        some = [(kind, n) for kind, count in counts for n in spread(count, MOST)]
        return some[part - 1 :: parts]
    return [every[place * len(every) // at_most] for place in range(at_most)]


@pytest.mark.parametrize("name", WORKS)
def test_the_nth_call_fails(tmp_path, library, name):
    counted = tmp_path / "count"
    said = work(tmp_path / "plain", library, name, FAIL_COUNT=str(counted))
    assert [line for line in said if line[0] == "error"] == []
    check(tmp_path / "plain", said)
    counts = [(kind, int(n)) for kind, n in map(str.split, counted.read_text().splitlines())]
    assert sum(n for _, n in counts) > 10, "the library saw nothing"
    wrong = []
    tried = chosen(counts, 2)
    for kind, n in tried:
        error = errno.ENOSPC if n % 2 else errno.EIO
        folder = tmp_path / f"{kind}{n}"
        failing = {"FAIL_CALL": kind, "FAIL_AT": str(n), "FAIL_WITH": str(error)}
        try:
            check(folder, work(folder, library, name, **failing))
        except Exception as failure:
            wrong.append(f"{kind} {n} with {errno.errorcode[error]}: {failure!r}"[-1500:])
        shutil.rmtree(folder)
    print(f"{name}: {len(tried)} of {sum(n for _, n in counts)} calls failed; {len(wrong)} wrong")
    assert wrong == [], "\n\n".join(wrong)
