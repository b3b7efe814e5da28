"""The tag of an input, under MLflow's module name."""

from mltrack_jupyter.entities import InputTag

__all__ = ["InputTag"]
