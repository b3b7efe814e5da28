"""A version, under MLflow's module name."""

from mltrack_jupyter.entities import ModelVersion

__all__ = ["ModelVersion"]
