"""Evaluation: the metrics are scikit-learn's, the names MLflow's; tests/tracking compares with MLflow."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression

from mltrack_jupyter.errors import InvalidParameter, MltrackError

RANDOM = np.random.default_rng(0)
FRAME = pd.DataFrame({"x": RANDOM.normal(size=60), "z": RANDOM.normal(size=60)})
TWO = np.where(FRAME["x"] + RANDOM.normal(size=60) > 0, "yes", "no")
NUMBER = 3 * FRAME["x"] + RANDOM.normal(size=60)


def test_two_classes_by_their_text(mltrack):
    model = LogisticRegression().fit(FRAME, TWO)
    found = mltrack.evaluate(model, FRAME.assign(y=TWO), targets="y", model_type="classifier")
    predicted = model.predict(FRAME)
    assert found.metrics["accuracy_score"] == sk.accuracy_score(TWO, predicted)
    assert found.metrics["f1_score"] == sk.f1_score(TWO, predicted, pos_label="yes")
    assert found.metrics["roc_auc"] == sk.roc_auc_score(
        TWO == "yes", model.predict_proba(FRAME)[:, 1]
    )
    assert found.metrics["true_positives"] == int(((TWO == "yes") & (predicted == "yes")).sum())
    assert set(found.artifacts) == {"confusion_matrix", "roc_curve_plot", "calibration_curve_plot",
                                    "precision_recall_curve_plot", "lift_curve_plot"}  # fmt: skip


def test_it_is_logged_with_the_data_and_ends_a_run_of_its_own(mltrack):
    model = LinearRegression().fit(FRAME, NUMBER)
    data = mltrack.data.from_pandas(FRAME.assign(y=NUMBER), targets="y", name="line")
    found = mltrack.models.evaluate(model, data, model_type="regressor")
    assert mltrack.active_run() is None
    run = mltrack.get_run(found.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics == pytest.approx(dict(found.metrics))
    assert run.inputs.dataset_inputs[0].dataset.digest == data.digest
    point = mltrack.get_metric_history(found.run_id, "r2_score")[0]
    assert point.value == sk.r2_score(NUMBER, model.predict(FRAME))
    assert found.artifacts["residuals"].uri.endswith("/residuals.png")


def test_the_metrics_belong_to_the_model(mltrack):
    with mltrack.start_run() as run:
        info = mltrack.sklearn.log_model(LinearRegression().fit(FRAME, NUMBER), name="model")
        found = mltrack.evaluate(
            info.model_uri, FRAME.assign(y=NUMBER), targets="y", model_type="regressor"
        )
    assert mltrack.get_run(run.info.run_id).inputs.model_inputs[0].model_id == info.model_id
    points = {point.key: point.value for point in mltrack.get_logged_model(info.model_id).metrics}
    assert points == pytest.approx(dict(found.metrics))


def test_arrays_predictions_and_weights(mltrack):
    weights = np.linspace(1, 2, 60)
    found = mltrack.evaluate(
        data=FRAME.to_numpy(), targets=NUMBER, predictions=NUMBER + 1, model_type="regressor",
        evaluator_config={"sample_weights": weights},
    )  # fmt: skip
    assert found.metrics["mean_absolute_error"] == pytest.approx(1)
    assert found.metrics["sum_on_target"] == pytest.approx(float((NUMBER * weights).sum()))
    assert "score" not in found.metrics


def test_a_metric_by_row_makes_a_table(mltrack):
    from mltrack_jupyter.evaluation import MetricValue

    def errors(predictions, targets, x):
        return MetricValue(
            scores=[abs(p - t) + 0 * v for p, t, v in zip(predictions, targets, x, strict=True)]
        )

    metric = mltrack.models.make_metric(eval_fn=errors, greater_is_better=False, name="off")
    found = mltrack.evaluate(
        lambda frame: frame["x"], FRAME.assign(y=FRAME["x"] + 2), targets="y", extra_metrics=[metric]
    )  # fmt: skip
    assert found.metrics == pytest.approx({"off/mean": 2.0, "off/variance": 0.0, "off/p90": 2.0})
    assert found.tables["eval_results_table"]["off/score"].tolist() == pytest.approx([2.0] * 60)
    with mltrack.start_run(run_id=found.run_id):
        assert len(mltrack.load_table("eval_results_table.json")) == 60


def test_artifacts_of_ones_own(mltrack):
    def counted(frame, metrics, folder):
        return {"counts": frame["prediction"].value_counts().reset_index()}

    found = mltrack.evaluate(
        data=FRAME.assign(y=TWO, p=TWO), targets="y", predictions="p", model_type="classifier",
        custom_artifacts=[counted], evaluator_config={"default": {"metric_prefix": "v_"}},
    )  # fmt: skip
    assert found.artifacts["counts"].uri.endswith("/v_counts.csv")
    assert found.metrics["v_accuracy_score"] == 1.0


def test_an_estimator_that_derives_from_scikit_learns_scores_itself(mltrack):
    class Steeper(LinearRegression):
        """As XGBoost's estimators do."""

    model = Steeper().fit(FRAME, NUMBER)
    found = mltrack.evaluate(model, FRAME.assign(y=NUMBER), targets="y", model_type="regressor")
    assert found.metrics["score"] == model.score(FRAME, NUMBER)


