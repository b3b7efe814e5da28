"""The client under MLflow's module name."""

from mltrack_jupyter.tracking.client import Client as MlflowClient

__all__ = ["MlflowClient"]
