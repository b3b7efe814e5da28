"""A dataset in its role, under MLflow's module name."""

from mltrack_jupyter.entities import DatasetInput

__all__ = ["DatasetInput"]
