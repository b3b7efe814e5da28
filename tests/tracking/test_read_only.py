"""Scripts and cells on a store that may only be read: they read it, run, and hear once that nothing is recorded."""

import os

import pytest
from rights import fill, listing

from mltrack_jupyter.tracking import session

pytestmark = pytest.mark.skipif(os.name == "nt", reason="mounts of POSIX")

SCRIPT = """
import logging, sys
import mltrack_jupyter as mltrack
from mltrack_jupyter.errors import StoreUnwritable
run_id = sys.argv[1]
print(mltrack.search_runs(output_format="list")[0].data.metrics)
print(mltrack.artifacts.load_text(f"runs:/{run_id}/f.txt"))
for call in (
    lambda: mltrack.start_run(),
    lambda: mltrack.start_run(run_id=run_id),
    lambda: mltrack.log_metric("m", 1.0),
    lambda: mltrack.log_param("p", 1),
    lambda: mltrack.log_text("text", "t.txt"),
    lambda: mltrack.log_metric("m", 1.0, run_id=run_id),
    lambda: mltrack.set_experiment("new"),
    lambda: mltrack.MlflowClient().set_tag(run_id, "a", "b"),
):
    try:
        call()
    except StoreUnwritable as error:
        assert "nothing will be recorded there" in str(error)
    else:
        raise SystemExit("it was not refused")
assert mltrack.active_run() is None
"""


def test_a_script(shared, mounted, run_script):
    run_id = fill(shared)
    mounted(shared)
    before = listing(shared)
    done = run_script(SCRIPT, run_id, MLTRACK_TRACKING_URI=str(shared))
    assert done.stdout.splitlines() == ["{'m': 0.5}", "content"]
    assert done.stderr.count("nothing will be recorded there") == 1
    assert listing(shared) == before


def test_a_cell_runs_untracked(shared, mounted, run_script):
    fill(shared)
    mounted(shared)
    code = """
from IPython.testing.globalipapp import start_ipython
shell = start_ipython()
shell.run_line_magic("load_ext", "mltrack_jupyter")
shell.run_cell("%mltrack status")
result = shell.run_cell("%%track\\ndepth = 3\\nprint('the cell ran')")
assert result.success and shell.user_ns["depth"] == 3
"""
    done = run_script(code, MLTRACK_TRACKING_URI=str(shared), IPYTHONDIR=str(shared.parent / "ip"))
    said = done.stdout + done.stderr
    assert "the cell ran" in said
    assert "mltrack.db (can only be read)" in said
    assert said.count("this cell is not tracked") == 1
    assert said.count("nothing will be recorded there") == 1


def test_models_are_loaded(shared, mounted, mltrack):
    """By version, by run, and by the id that a logged model has."""
    linear = pytest.importorskip("sklearn.linear_model")
    mltrack.set_tracking_uri(shared)
    with mltrack.start_run() as run:
        fitted = linear.LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0])
        made = mltrack.sklearn.log_model(fitted, name="model", registered_model_name="line")
    session.close()
    mounted(shared)
    before = listing(shared)
    for uri in ("models:/line/1", f"runs:/{run.info.run_id}/model", f"models:/{made.model_id}"):
        assert mltrack.pyfunc.load_model(uri).predict([[2.0]]) == pytest.approx([5.0])
    assert listing(shared) == before
    session.close()
