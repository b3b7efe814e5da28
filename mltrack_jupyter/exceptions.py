"""The root of the errors under MLflow's name; the tree is in :mod:`mltrack_jupyter.errors`."""

from mltrack_jupyter.errors import MltrackError as MlflowException

__all__ = ["MlflowException"]
