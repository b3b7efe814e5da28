"""A page of an answer, under MLflow's module name."""

from mltrack_jupyter.entities import Page as PagedList

__all__ = ["PagedList"]