def test_files_that_a_function_wrote(mltrack):
    def made(frame, metrics, folder):
        place = Path(folder) / "note.txt"
        place.write_text("seen")
        return {
            "note": str(place),
            "counts": {"rows": np.int64(len(frame)), **metrics},
            "grid": np.arange(3),
            "text": '{"a": [1, 2]}',
            "object": range(3),
        }

    found = mltrack.evaluate(
        data=FRAME.assign(y=NUMBER, p=NUMBER), targets="y", predictions="p", model_type="regressor",
        custom_artifacts=[made],
    )  # fmt: skip
    files = {item.path for item in mltrack.artifacts.list_artifacts(run_id=found.run_id)}
    assert {"note.txt", "counts.json", "grid.npy", "text.json", "object.pickle"} <= files
    contents = {name: item.content for name, item in found.artifacts.items()}
    assert (contents["note"], contents["counts"]["rows"]) == ("seen", 60)
    assert contents["text"] == {"a": [1, 2]}


@pytest.mark.parametrize("content", ["no such file", {"a": object()}, lambda: None])
def test_what_is_no_file(mltrack, content):
    with pytest.raises(InvalidParameter, match="The custom artifact 'odd' must be"):
        mltrack.evaluate(
            data=FRAME.assign(y=NUMBER, p=NUMBER), targets="y", predictions="p",
            model_type="regressor", custom_artifacts=[lambda *_: {"odd": content}],
        )  # fmt: skip


def test_a_metric_with_one_score_for_all_rows(mltrack):
    from mltrack_jupyter.metrics import MetricValue, make_metric

    metric = make_metric(
        eval_fn=lambda predictions, targets: MetricValue(scores=[2.0], aggregate_results={"sum": 2}),
        greater_is_better=True, name="worth",
    )  # fmt: skip
    found = mltrack.evaluate(
        data=FRAME.assign(y=NUMBER, p=NUMBER), targets="y", predictions="p", extra_metrics=[metric]
    )
    assert (found.metrics, found.tables) == ({"worth/sum": 2}, {})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": 3}, "must be the URI"),
        ({"model": None}, "Give a model, or predictions"),
        ({"targets": "w"}, "'w' is no column"),
        ({"targets": None}, "give targets"),
        ({"targets": [1, 2]}, "60 rows of data and 2 targets"),
        ({"data": "x.csv"}, "data must be a DataFrame"),
        ({"model_type": "text"}, "left out"),
        ({"model_type": None}, "extra_metrics alone"),
        ({"evaluators": "shap"}, "there are classifier"),
        ({"dataset_path": "x"}, "takes no dataset_path"),
        ({"extra_metrics": [len]}, "make_metric"),
        ({"evaluator_config": {"pos_label": "maybe"}}, "none of the labels"),
        ({"evaluator_config": {"label_list": ["yes"]}}, "at least two labels"),
        ({"evaluator_config": {"label_list": ["a", "no", "yes"]}}, "label_list"),
        ({"model": lambda frame: ["yes"]}, "1 predictions for 60 rows"),
        ({"model_type": "regressor"}, "predicts numbers"),
        ({"feature_names": ["q"]}, "no columns"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_logged(mltrack, change, message):
    model = LogisticRegression().fit(FRAME, TWO)
    arguments = {
        "model": model,
        "data": FRAME.assign(y=TWO),
        "targets": "y",
        "model_type": "classifier",
    }
    with pytest.raises(InvalidParameter, match=message):
        mltrack.evaluate(**(arguments | change))
    assert mltrack.search_runs(output_format="list") == []


def test_a_model_that_knows_one_class_only(mltrack):
    model = DummyClassifier().fit(FRAME, ["yes"] * 60)
    with pytest.raises(InvalidParameter, match="label_list"):
        mltrack.evaluate(model, FRAME.assign(y="yes"), targets="y", model_type="classifier")


@pytest.mark.parametrize(
    ("threshold", "value", "baseline", "good"),
    [
        ({"threshold": 0.5}, 0.5, None, True),
        ({"threshold": 0.5}, 0.4, None, False),
        ({"threshold": 0.5, "greater_is_better": False}, 0.6, None, False),
        ({"min_absolute_change": 0.1}, 0.6, 0.5, True),
        ({"min_absolute_change": 0.2}, 0.6, 0.5, False),
        ({"min_relative_change": 0.1}, 0.6, 0.5, True),
        ({"min_relative_change": 0.1}, -0.95, -1.0, False),
        ({"min_relative_change": 0.1, "greater_is_better": False}, 0.4, 0.5, True),
        ({"min_relative_change": 0.1}, 0.1, 0.0, True),
        ({"min_relative_change": 0.1}, 0.1, None, False),
    ],
)
def test_thresholds(mltrack, threshold, value, baseline, good):
    from mltrack_jupyter.evaluation import EvaluationResult, MetricThreshold

    asked = {"m": MetricThreshold(**{"greater_is_better": True, **threshold})}
    others = None if baseline is None else EvaluationResult({"m": baseline})
    if good:
        mltrack.validate_evaluation_results(asked, EvaluationResult({"m": value}), others)
    else:
        with pytest.raises(MltrackError, match="not good enough: m"):
            mltrack.validate_evaluation_results(asked, EvaluationResult({"m": value}), others)


def test_a_threshold_must_ask_for_something():
    from mltrack_jupyter.evaluation import MetricThreshold

    for wrong in ({}, {"threshold": 1}, {"greater_is_better": True},
                  {"min_relative_change": 2.0, "greater_is_better": True}):  # fmt: skip
        with pytest.raises(InvalidParameter, match=r"MetricThreshold|min_relative"):
            MetricThreshold(**wrong)
