"""Metrics of one's own under MLflow's names, for ``evaluate(extra_metrics=...)``."""

from mltrack_jupyter.metrics.base import MetricValue, make_metric

__all__ = ["MetricValue", "make_metric"]
