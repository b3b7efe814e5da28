"""Imports and exports that are killed, and done again: nothing is there twice, nothing is missing."""

import contextlib
import io
import os
import pty
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from moved import without_folder

from mltrack_jupyter.entities import Metric
from mltrack_jupyter.store import open_store

RUNS = 18


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A store with runs that have histories, files and registered versions."""
    place = tmp_path_factory.mktemp("source") / ".mltrack"
    services = open_store(place)
    services.registered_models.create("reg")
    for number in range(RUNS):
        run_id = services.runs.create("0", start_time=number).info.run_id
        values = [Metric("loss", 1 / (step + 1), step, step) for step in range(200)]
        services.runs.log_batch(run_id, metrics=values)
        for name in ("a", "b/c"):
            body = io.BytesIO(os.urandom(20_000))
            services.artifact_files.upload(f"0/{run_id}/artifacts/{name}", body)
        services.model_versions.create("reg", f"runs:/{run_id}/b", run_id)
    services.close()
    return place


def command(*arguments):
    return [sys.executable, "-m", "mltrack_jupyter.cli", *map(str, arguments)]


def killed_when(ready, *arguments):
    process = subprocess.Popen(command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while process.poll() is None and not ready():
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode


def count(place):
    """Return how many runs a store has, looking from outside."""
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(
            sqlite3.connect(f"file:{place / 'mltrack.db'}?mode=ro", uri=True)
        ) as connection,
    ):
        return connection.execute("SELECT count(*) FROM runs").fetchone()[0]
    return 0


def contents(place):
    services = open_store(place)
    found = {}
    for run in services.runs.search(["0"]):
        run_id = run.info.run_id
        files = []
        for name in ("a", "b/c"):
            with services.run_artifacts.read(run_id, name).file as file:
                files.append(file.read())
        history = services.metrics.history(run_id, "loss").items
        found[run_id] = (repr(without_folder(run)), history, files)
    versions = {
        (item.version, item.run_id, item.source) for item in services.model_versions.search("")
    }
    services.close()
    return found, versions


def test_an_import_that_is_killed_again_and_again(source, tmp_path):
    target = tmp_path / "target"
    codes = [
        killed_when(lambda runs=runs: count(target) >= runs, "import", source, "--into", target)
        for runs in (1, RUNS // 3, RUNS // 2, RUNS - 1)
    ]
    assert codes.count(-signal.SIGKILL) >= 3
    done = subprocess.run(
        command("import", source, "--into", target), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert contents(target) == contents(source)


@pytest.mark.parametrize("name", ["out", "out.zip"])
def test_an_export_that_is_killed(source, tmp_path, name):
    out = tmp_path / name
    begun = tmp_path / (".out.zip.new" if name.endswith("zip") else "out/blobs")
    code = killed_when(
        lambda: begun.exists() and (begun.is_file() or any(begun.iterdir())), "export", source, out
    )
    assert code == -signal.SIGKILL
    if name == "out":
        refused = subprocess.run(
            command("import", out, "--into", tmp_path / "t"), capture_output=True, check=False
        )
        assert b"never finished" in refused.stderr
    else:
        assert not out.exists()
    for arguments in (("export", source, out), ("import", out, "--into", tmp_path / "t")):
        assert subprocess.run(command(*arguments), capture_output=True, check=False).returncode == 0
    assert contents(tmp_path / "t") == contents(source)


def test_a_terminal_sees_how_far_it_is(source, tmp_path):
    master, slave = pty.openpty()
    process = subprocess.Popen(
        command("import", source, "--into", tmp_path / "t"), stderr=slave, stdout=subprocess.DEVNULL
    )
    os.close(slave)
    seen = b""
    with contextlib.suppress(OSError):  # the terminal is closed
        while part := os.read(master, 4096):
            seen += part
    os.close(master)
    assert process.wait() == 0
    assert b" runs, " in seen
    assert seen.count(b"\r\x1b[K") > 2
    assert seen.endswith(b"\r\x1b[K")
