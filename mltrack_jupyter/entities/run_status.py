"""Statuses of runs, under MLflow's module name."""

from mltrack_jupyter.entities import RunStatus

__all__ = ["RunStatus"]
