"""The bar of a large file: on a terminal, while it is sent and while it is fetched."""

import os
import subprocess
import sys

import pytest

pty = pytest.importorskip("pty", reason="there are no terminals here")
termios = pytest.importorskip("termios")

pytestmark = pytest.mark.server
SCRIPT = """
import sys
from pathlib import Path
import mltrack_jupyter as mltrack

Path("weights.bin").write_bytes(bytes(int(sys.argv[1])))
with mltrack.start_run() as run:
    mltrack.log_artifact("weights.bin")
fetched = mltrack.download_artifacts(run_id=run.info.run_id, artifact_path="weights.bin", dst_path="back")
assert Path(fetched).stat().st_size == int(sys.argv[1])
"""
LARGE = 11 * 1024 * 1024


@pytest.fixture
def shown(server, tmp_path):
    """Return a function that runs the script, and returns what a person at a terminal sees of it."""

    def run(size, *, terminal=True, **settings):
        named = {
            "MLTRACK_TRACKING_URI": server.tracking_uri,
            "MLTRACK_TRACKING_TOKEN": server.token,
            **settings,
        }
        ours, theirs = pty.openpty() if terminal else os.pipe()
        if terminal:
            termios.tcsetwinsize(theirs, (24, 100))
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(size)],
            cwd=tmp_path,
            env={**os.environ, **named},
            stderr=theirs,
        )
        os.close(theirs)
        seen = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # a terminal that nobody writes to any more
                break
            if not part:
                break
            seen += part
        os.close(ours)
        assert process.wait(60) == 0, seen.decode()
        return seen.decode()

    return run


def test_a_large_file_has_a_bar_each_way(shown):
    seen = shown(LARGE)
    assert "Uploading weights.bin:   0%" in seen
    assert "Uploading weights.bin: 100%" in seen
    assert "Downloading weights.bin: 100%" in seen
    assert "11.0M/11.0M" in seen


def test_there_is_none_where_nobody_looks_or_it_is_switched_off(shown):
    assert "weights.bin" not in shown(LARGE, terminal=False)
    assert "weights.bin" not in shown(LARGE, MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false")


def test_a_small_file_has_none(shown):
    assert "weights.bin" not in shown(1000)
