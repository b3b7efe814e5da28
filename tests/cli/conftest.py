"""A server as a process of its own, ended by the test that started it."""

import os
import subprocess
import sys

import pytest


def _start(folder, *options):
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ML")}
    process = subprocess.Popen(
        [sys.executable, "-m", "mltrack_jupyter.cli", "server", "--port", "0", *options],
        cwd=folder,
        env={**clean, "JUPYTER_RUNTIME_DIR": str(folder / "runtime")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    url = process.stdout.readline().split()[-1]
    process.stdout.readline()
    given = "--token" in options
    token = "" if given else process.stdout.readline().rpartition("=")[2].strip()
    return process, url, token


def _stop(process, sent):
    process.send_signal(sent)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in errors


@pytest.fixture(scope="session")
def start():
    """Start ``mltrack server`` in a folder; return the process, its address and its token."""
    return _start


@pytest.fixture(scope="session")
def stop():
    """End a server by a signal and see that it ended well."""
    return _stop
