"""``%mltrack`` on a store in a temporary folder."""

import pytest
from IPython.core.error import UsageError

from mltrack_jupyter.magics.verbs import VERBS, run_verb
from mltrack_jupyter.tracking import fluent
from mltrack_jupyter.widgets import VIEW_TYPE


@pytest.fixture
def runs(tmp_path, monkeypatch):
    for name in ("MLFLOW_EXPERIMENT_NAME", "MLTRACK_EXPERIMENT_NAME", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    fluent.set_tracking_uri(tmp_path / ".mltrack")
    ids = []
    for depth in (2, 3):
        with fluent.start_run(run_name=f"depth-{depth}") as run:
            fluent.log_param("depth", depth)
            fluent.log_metric("acc", depth / 10)
        ids.append(run.info.run_id)
    yield ids
    fluent.services().close()


def view_of(shown):
    return shown.bundle()[VIEW_TYPE]


def test_alone_it_lists_the_verbs(runs, capsys):
    run_verb("", {})
    said = capsys.readouterr().out
    assert all(f"%mltrack {name}" in said for name in VERBS)


def test_a_wrong_verb(runs):
    with pytest.raises(UsageError, match=r"Did you mean %mltrack compare\?"):
        run_verb("comapre", {})


def test_runs(runs):
    assert view_of(run_verb("runs", {}))["run_ids"] == runs[::-1]
    shown = run_verb("runs metrics.acc > 0.25 and params.depth = '3'", {})
    assert view_of(shown) == {"version": 1, "run_ids": [runs[1]], "view": {"kind": "runs"}}
    assert view_of(run_verb('runs "metrics.acc > 0.25"', {}))["run_ids"] == [runs[1]]
    assert "No runs" in repr(run_verb("runs metrics.acc > 9", {}))
    with pytest.raises(UsageError, match="%mltrack runs"):
        run_verb("runs metrics.acc >", {})


def test_compare(runs):
    assert view_of(run_verb("compare", {}))["run_ids"] == runs[::-1]
    shown = view_of(
        run_verb(f"compare --color metrics.acc --axes depth,acc {runs[0]} {runs[1]}", {})
    )
    assert shown["run_ids"] == runs
    assert shown["view"] == {
        "kind": "compare",
        "axes": ["params.depth", "metrics.acc"],
        "color": "metrics.acc",
    }
    for wrong, said in (
        ("compare --axes nope", "nope"),
        ("compare metrics.acc > 9", "no such runs"),
        ("compare --colour x", "unknown option"),
    ):
        with pytest.raises(UsageError, match=said):
            run_verb(wrong, {})


def test_open(runs):
    assert view_of(run_verb(f"open {runs[0]}", {}))["view"] == {"kind": "run"}
    with pytest.raises(UsageError, match="%mltrack open"):
        run_verb("open " + "0" * 32, {})
    with pytest.raises(UsageError, match="one run id"):
        run_verb("open", {})


def test_register(runs):
    with pytest.raises(UsageError, match="register"):
        run_verb(f"register {runs[0]} iris", {})
    with pytest.raises(UsageError, match="--alias"):
        run_verb(f"register {runs[0]} iris --allias x", {})
    with pytest.raises(UsageError, match="NAME"):
        run_verb(f"register {runs[0]}", {})


def test_experiment(runs, capsys):
    run_verb("experiment 'my models'", {})
    assert "my models" in capsys.readouterr().out
    assert fluent.current_experiment().name == "my models"
