"""A param, under MLflow's module name."""

from mltrack_jupyter.entities import Param

__all__ = ["Param"]
