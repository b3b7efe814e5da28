"""scikit-learn: what a fit leaves in its run, and which fits have one."""

import json
import threading
import warnings

import joblib
import numpy
import pandas
import pytest
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from mltrack_jupyter import RunStatus


class Broken(DecisionTreeClassifier):
    """A tree that cannot be trained."""

    error = ValueError("no such luck")

    def fit(self, X, y):
        raise self.error


def test_a_classifier(script, classes, runs, files):
    script.sklearn.autolog()
    model = LogisticRegression(C=0.5).fit(*classes)
    [run] = runs()
    assert run.info.status is RunStatus.FINISHED
    assert run.data.params["C"] == "0.5"
    assert set(run.data.params) == set(model.get_params())
    assert run.data.metrics["training_accuracy_score"] == model.score(*classes)
    assert set(run.data.metrics) >= {"training_score", "training_f1_score", "training_log_loss",
                                     "training_roc_auc", "training_precision_score"}  # fmt: skip
    tags = run.data.tags
    assert tags["estimator_name"] == "LogisticRegression"
    assert tags["estimator_class"] == "sklearn.linear_model._logistic.LogisticRegression"
    assert tags["mlflow.autologging"] == "sklearn"
    assert json.loads(tags["mltrack.autolog.params"]) == sorted(run.data.params)
    assert "model/MLmodel" in files(run)
    loaded = script.load_model(f"runs:/{run.info.run_id}/model")
    assert (loaded.predict(classes[0]) == model.predict(classes[0])).all()


def test_a_regressor(script, numbers, runs):
    script.sklearn.autolog(log_models=False)
    Ridge().fit(*numbers)
    [run] = runs()
    assert set(run.data.metrics) == {
        "training_score",
        "training_r2_score",
        "training_mean_squared_error",
        "training_root_mean_squared_error",
        "training_mean_absolute_error",
    }


def test_the_model_has_a_signature_and_an_example(script, classes, runs, files):
    script.sklearn.autolog(log_input_examples=True)
    frame = pandas.DataFrame(classes[0], columns=list("abcd"))
    LogisticRegression().fit(frame, classes[1])
    [run] = runs()
    assert "model/input_example.json" in files(run)
    loaded = script.load_model(f"runs:/{run.info.run_id}/model", flavor="pyfunc")
    assert loaded.metadata.signature.inputs.names == list("abcd")


def test_neither_model_nor_data_where_they_are_not_wanted(script, classes, runs, files):
    script.sklearn.autolog(log_models=False, log_datasets=False)
    LogisticRegression().fit(*classes)
    [run] = runs()
    assert files(run) == []
    assert run.inputs.dataset_inputs == []


def test_the_data_are_an_input_that_changes_with_them(script, classes, runs):
    script.sklearn.autolog(log_models=False)
    X, y = classes
    for data in (X, X, X + 1):
        LogisticRegression().fit(data, y)
    inputs = [run.inputs.dataset_inputs[0] for run in map(again(script), runs())]
    first, same, other = (item.dataset.digest for item in inputs)
    assert first == same != other
    assert json.loads(inputs[0].dataset.profile)["features_shape"] == [60, 4]
    assert [(tag.key, tag.value) for tag in inputs[0].tags] == [("mlflow.data.context", "train")]


def again(script):
    return lambda run: script.get_run(run.info.run_id)


def test_a_pipeline_is_one_run_with_the_params_of_its_steps(script, classes, runs):
    script.sklearn.autolog(log_models=False)
    make_pipeline(StandardScaler(), PCA(2), LogisticRegression(C=3)).fit(*classes)
    [run] = runs()
    assert run.data.params["logisticregression__C"] == "3"
    assert run.data.params["pca__n_components"] == "2"
    assert run.data.tags["estimator_name"] == "Pipeline"


@pytest.mark.parametrize(
    "train",
    [
        lambda X, y: BaggingClassifier(LogisticRegression(), 3, n_jobs=1).fit(X, y),
        lambda X, y: GridSearchCV(LogisticRegression(), {"C": [1, 2]}, cv=2).fit(X, y),
    ],
)
def test_fits_inside_a_fit_are_not_logged(script, classes, runs, train):
    script.sklearn.autolog(log_models=False, max_tuning_runs=0)
    train(*classes)
    assert len(runs()) == 1


def test_worker_threads_of_a_fit_open_no_runs(script, classes, runs):
    script.sklearn.autolog(log_models=False, max_tuning_runs=0)
    seen = []

    class Watched(LogisticRegression):
        def fit(self, X, y):
            seen.append(threading.current_thread().name)
            return super().fit(X, y)

    with joblib.parallel_config("threading"):
        GridSearchCV(Watched(), {"C": [1, 2]}, cv=2, n_jobs=2).fit(*classes)
    assert set(seen) - {threading.current_thread().name}
    assert len(runs()) == 1


