"""What is known of a run, under MLflow's module name."""

from mltrack_jupyter.entities import RunInfo

__all__ = ["RunInfo"]
