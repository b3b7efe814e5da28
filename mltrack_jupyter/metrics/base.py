"""What a metric finds, under MLflow's module name."""

from mltrack_jupyter.evaluation import MetricValue, make_metric

__all__ = ["MetricValue", "make_metric"]
