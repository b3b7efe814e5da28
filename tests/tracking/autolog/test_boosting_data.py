"""What a user gives XGBoost and LightGBM is theirs: looked at where that costs nothing, else left alone."""

import lightgbm
import pytest
import xgboost
from sklearn import metrics

PARAMS = {"objective": "binary:logistic", "eval_metric": "logloss", "max_depth": 2}
QUIET = {"objective": "binary", "metric": "binary_logloss", "verbose": -1, "num_leaves": 3}
pytestmark = pytest.mark.filterwarnings("ignore::lightgbm.sklearn.LGBMDeprecationWarning")


def evaluated(script, run):
    inputs = script.get_run(run.info.run_id).inputs.dataset_inputs
    return sorted(item.dataset.name for item in inputs if item.tags[0].value == "eval")


def test_iterators_are_left_to_xgboost(script, classes, runs):
    script.xgboost.autolog(log_models=False)
    data = xgboost.DMatrix(*classes)
    results = {}
    xgboost.train(
        PARAMS,
        data,
        4,
        evals=zip([data, data], ["train", "val"], strict=True),
        early_stopping_rounds=2,
        evals_result=results,
        callbacks=(item for item in ()),
        verbose_eval=False,
    )
    assert set(results) == {"train", "val"}
    [run] = runs()
    assert {"train-logloss", "val-logloss"} <= set(run.data.metrics)
    assert "mltrack.autolog.warnings" not in run.data.tags


def test_iterators_are_left_to_lightgbm(script, classes, runs):
    script.lightgbm.autolog(log_models=False)
    data = lightgbm.Dataset(*classes)
    valid = data.create_valid(classes[0][:20], 1 - classes[1][:20])
    stop = lightgbm.early_stopping(2, verbose=False)
    lightgbm.train(
        QUIET,
        data,
        40,
        valid_sets=(item for item in [valid]),
        callbacks=(item for item in [stop]),
    )
    [run] = runs()
    assert run.data.metrics["best_iteration"] < 40
    assert "mltrack.autolog.warnings" not in run.data.tags


def test_what_xgboost_refuses_it_refuses_itself(script, classes):
    data = xgboost.DMatrix(*classes)
    with pytest.raises(Exception) as plain:
        xgboost.train("bad", data, 2)
    script.xgboost.autolog()
    with pytest.raises(plain.type) as caught:
        xgboost.train("bad", data, 2)
    assert str(caught.value) == str(plain.value)


@pytest.mark.parametrize("kind", [xgboost.XGBClassifier, lightgbm.LGBMClassifier])
def test_measurements_after_a_fit(script, classes, runs, kind):
    script.autolog(log_models=False)
    X, y = classes
    model = kind(n_estimators=2, n_jobs=1).fit(X, y)
    model.score(X, y)
    accuracy = metrics.accuracy_score(y, model.predict(X))
    [run] = runs()
    assert run.data.metrics[f"{kind.__name__}_score_X"] == accuracy
    assert run.data.metrics["accuracy_score_X"] == accuracy
    assert "mltrack.autolog.warnings" not in run.data.tags


def test_one_dataset_without_a_list_around_it(script, classes, runs):
    script.lightgbm.autolog(log_models=False)
    data = lightgbm.Dataset(*classes)
    lightgbm.train(QUIET, data, 2, valid_sets=data.create_valid(*classes), valid_names="val")
    [run] = runs()
    assert evaluated(script, run) == ["val"]
    assert "val-binary_logloss" in run.data.metrics
    assert "mltrack.autolog.warnings" not in run.data.tags


@pytest.mark.parametrize(
    "given",
    [
        lambda X, y: {"eval_set": (X, y)},
        lambda X, y: {"eval_set": [(X, y)]},
        lambda X, y: {"eval_X": X, "eval_y": y},
        lambda X, y: {"eval_X": (X,), "eval_y": (y,)},
    ],
)
def test_the_ways_to_name_what_lightgbm_measures(script, classes, runs, given):
    script.lightgbm.autolog(log_models=False)
    X, y = classes
    lightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit(X, y, **given(X[:30], y[:30]))
    [run] = runs()
    assert evaluated(script, run) == ["validation_0"]
    assert "mltrack.autolog.warnings" not in run.data.tags


def test_rounds_of_an_earlier_training_count(script, classes, runs):
    X, y = classes
    data, valid = xgboost.DMatrix(X, y), xgboost.DMatrix(X[:20], 1 - y[:20])
    first = xgboost.train(PARAMS, data, 6)
    script.xgboost.autolog(log_models=False)
    more = {"evals": [(valid, "val")], "early_stopping_rounds": 2, "verbose_eval": False}
    booster = xgboost.train(PARAMS, data, 9, xgb_model=first, **more)
    [run] = runs()
    assert run.data.metrics["best_iteration"] == booster.best_iteration >= 6
    assert run.data.metrics["stopped_iteration"] == booster.best_iteration + 2
    assert run.data.metrics["val-logloss"] == booster.best_score


def test_rounds_of_an_earlier_lightgbm_count(script, classes, runs):
    data = lightgbm.Dataset(*classes, free_raw_data=False)
    valid = data.create_valid(classes[0][:20], 1 - classes[1][:20])
    first = lightgbm.train(QUIET, data, 6)
    script.lightgbm.autolog(log_models=False)
    stop = lightgbm.early_stopping(2, verbose=False)
    booster = lightgbm.train(QUIET, data, 9, valid_sets=[valid], init_model=first, callbacks=[stop])
    [run] = runs()
    assert run.data.metrics["best_iteration"] == booster.best_iteration > 6
    assert run.data.metrics["stopped_iteration"] == booster.best_iteration + 2
    best = booster.best_score["valid_0"]["binary_logloss"]
    assert run.data.metrics["valid_0-binary_logloss"] == best
