"""What runs are started from, under MLflow's module name."""

from mltrack_jupyter.entities import SourceType

__all__ = ["SourceType"]
