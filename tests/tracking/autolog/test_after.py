"""Measurements after a fit: they add to the run of the model that was measured."""

import json
import pickle
from pathlib import Path

import pytest
from sklearn import metrics
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score


@pytest.fixture
def fitted(script, classes):
    script.sklearn.autolog(log_models=False)
    return LogisticRegression().fit(*classes)


def test_score_and_metrics_of_predictions(script, fitted, classes, runs):
    X_test, y_test = classes[0][:30], classes[1][:30]
    fitted.score(X_test, y_test)
    predicted = fitted.predict(X_test)
    accuracy = metrics.accuracy_score(y_test, predicted)
    metrics.f1_score(y_test, predicted)
    metrics.accuracy_score(y_test, predicted)
    [run] = runs()
    found = {key: value for key, value in run.data.metrics.items() if "training" not in key}
    assert found == {
        "LogisticRegression_score_X_test": accuracy,
        "accuracy_score_X_test": accuracy,
        "accuracy_score-2_X_test": accuracy,
        "f1_score_X_test": metrics.f1_score(y_test, list(predicted)),
    }
    place = script.download_artifacts(run.info.run_id, "metric_info.json")
    info = json.loads(Path(place).read_text())
    assert info["accuracy_score_X_test"].startswith(
        "accuracy_score(y_true=y_test, y_pred=predicted"
    )
    names = json.loads(run.data.tags["mltrack.autolog.metrics"])
    assert set(found) <= set(names)


def test_data_of_one_name_are_numbered_and_data_without_have_none(fitted, classes, runs):
    for end in (10, 20):
        part = classes[0][:end]
        fitted.score(part, classes[1][:end])
    fitted.score(classes[0][:5], classes[1][:5])
    [run] = runs()
    kept = [key.partition("_score_")[2] for key in run.data.metrics if "_score_" in key]
    assert set(kept) == {"part", "part-2", "unknown_dataset"}


def test_only_what_a_known_model_predicted_counts(fitted, classes, runs):
    X, y = classes
    metrics.accuracy_score(y, y)
    metrics.accuracy_score(y, fitted.predict(X).copy())
    metrics.confusion_matrix(y, fitted.predict(X))
    cross_val_score(fitted, X, y, cv=2)
    [run] = runs()
    assert [key for key in run.data.metrics if not key.startswith("training_")] == []


def test_switched_off_by_its_option(script, classes, runs):
    script.sklearn.autolog(log_models=False, log_post_training_metrics=False)
    model = LogisticRegression().fit(*classes)
    metrics.accuracy_score(classes[1], model.predict(classes[0]))
    model.score(*classes)
    [run] = runs()
    assert [key for key in run.data.metrics if not key.startswith("training_")] == []


def test_each_model_has_its_run(script, numbers, runs):
    script.sklearn.autolog(log_models=False)
    X, y = numbers
    first, second = Ridge(alpha=1).fit(X, y), Ridge(alpha=9).fit(X, y)
    scores = {
        "9": metrics.r2_score(y, second.predict(X)),
        "1": metrics.r2_score(y, first.predict(X)),
    }
    assert {run.data.params["alpha"]: run.data.metrics["r2_score_X"] for run in runs()} == scores


def test_a_scorer_of_a_wrapped_metric_reaches_worker_processes(script, classes, runs):
    script.sklearn.autolog(log_models=False, max_tuning_runs=0)
    scorer = metrics.make_scorer(metrics.accuracy_score)
    pickle.loads(pickle.dumps(scorer))
    GridSearchCV(LogisticRegression(), {"C": [1, 2]}, cv=2, scoring=scorer, n_jobs=2).fit(*classes)
    assert len(runs()) == 1


def test_scorers_are_pickled_whenever_they_were_made(script, classes):
    X, y = classes
    before = metrics.make_scorer(metrics.f1_score)
    script.sklearn.autolog(log_models=False, max_tuning_runs=0)
    during = metrics.make_scorer(metrics.f1_score)
    search = GridSearchCV(LogisticRegression(), {"C": [1, 2]}, cv=2, scoring="accuracy").fit(X, y)
    kept = [before, during, metrics.get_scorer("accuracy"), search]
    on = [pickle.loads(pickle.dumps(item)) for item in kept]
    script.sklearn.autolog(disable=True)
    off = [pickle.loads(pickle.dumps(item)) for item in kept]
    for first, second in zip(on[:3], off[:3], strict=True):
        assert first(search, X, y) == second(search, X, y)
    assert on[3].score(X, y) == off[3].score(X, y)


def test_names_that_a_script_has_imported_before_count(run_script):
    done = run_script("""
import mltrack_jupyter as mltrack
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
kept = [accuracy_score]
mltrack.autolog(log_models=False)
X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
model = LogisticRegression().fit(X, y)
accuracy_score(y, model.predict(X))
print("accuracy_score_X" in mltrack.last_active_run().data.metrics)
mltrack.autolog(disable=True)
print(accuracy_score is kept[0])
""")
    assert done.stdout.split() == ["True", "True"], done.stderr
