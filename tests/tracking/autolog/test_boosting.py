"""XGBoost and LightGBM, by their own functions and by their estimators."""

import json
from pathlib import Path

import lightgbm
import pandas
import pytest
import xgboost
from sklearn.model_selection import GridSearchCV

from mltrack_jupyter import RunStatus

PARAMS = {"objective": "binary:logistic", "eval_metric": "logloss", "max_depth": 2}
QUIET = {"objective": "binary", "metric": "binary_logloss", "verbose": -1, "num_leaves": 3}


def matrix(classes, names=None):
    frame = pandas.DataFrame(classes[0], columns=list("abcd")) if names else classes[0]
    return xgboost.DMatrix(frame, classes[1])


def content(script, run, path):
    return Path(script.download_artifacts(run.info.run_id, path)).read_text()


def test_xgboost_train(script, classes, runs, files, steps):
    script.xgboost.autolog()
    data = matrix(classes, names=True)
    kept = []
    booster = xgboost.train(
        PARAMS, data, 4, evals=[(data, "train")], callbacks=kept, verbose_eval=False
    )
    assert kept == []
    [run] = runs()
    assert run.info.status is RunStatus.FINISHED
    assert run.data.params["max_depth"] == "2"
    assert run.data.params["num_boost_round"] == "4"
    assert run.data.tags["mlflow.autologging"] == "xgboost"
    assert steps(run, "train-logloss") == [0, 1, 2, 3]
    assert set(files(run)) == {
        "feature_importance_weight.json",
        "model/model.json",
        "model/signature.json",
    }
    assert json.loads(content(script, run, "feature_importance_weight.json")) == booster.get_score()
    assert '"a"' in json.loads(content(script, run, "model/signature.json"))["inputs"]
    again = xgboost.Booster(
        model_file=script.download_artifacts(run.info.run_id, "model/model.json")
    )
    assert (again.predict(data) == booster.predict(data)).all()
    stored = script.get_run(run.info.run_id).inputs.dataset_inputs
    assert sorted(item.dataset.name for item in stored) == ["dataset", "train"]


def test_xgboost_stops_early_at_its_best(script, classes, runs, steps):
    script.xgboost.autolog(log_models=False, importance_types=["gain", "cover"])
    data = matrix(classes)
    booster = xgboost.train(
        PARAMS | {"eval_metric": "auc"},
        data,
        20,
        evals=[(data, "train")],
        early_stopping_rounds=2,
        verbose_eval=False,
    )
    [run] = runs()
    assert run.data.metrics["best_iteration"] == booster.best_iteration
    stopped = int(run.data.metrics["stopped_iteration"])
    assert steps(run, "train-auc") == [*range(stopped + 1), stopped + 1]
    assert run.data.metrics["train-auc"] == booster.best_score


def test_an_estimator_of_xgboost_is_one_run(script, classes, runs, files, steps):
    script.autolog()
    model = xgboost.XGBClassifier(n_estimators=3, max_depth=2)
    model.fit(*classes, eval_set=[classes], verbose=False)
    [run] = runs()
    assert run.data.params["max_depth"] == "2"
    assert run.data.tags["estimator_name"] == "XGBClassifier"
    assert steps(run, "validation_0-logloss") == [0, 1, 2]
    assert "model/MLmodel" in files(run)
    loaded = script.load_model(f"runs:/{run.info.run_id}/model")
    assert (loaded.predict(classes[0]) == model.predict(classes[0])).all()


def test_a_search_over_boosters_is_one_run_with_children(script, classes, runs):
    script.autolog(max_tuning_runs=1, log_models=False)
    estimator = xgboost.XGBClassifier(n_estimators=2)
    GridSearchCV(estimator, {"max_depth": [1, 2]}, cv=2).fit(*classes)
    parent, child = runs()
    assert parent.data.tags["estimator_name"] == "GridSearchCV"
    assert child.data.tags["estimator_name"] == "XGBClassifier"


def test_lightgbm_train(script, classes, runs, files, steps):
    script.lightgbm.autolog()
    data = lightgbm.Dataset(classes[0], classes[1])
    booster = lightgbm.train(QUIET, data, 4, valid_sets=[data], valid_names=["train"])
    [run] = runs()
    assert run.data.params["num_leaves"] == "3"
    assert run.data.params["num_boost_round"] == "4"
    assert steps(run, "train-binary_logloss") == [0, 1, 2, 3]
    assert set(files(run)) == {
        "feature_importance_split.json",
        "feature_importance_gain.json",
        "model/model.txt",
        "model/signature.json",
    }
    again = lightgbm.Booster(
        model_file=script.download_artifacts(run.info.run_id, "model/model.txt")
    )
    assert (again.predict(classes[0]) == booster.predict(classes[0])).all()


def test_lightgbm_stops_early_at_its_best(script, classes, runs):
    script.lightgbm.autolog(log_models=False)
    data = lightgbm.Dataset(classes[0], classes[1])
    valid = data.create_valid(classes[0][:20], 1 - classes[1][:20])
    stop = lightgbm.early_stopping(2, verbose=False)
    booster = lightgbm.train(QUIET, data, 40, valid_sets=[valid], callbacks=[stop])
    [run] = runs()
    assert 0 < booster.best_iteration < 40
    assert (
        run.data.metrics["valid_0-binary_logloss"]
        == booster.best_score["valid_0"]["binary_logloss"]
    )
    assert run.data.metrics["best_iteration"] == booster.best_iteration


def test_an_estimator_of_lightgbm_is_one_run(script, classes, runs, steps, files):
    script.autolog()
    model = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1)
    model.fit(*classes, eval_set=[classes])
    [run] = runs()
    assert run.data.params["num_boost_round"] == "3"
    assert len(steps(run, "training-binary_logloss")) == 3
    assert "model/MLmodel" in files(run)


@pytest.mark.parametrize(
    ("error", "status"), [(RuntimeError("stop"), "FAILED"), (KeyboardInterrupt(), "KILLED")]
)
def test_a_training_that_breaks_off(script, classes, runs, steps, error, status):
    class Break(xgboost.callback.TrainingCallback):
        def after_iteration(self, model, epoch, evals_log):
            if epoch == 1:
                raise error
            return False

    script.autolog()
    data = matrix(classes)
    with pytest.raises(type(error)) as caught:
        xgboost.train(
            PARAMS, data, 4, evals=[(data, "train")], callbacks=[Break()], verbose_eval=False
        )
    assert caught.value is error
    [run] = runs()
    assert run.info.status.value == status
    assert steps(run, "train-logloss")[0] == 0


def test_names_with_signs_that_no_store_takes(script, classes, runs):
    script.lightgbm.autolog(log_models=False)
    data = lightgbm.Dataset(classes[0], classes[1], group=[30, 30])
    params = {"objective": "lambdarank", "metric": "ndcg", "eval_at": [2], "verbose": -1}
    lightgbm.train(params, data, 2, valid_sets=[data], valid_names=["v"])
    [run] = runs()
    assert "v-ndcg_at_2" in run.data.metrics
