"""Scripts in the manner of MLflow's tutorials run unchanged, and leave the same behind.

Each script runs twice, with the real mlflow and with this package under its name; what it prints, and what
its store holds afterwards, is compared.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import clean_environment

pytest.importorskip("mlflow")
pytest.importorskip("sklearn")
pytestmark = pytest.mark.timeout(600)

HERE = Path(__file__).parent
SCRIPTS = sorted(path.stem for path in (HERE / "tutorials").glob("*.py"))
LIBRARIES = {"theirs": "mlflow", "ours": "mltrack_jupyter"}


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """Run every script with both libraries at once, each in a store of its own."""
    started = {}
    for side, library in LIBRARIES.items():
        folder = tmp_path_factory.mktemp(side)
        command = [sys.executable, str(HERE / "tutorial_runner.py"), library, *SCRIPTS]
        started[side] = subprocess.Popen(
            command,
            cwd=folder,
            env=clean_environment()
            | {"MPLBACKEND": "agg", "PYTHONWARNINGS": "ignore", "MLTRACK_RECORD_ENVIRONMENT": "0"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    found = {}
    for side, process in started.items():
        output, errors = process.communicate(timeout=500)
        assert process.returncode == 0, errors[-3000:]
        found[side] = json.loads(output.splitlines()[-1])
    return found


@pytest.mark.parametrize("script", SCRIPTS)
def test_it_prints_the_same(left, script):
    ours, theirs = left["ours"][script], left["theirs"][script]
    assert ours["printed"] == theirs["printed"]
    assert len(ours["printed"]) >= 2


@pytest.mark.parametrize("script", SCRIPTS)
def test_it_leaves_the_same_runs(left, script):
    ours, theirs = left["ours"][script]["runs"], left["theirs"][script]["runs"]
    assert sorted(ours) == sorted(theirs) != []
    for name, run in theirs.items():
        assert ours[name] == run


@pytest.mark.parametrize("script", SCRIPTS)
def test_it_leaves_the_same_models(left, script):
    assert left["ours"][script]["models"] == left["theirs"][script]["models"]


def test_it_leaves_the_same_registered_models(left):
    assert left["ours"]["registered"] == left["theirs"]["registered"] != []
