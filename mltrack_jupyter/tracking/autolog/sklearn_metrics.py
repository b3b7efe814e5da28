"""Training metrics of scikit-learn's estimators, under MLflow's names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mltrack_jupyter.tracking.autolog.training import Training

_Measure = Callable[[], Any]


def training_metrics(
    training: Training, estimator: Any, given: Mapping[str, Any], pos_label: Any = None
) -> dict[str, Any]:
    """Return how a fitted estimator does on the data that it was fitted on; nothing without targets."""
    data, targets = given.get("X"), given.get("y", given.get("Y"))
    if targets is None:
        return {}
    weights = given.get("sample_weight")
    measures = _measures(training, estimator, (data, targets, weights), pos_label)
    found = {
        name: training.attempt(f"measuring {name}", measure, None)
        for name, measure in measures.items()
    }
    return {f"training_{name}": value for name, value in found.items() if value is not None}


def _measures(
    training: Training, estimator: Any, given: tuple[Any, Any, Any], pos_label: Any
) -> dict[str, _Measure]:
    from sklearn.base import is_classifier, is_regressor

    data, targets, weights = given
    more = {} if weights is None else {"sample_weight": weights}
    found: dict[str, _Measure] = {}
    if hasattr(estimator, "predict") and (is_classifier(estimator) or is_regressor(estimator)):
        predicted = training.attempt("predicting", lambda: estimator.predict(data), None)
        if predicted is not None and is_classifier(estimator):
            found |= _of_classes(targets, predicted, pos_label, more)
            if hasattr(estimator, "predict_proba"):
                found |= _of_probabilities(estimator, data, targets, more)
        elif predicted is not None:
            found |= _of_numbers(targets, predicted, more)
    if hasattr(estimator, "score"):
        found["score"] = lambda: estimator.score(data, targets, **_taken(estimator, more))
    return found


def _taken(estimator: Any, more: Mapping[str, Any]) -> Mapping[str, Any]:
    from sklearn.utils.validation import has_fit_parameter

    # Asked as scikit-learn asks of ``fit``: a search's ``score`` takes no weights.
    return more if more and has_fit_parameter(estimator, "sample_weight") else {}


def _of_classes(
    targets: Any, predicted: Any, pos_label: Any, more: Mapping[str, Any]
) -> dict[str, _Measure]:
    from sklearn import metrics

    how: dict[str, Any] = {"average": "weighted"}
    if pos_label is not None:
        how = {"average": "binary", "pos_label": pos_label}
    return {
        "precision_score": lambda: metrics.precision_score(targets, predicted, **how, **more),
        "recall_score": lambda: metrics.recall_score(targets, predicted, **how, **more),
        "f1_score": lambda: metrics.f1_score(targets, predicted, **how, **more),
        "accuracy_score": lambda: metrics.accuracy_score(targets, predicted, **more),
    }


def _of_probabilities(
    estimator: Any, data: Any, targets: Any, more: Mapping[str, Any]
) -> dict[str, _Measure]:
    from sklearn import metrics

    def area() -> Any:
        chances = estimator.predict_proba(data)
        if chances.shape[1] == 2:
            return metrics.roc_auc_score(targets, chances[:, 1], average="weighted", **more)
        return metrics.roc_auc_score(
            targets, chances, average="weighted", multi_class="ovo", **more
        )

    return {
        "log_loss": lambda: metrics.log_loss(targets, estimator.predict_proba(data), **more),
        "roc_auc": area,
    }


def _of_numbers(targets: Any, predicted: Any, more: Mapping[str, Any]) -> dict[str, _Measure]:
    from sklearn import metrics

    return {
        "mean_squared_error": lambda: metrics.mean_squared_error(targets, predicted, **more),
        "root_mean_squared_error": lambda: (
            metrics.mean_squared_error(targets, predicted, **more) ** 0.5
        ),
        "mean_absolute_error": lambda: metrics.mean_absolute_error(targets, predicted, **more),
        "r2_score": lambda: metrics.r2_score(targets, predicted, **more),
    }
