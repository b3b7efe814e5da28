"""Autologging in a real kernel: a training never opens a second run beside the cell's."""

import json

import pytest

pytestmark = pytest.mark.kernel

SETUP = """
import mltrack_jupyter as mltrack
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV
from sklearn.tree import DecisionTreeClassifier
X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 0, 1, 1, 1]
"""


@pytest.fixture(scope="module")
def started(kernel):
    reply = kernel.run(SETUP + "%mltrack autolog on")
    assert reply.text == (
        "Autologging: sklearn, xgboost, lightgbm, lightning, keras, statsmodels\n"
    ), reply.errors
    return kernel


@pytest.fixture
def new_runs(started, services):
    """Return a function that returns the runs that were made since."""

    def every():
        started.run("mltrack.flush_async_logging()")
        ids = services.runs.table(max_results=1000).run_ids
        return {run_id: services.runs.get(run_id) for run_id in ids}

    before = set(every())
    return lambda: [run for run_id, run in every().items() if run_id not in before]


def paths(services, run, path=""):
    return {item.path for item in services.run_artifacts.list(run.info.run_id, path).files}


def test_a_tracked_cell_has_one_run_and_nothing_twice(started, services, new_runs):
    reply = started.run(
        "%%track\nmax_depth = 2\nmodel = DecisionTreeClassifier(max_depth=max_depth).fit(X, y)\n"
        "acc = model.score(X, y)"
    )
    [run] = new_runs()
    assert run.info.run_id == reply.run_id
    assert run.info.status.value == "FINISHED"
    assert run.data.params["max_depth"] == "2"
    assert run.data.params["criterion"] == "gini"
    assert [key for key in run.data.params if "." in key] == []
    assert run.data.metrics["acc"] == run.data.metrics["DecisionTreeClassifier_score_X"] == 1.0
    assert run.data.metrics["training_accuracy_score"] == 1.0
    assert paths(services, run) - {"environment"} == {"model", "metric_info.json"}
    assert len(json.loads(run.data.tags["mlflow.log-model.history"])) == 1
    assert json.loads(run.data.tags["mltrack.inferred"])["params"] == []
    assert "mltrack.warnings" not in run.data.tags


def test_register_takes_the_model_that_was_logged(started, services):
    reply = started.run("%%track --register tree\nmodel = DecisionTreeClassifier().fit(X, y)")
    version = services.model_versions.get("tree", "1")
    assert version.run_id == reply.run_id
    assert version.source == f"models:/{version.model_id}"


def test_a_tracked_cell_that_fails_or_searches(started, new_runs):
    started.run("%%track\nGridSearchCV(LogisticRegression(), {'C': [1, 2]}, cv=2).fit(X, y)\n1 / 0")
    runs = new_runs()
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert [run.info.status.value for run in parents] == ["FAILED"]
    assert len(runs) == 3


def test_what_a_cell_logs_by_hand_wins(started, new_runs):
    reply = started.run(
        "%%track\nmltrack.log_param('C', 'mine')\nmltrack.log_metric('training_score', 7)\n"
        "model = LogisticRegression().fit(X, y)"
    )
    assert reply.errors == []
    [run] = new_runs()
    assert (run.data.params["C"], run.data.params["autolog.C"]) == ("mine", "1.0")
    assert run.data.metrics["training_score"] == 7
    assert run.data.metrics["autolog.training_score"] == 1.0


def test_an_ordinary_cell_is_one_run_with_what_is_logged_beside(started, services, new_runs):
    started.run(
        "pca = PCA(1).fit(X)\nmodel = LogisticRegression(C=5).fit(X, y)\n"
        "mltrack.log_metric('acc', accuracy_score(y, model.predict(X)))"
    )
    [run] = new_runs()
    assert run.info.status.value == "FINISHED"
    assert run.data.params["C"] == "5"
    assert run.data.params["PCA.n_components"] == "1"
    assert run.data.metrics["acc"] == run.data.metrics["accuracy_score_X"]
    assert run.data.tags["mlflow.source.type"] == "NOTEBOOK"
    assert run.data.tags["mlflow.autologging"] == "sklearn"
    assert started.value("mltrack.active_run()") == "None"


def test_a_loop_in_a_cell_has_a_run_for_each_model(started, new_runs):
    started.run(
        "for C in (1, 2, 3):\n    model = LogisticRegression(C=C).fit(X, y)\n"
        "    mltrack.log_metric('twice', 2 * C)"
    )
    runs = new_runs()
    assert {run.info.status.value for run in runs} == {"FINISHED"}
    found = sorted((run.data.params["C"], run.data.metrics["twice"]) for run in runs)
    assert found == [("1", 2.0), ("2", 4.0), ("3", 6.0)]


def test_off_again(started, new_runs):
    assert started.run("%mltrack autolog off").text.startswith("Autologging: off\n")
    started.run("LogisticRegression().fit(X, y)")
    assert new_runs() == []
    assert "takes on or off" in str(started.run("%mltrack autolog maybe").messages)
