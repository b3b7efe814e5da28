"""The tag of a run, under MLflow's module name."""

from mltrack_jupyter.entities import RunTag

__all__ = ["RunTag"]