def test_trainings_side_by_side_have_runs_of_their_own(script, classes, runs):
    script.sklearn.autolog(log_models=False)

    def train(C):
        LogisticRegression(C=C).fit(*classes)

    threads = [threading.Thread(target=train, args=(C,)) for C in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    joblib.Parallel(2, prefer="threads")(joblib.delayed(train)(C) for C in (4, 5))
    assert sorted(run.data.params["C"] for run in runs()) == ["1", "2", "3", "4", "5"]


def test_a_cross_validation_is_no_training(script, classes, runs):
    script.sklearn.autolog()
    assert len(cross_val_score(LogisticRegression(), *classes, cv=2)) == 2
    SelectFromModel(LogisticRegression()).fit(*classes)
    StandardScaler().fit(classes[0])
    assert runs() == []


def test_an_active_run_is_fed_and_left_open(script, classes, runs):
    script.sklearn.autolog(log_models=False, extra_tags={"team": "vision"})
    with script.start_run() as run:
        LogisticRegression().fit(*classes)
        assert script.active_run().info.run_id == run.info.run_id
    [only] = runs()
    assert only.info.run_id == run.info.run_id
    assert "training_score" in only.data.metrics
    assert "team" not in only.data.tags
    LogisticRegression().fit(*classes)
    assert runs()[-1].data.tags["team"] == "vision"


def test_a_second_model_in_a_run_stands_beside_the_first(script, classes, runs, files):
    script.sklearn.autolog()
    with script.start_run():
        PCA(2).fit(classes[0])
        LogisticRegression(C=1).fit(*classes)
        LogisticRegression(C=2).fit(*classes)
        DecisionTreeClassifier(max_depth=2).fit(*classes)
    [run] = runs()
    params = run.data.params
    assert (params["C"], params["LogisticRegression-2.C"]) == ("1", "2")
    assert params["PCA.n_components"] == "2"
    assert params["DecisionTreeClassifier.max_depth"] == "2"
    assert run.data.tags["estimator_name"] == "LogisticRegression"
    assert "DecisionTreeClassifier.training_score" in run.data.metrics
    assert {path.split("/")[0] for path in files(run)} == {
        "model",
        "model-LogisticRegression-2",
        "model-DecisionTreeClassifier",
    }


def test_exclusive_leaves_a_users_run_alone(script, classes, runs):
    script.sklearn.autolog(exclusive=True, log_models=False)
    with script.start_run():
        LogisticRegression().fit(*classes)
    LogisticRegression().fit(*classes)
    assert [bool(run.data.params) for run in runs()] == [False, True]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError("no such luck"), RunStatus.FAILED),
        (KeyboardInterrupt(), RunStatus.KILLED),
        (SystemExit(0), RunStatus.FINISHED),
    ],
)
def test_the_trainings_own_error_is_the_users(script, classes, runs, error, status):
    script.sklearn.autolog()
    broken = Broken()
    broken.error = error
    with pytest.raises(type(error)) as caught:
        make_pipeline(StandardScaler(), broken).fit(*classes)
    assert caught.value is error
    [run] = runs()
    assert run.info.status is status
    assert run.data.params["standardscaler__with_mean"] == "True"
    assert script.active_run() is None


def test_a_search_has_children_best_first(script, classes, runs, files):
    script.sklearn.autolog(max_tuning_runs=2, extra_tags={"team": "vision"})
    grid = {"max_depth": [1, 2, 3], "min_samples_leaf": [1, 5]}
    search = GridSearchCV(DecisionTreeClassifier(random_state=0), grid, cv=2).fit(*classes)
    parent, *children = runs()
    assert parent.data.params["best_max_depth"] == str(search.best_params_["max_depth"])
    assert parent.data.metrics["best_cv_score"] == search.best_score_
    assert script.last_active_run().info.run_id == parent.info.run_id
    assert len(children) == 2
    for child in children:
        assert child.info.status is RunStatus.FINISHED
        assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert child.data.tags["team"] == "vision"
        assert child.data.params["criterion"] == "gini"
    ranks = sorted(search.cv_results_["rank_test_score"])[:2]
    assert sorted(child.data.metrics["rank_test_score"] for child in children) == ranks
    paths = files(parent)
    assert {"model/MLmodel", "best_estimator/MLmodel", "cv_results.csv"} <= set(paths)
    place = script.download_artifacts(parent.info.run_id, "cv_results.csv")
    table = pandas.read_csv(place)
    assert list(table["param_max_depth"]) == list(search.cv_results_["param_max_depth"])


def test_every_candidate_has_a_run_if_wanted(script, classes, runs):
    script.sklearn.autolog(max_tuning_runs=None, log_models=False)
    space = {"C": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]}
    RandomizedSearchCV(LogisticRegression(), space, n_iter=6, cv=2, random_state=0).fit(*classes)
    assert len(runs()) == 7


def test_weights_reach_the_training_metrics(script, classes, runs):
    script.sklearn.autolog(log_models=False)
    X, y = classes
    weights = numpy.where(y == 1, 5.0, 1.0)
    model = DecisionTreeClassifier(max_depth=1).fit(X, y, sample_weight=weights)
    [run] = runs()
    assert run.data.metrics["training_score"] == model.score(X, y, weights)


def test_an_estimator_without_targets_or_score(script, classes, runs):
    class Silent(BaseEstimator):
        def fit(self, X):
            return self

    script.sklearn.autolog(log_models=False)
    Silent().fit(classes[0])
    PCA(2).fit_transform(classes[0])
    [run] = runs()
    assert (run.data.tags["estimator_name"], run.data.metrics) == ("PCA", {})


def test_warnings_of_the_log_are_not_the_users(script, classes, runs):
    script.sklearn.autolog(log_models=False)
    constant = DummyClassifier(strategy="constant", constant=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        constant.fit(*classes)
    [run] = runs()
    assert run.data.metrics["training_recall_score"] == 0.5


def test_what_is_returned_is_what_scikit_learn_returns(script, classes):
    script.sklearn.autolog(log_models=False)
    model = RandomForestClassifier(3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert model.fit(*classes) is model
    assert PCA(2).fit_transform(classes[0]).shape == (60, 2)
