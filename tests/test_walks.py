"""How far a call goes through the package can be counted, and comes to the same each time."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "scripts" / "walks.py"


def walks(*names):
    """Count walks in a process of its own and return the rows of the table by their first column."""
    done = subprocess.run(
        [sys.executable, SCRIPT, *names], capture_output=True, text=True, timeout=200, check=False
    )
    lines = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()]
    return done, {row[0]: [int(cell.replace(",", "")) for cell in row[1:]] for row in lines[2:]}


def test_five_walks_are_counted():
    done, rows = walks()
    assert done.returncode == 0, done.stderr
    assert list(rows) == [
        "journal to the commit",
        "filter text to SQL",
        "a %%track cell with a model",
        "load_model",
        "artifact upload",
    ]
    for calls, functions, files, switches, transactions in rows.values():
        assert calls >= functions >= files > 1
        assert calls > switches >= files - 1
        assert transactions >= 1


@pytest.mark.parametrize("name", ["drain", "upload"])
def test_two_counts_are_the_same(name):
    assert walks(name)[1] == walks(name)[1] != {}


def test_a_walk_that_is_none_is_refused():
    done, _ = walks("drian")
    assert done.returncode == 2
    assert "there is no walk drian; there are drain, search, cell, load, upload" in done.stderr
