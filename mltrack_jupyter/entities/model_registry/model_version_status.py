"""Statuses of versions, under MLflow's module name."""

from mltrack_jupyter.entities import ModelVersionStatus

__all__ = ["ModelVersionStatus"]
