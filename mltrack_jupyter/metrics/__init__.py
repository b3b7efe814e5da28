"""Metrics under MLflow's names, those of scikit-learn and one's own, for ``evaluate(extra_metrics=...)``."""

from mltrack_jupyter.evaluation import EvaluationMetric
from mltrack_jupyter.metrics.base import MetricValue, make_metric
from mltrack_jupyter.metrics.measures import (
    f1_score,
    mae,
    mape,
    max_error,
    mse,
    precision_score,
    r2_score,
    recall_score,
    rmse,
)

__all__ = [
    "EvaluationMetric",
    "MetricValue",
    "f1_score",
    "mae",
    "make_metric",
    "mape",
    "max_error",
    "mse",
    "precision_score",
    "r2_score",
    "recall_score",
    "rmse",
]
