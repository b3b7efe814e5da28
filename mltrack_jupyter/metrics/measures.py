"""Metrics of regressors and classifiers, computed by scikit-learn under MLflow's names."""

from __future__ import annotations

from typing import Any

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.evaluation import EvaluationMetric, MetricValue, make_metric


def mae() -> EvaluationMetric:
    """Return the metric ``mean_absolute_error``."""
    return _of_numbers("mean_absolute_error")


def mse() -> EvaluationMetric:
    """Return the metric ``mean_squared_error``."""
    return _of_numbers("mean_squared_error")


def rmse() -> EvaluationMetric:
    """Return the metric ``root_mean_squared_error``."""
    return _of_numbers("root_mean_squared_error")


def r2_score() -> EvaluationMetric:
    """Return the metric ``r2_score``."""
    return _of_numbers("r2_score", greater_is_better=True)


def max_error() -> EvaluationMetric:
    """Return the metric ``max_error``; it knows no weights."""

    def measure(predictions: Any, targets: Any = None, metrics: Any = None) -> MetricValue:
        return _measured("max_error", predictions, targets)

    return _metric("max_error", measure)


def mape() -> EvaluationMetric:
    """Return the metric ``mean_absolute_percentage_error``."""
    return _of_numbers("mean_absolute_percentage_error")


def recall_score() -> EvaluationMetric:
    """Return the metric ``recall_score``."""
    return _of_classes("recall_score")


def precision_score() -> EvaluationMetric:
    """Return the metric ``precision_score``."""
    return _of_classes("precision_score")


def f1_score() -> EvaluationMetric:
    """Return the metric ``f1_score``."""
    return _of_classes("f1_score")


# The parameters of ``measure`` are what evaluate(...) may give: columns, and keys of evaluator_config.


def _of_numbers(name: str, *, greater_is_better: bool = False) -> EvaluationMetric:
    def measure(
        predictions: Any, targets: Any = None, metrics: Any = None, sample_weight: Any = None
    ) -> MetricValue:
        return _measured(name, predictions, targets, sample_weight=sample_weight)

    return _metric(name, measure, greater_is_better=greater_is_better)


def _of_classes(name: str) -> EvaluationMetric:
    def measure(
        predictions: Any,
        targets: Any = None,
        metrics: Any = None,
        pos_label: Any = 1,
        average: str = "binary",
        sample_weight: Any = None,
    ) -> MetricValue:
        options = {"pos_label": pos_label, "average": average, "sample_weight": sample_weight}
        return _measured(name, predictions, targets, **options)

    return _metric(name, measure, greater_is_better=True)


def _metric(name: str, measure: Any, *, greater_is_better: bool = False) -> EvaluationMetric:
    return make_metric(
        eval_fn=measure, greater_is_better=greater_is_better, name=name, long_name=name
    )


def _measured(name: str, predictions: Any, targets: Any, **options: Any) -> MetricValue:
    if targets is None:
        raise InvalidParameter(
            f"The metric {name!r} compares predictions with the truth: give targets."
        )
    from sklearn import metrics

    try:
        found = getattr(metrics, name)(targets, predictions, **options)
    except ValueError as error:
        raise InvalidParameter(f"The metric {name!r} cannot be computed: {error}") from error
    return MetricValue(aggregate_results={name: float(found)})
