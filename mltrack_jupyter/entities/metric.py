"""A point of a metric, under MLflow's module name."""

from mltrack_jupyter.entities import Metric

__all__ = ["Metric"]
