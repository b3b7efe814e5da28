"""A page of an answer, under MLflow's module name."""

from mltrack_jupyter.entities import PagedList

__all__ = ["PagedList"]
