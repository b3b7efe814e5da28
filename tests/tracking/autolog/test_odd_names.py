"""Names that libraries and their users choose freely become names that stores take; nothing is lost for them."""

import warnings

import pytest
from flaky import FlakyServer
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store import rules
from mltrack_jupyter.tracking.autolog.record import valid_names

AWAY = (503, {}, b'{"error_code": "TEMPORARILY_UNAVAILABLE", "message": "not now"}')
ODD = [
    "F1 (macro) %",
    "precision@k",
    "a//b",
    "/x",
    "../up",
    "précision",
    "",
    ".",
    "tab\t",
    "n" * 300,
]


@given(st.text())
def test_any_text_becomes_a_name(text):
    key = rules.valid_key(text)
    assert rules.check_key(key, "metric") == key
    try:
        rules.check_key(text, "metric")
    except InvalidParameter:
        return
    assert key == text


def test_two_that_would_be_the_same_are_two():
    found = valid_names({"f1?": 1, "f1!": 2, "f1_": 3, "n" * 300: 4, "n" * 301: 5})
    assert [value for _, value in found.values()] == [1, 2, 3, 4, 5]
    assert all(rules.check_key(name, "metric") for name in found)


@pytest.mark.parametrize("name", ODD)
def test_a_search_with_scorers_of_odd_names(script, runs, classes, name):
    script.sklearn.autolog(log_models=False)
    scoring = {name: "accuracy", "plain": "f1"}
    search = GridSearchCV(LogisticRegression(), {"C": [1, 2]}, cv=2, scoring=scoring, refit="plain")
    search.fit(*classes)
    parent, *children = sorted(runs(), key=lambda run: "mlflow.parentRunId" in run.data.tags)
    assert "mltrack.autolog.warnings" not in parent.data.tags
    assert len(children) == 2
    for child in children:
        assert child.info.status == "FINISHED"
        assert {"C", "solver"} <= set(child.data.params)
        # Mean, spread and rank of each scorer, and four times.
        assert len(child.data.metrics) == 10


@pytest.mark.parametrize("name", ["my@step", "scale (1)", "a//b", "ß→x"])
def test_a_search_over_steps_of_odd_names(script, runs, classes, name):
    script.sklearn.autolog(log_models=False)
    steps = Pipeline([("scale", StandardScaler()), (name, LogisticRegression())])
    GridSearchCV(steps, {f"{name}__C": [1, 2]}, cv=2).fit(*classes)
    parent, *children = sorted(runs(), key=lambda run: "mlflow.parentRunId" in run.data.tags)
    assert "mltrack.autolog.warnings" not in parent.data.tags
    right = rules.valid_key(f"{name}__C".replace("@", "_at_"))
    assert sorted(child.data.params[right] for child in children) == ["1", "2"]
    assert {child.info.status for child in children} == {"FINISHED"}


def test_values_that_no_store_takes_lose_no_others(script, runs, classes):
    class Odd(LogisticRegression):
        def __init__(self, note="a\x00b\ud800", C=1.0):
            super().__init__(C=C)
            self.note = note

    script.sklearn.autolog(log_models=False)
    GridSearchCV(Odd(), {"C": [1, 2]}, cv=2).fit(*classes)
    Odd(C=3).fit(*classes)
    parent, first, second, alone = sorted(runs(), key=lambda run: run.data.params.get("C", ""))
    assert "mltrack.autolog.warnings" not in alone.data.tags | parent.data.tags
    assert [run.data.params["C"] for run in (first, second, alone)] == ["1", "2", "3"]
    assert {run.data.params["note"] for run in (first, second, alone)} == {r"a\x00b\ud800"}


@pytest.mark.server
def test_a_search_whose_server_goes_away(server, script, environment, classes):
    environment.setenv("MLTRACK_TRACKING_TOKEN", server.token)
    environment.setenv("MLTRACK_HTTP_REQUEST_MAX_RETRIES", "0")
    between = FlakyServer(server.tracking_uri)
    script.set_tracking_uri(between.url)
    script.set_experiment("searched")
    script.sklearn.autolog(log_models=False, log_post_training_metrics=True)
    with script.start_run() as run:
        script.flush_async_logging()
        between.plan = [AWAY] * 10_000
        search = GridSearchCV(LogisticRegression(), {"C": [1, 2, 3]}, cv=2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            search.fit(*classes)
    search.score(*classes)  # measured after the end, and kept as well
    between.plan.clear()
    script.flush_async_logging()
    stored = script.get_run(run.run_id)
    assert "best_cv_score" in stored.data.metrics
    assert "GridSearchCV_score_unknown_dataset" in stored.data.metrics
    found = script.search_runs(
        filter_string=f"tags.`mlflow.parentRunId` = '{run.run_id}'", output_format="list"
    )
    assert sorted(child.data.params["C"] for child in found) == ["1", "2", "3"]
    assert {child.info.status for child in found} == {"FINISHED"}
    script.set_tracking_uri("elsewhere")
    between.close()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"registered_model_name": "team/churn"}, "'team-churn' would be right"),
        ({"registered_model_name": ""}, "needs a name"),
        ({"registered_model_name": 3}, "must be text"),
        ({"extra_tags": {"bad\n": "x"}}, "Invalid tag name"),
        ({"extra_tags": {"t": "\x00"}}, "NUL"),
        ({"serialization_format": "onnx"}, "cloudpickle, pickle, skops"),
    ],
)
def test_what_no_store_takes_is_refused_before_the_training(script, runs, classes, options, said):
    with pytest.raises(InvalidParameter, match=said):
        script.sklearn.autolog(**options)
    LogisticRegression().fit(*classes)
    assert runs() == []


def test_steps_are_counted_from_one(script):
    with pytest.raises(InvalidParameter, match="a whole number from 1"):
        script.keras.autolog(log_every_n_steps=0)
    with pytest.raises(InvalidParameter, match="json, ubj"):
        script.xgboost.autolog(model_format="pickle")
