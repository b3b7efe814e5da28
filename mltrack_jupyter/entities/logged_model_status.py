"""Statuses of logged models, under MLflow's module name."""

from mltrack_jupyter.entities import LoggedModelStatus

__all__ = ["LoggedModelStatus"]
