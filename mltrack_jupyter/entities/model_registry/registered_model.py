"""A registered model, under MLflow's module name."""

from mltrack_jupyter.entities import RegisteredModel

__all__ = ["RegisteredModel"]
