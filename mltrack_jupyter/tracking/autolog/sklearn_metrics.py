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
    # What can be gone through only once, the training has gone through.
    if targets is None or hasattr(data, "__next__"):
        return {}
    weights = given.get("sample_weight")
    measures = _measures(training, estimator, (_protected(data), targets, weights), pos_label)
    found = {
        name: training.attempt(f"measuring {name}", measure, None)
        for name, measure in measures.items()
    }
    return {f"training_{name}": value for name, value in found.items() if value is not None}


def _protected(data: Any) -> Any:
    """Return a view of an array that nobody can change: a step with ``copy=False`` makes a copy of it."""
    if not hasattr(data, "setflags"):
        return data
    view = data.view()
    view.setflags(write=False)
    return view


def _measures(
    training: Training, estimator: Any, given: tuple[Any, Any, Any], pos_label: Any
) -> dict[str, _Measure]:
    from sklearn.base import is_classifier, is_regressor
    from sklearn.utils.multiclass import type_of_target

    data, targets, weights = given
    more = {} if weights is None else {"sample_weight": weights}
    found: dict[str, _Measure] = {}
    # Several targets of several classes: there is no measure for them but a score of the model's own.
    if is_classifier(estimator) and type_of_target(targets) == "multiclass-multioutput":
        return {"score": lambda: _score_if_any(estimator, data, targets)}
    if hasattr(estimator, "predict") and (is_classifier(estimator) or is_regressor(estimator)):
        predicted = training.attempt("predicting", lambda: estimator.predict(data), None)
        if predicted is not None and is_classifier(estimator):
            found |= _of_classes(targets, predicted, pos_label, more)
            if hasattr(estimator, "predict_proba"):
                found |= _of_probabilities(estimator, data, targets, more)
        elif predicted is not None:
            found |= _of_numbers(targets, predicted, more)
    # A search that only tries has nothing to predict with.
    if hasattr(estimator, "score") and getattr(estimator, "refit", True) is not False:
        found["score"] = lambda: estimator.score(data, targets, **_taken(estimator, more))
    return found


def _score_if_any(estimator: Any, data: Any, targets: Any) -> Any:
    try:
        return estimator.score(data, targets)
    except (AttributeError, ValueError):  # that of most classifiers is for one target
        return None


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

    def loss() -> Any:
        chances, known = _chances(estimator, data, targets)
        return None if chances is None else metrics.log_loss(known, chances, **more)

    def area() -> Any:
        chances, known = _chances(estimator, data, targets)
        if chances is None:
            return None
        if chances.shape[1] == 2 and not _is_several(known):
            return metrics.roc_auc_score(known, chances[:, 1], average="weighted", **more)
        return metrics.roc_auc_score(known, chances, average="weighted", multi_class="ovo", **more)

    return {"log_loss": loss, "roc_auc": area}


def _chances(estimator: Any, data: Any, targets: Any) -> tuple[Any, Any]:
    """Return probabilities and the targets to measure them by, or ``None`` where no measure is defined."""
    import numpy

    chances = estimator.predict_proba(data)
    known = targets.toarray() if hasattr(targets, "toarray") else targets
    if isinstance(chances, list):  # an array for each of several targets
        return None, known
    # One class alone is certain; and what is not labelled yet is no class of the model's.
    classes = chances.shape[1] if _is_several(known) else len(numpy.unique(known))
    return (chances if 1 < classes == chances.shape[1] else None), known


def _is_several(targets: Any) -> bool:
    shape: Any = getattr(targets, "shape", ())
    return len(shape) > 1 and shape[1] > 1


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
