"""What is logged by hand wins, before a training, during it, and after it; both stay visible."""

import json

import pytest
import xgboost
from mlflow import MlflowClient
from sklearn.linear_model import LogisticRegression


def test_before(script, classes, runs):
    script.sklearn.autolog(log_models=False)
    with script.start_run(tags={"estimator_name": "mine"}):
        script.log_params({"C": "mine", "tol": 0.0001})
        script.log_metric("training_score", 7)
        LogisticRegression().fit(*classes)
    [run] = runs()
    data = run.data
    assert (data.params["C"], data.params["autolog.C"]) == ("mine", "1.0")
    assert data.params["tol"] == "0.0001"
    assert "autolog.tol" not in data.params
    assert data.metrics["training_score"] == 7
    assert data.metrics["autolog.training_score"] <= 1
    assert data.tags["estimator_name"] == "mine"
    assert data.tags["autolog.estimator_name"] == "LogisticRegression"
    theirs = json.loads(data.tags["mltrack.autolog.params"])
    assert "autolog.C" in theirs
    assert not {"C", "tol"} & set(theirs)


def test_in_a_run_that_is_gone_on_with(script, classes, runs):
    with script.start_run() as run:
        script.log_param("C", "mine")
    script.sklearn.autolog(log_models=False)
    with script.start_run(run_id=run.info.run_id):
        LogisticRegression().fit(*classes)
    [run] = runs()
    assert (run.data.params["C"], run.data.params["autolog.C"]) == ("mine", "1.0")


def test_after(script, classes, runs):
    script.sklearn.autolog(log_models=False)
    with script.start_run() as run:
        LogisticRegression().fit(*classes)
        script.log_params({"C": "mine", "tol": "0.0001", "new": 1})
        script.log_param("C", "mine")
        script.log_metric("training_score", 7)
        script.set_tag("estimator_name", "mine")
    [run] = runs()
    data = run.data
    assert (data.params["C"], data.params["autolog.C"]) == ("mine", "1.0")
    assert (data.params["tol"], data.params["new"]) == ("0.0001", "1")
    assert data.metrics["training_score"] == 7
    assert len(script.get_metric_history(run.info.run_id, "training_score")) == 2
    assert data.tags["estimator_name"] == "mine"
    theirs = json.loads(data.tags["mltrack.autolog.params"])
    assert "autolog.C" in theirs
    assert "C" not in theirs


def test_during(script, classes, runs):
    class Mine(xgboost.callback.TrainingCallback):
        def after_iteration(self, model, epoch, evals_log):
            script.log_params({"eta": "mine"})
            script.log_metric("rounds", epoch, step=epoch)
            return False

    script.xgboost.autolog(log_models=False)
    params = {"objective": "binary:logistic", "eta": 0.5}
    xgboost.train(params, xgboost.DMatrix(*classes), 3, callbacks=[Mine()])
    [run] = runs()
    assert run.data.params["eta"] == "mine"
    assert run.data.params["autolog.eta"] == "0.5"
    assert run.data.metrics["rounds"] == 2


@pytest.mark.server
def test_after_on_a_server_of_ours(server, script, classes, environment):
    environment.setenv("MLTRACK_TRACKING_TOKEN", server.token)
    script.set_tracking_uri(server.tracking_uri)
    script.sklearn.autolog(log_models=False)
    with script.start_run() as run:
        LogisticRegression().fit(*classes)
        script.log_param("C", "mine")
    script.flush_async_logging()
    # Another client finds the same.
    environment.setenv("MLFLOW_TRACKING_TOKEN", server.token)
    params = MlflowClient(server.tracking_uri).get_run(run.info.run_id).data.params
    assert (params["C"], params["autolog.C"]) == ("mine", "1.0")
