"""The commands on a store that may only be read."""

import os

import pytest
from rights import fill

from mltrack_jupyter.cli import main

pytestmark = pytest.mark.skipif(os.name == "nt", reason="mounts of POSIX")


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        (["runs", "list"], 0, "FINISHED"),
        (["experiments", "list"], 0, "Default"),
        (["models", "list"], 0, "model"),
        (["doctor"], 1, "its file system is mounted read-only"),
        (["db", "check"], 0, "integrity    ok"),
        (["db", "upgrade"], 1, "can only be read"),
        (["sync"], 1, "can only be read"),
    ],
)
def test_commands(shared, mounted, monkeypatch, capsys, caplog, command, code, says):
    fill(shared)
    mounted(shared)
    monkeypatch.setenv("MLTRACK_TRACKING_URI", str(shared))
    assert main(command) == code
    shown = capsys.readouterr()
    said = shown.out + shown.err
    assert says in said
    assert (said + caplog.text).count("nothing will be recorded there") <= 1
