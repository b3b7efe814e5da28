"""Which stages of life a search looks at, under MLflow's module name."""

from mltrack_jupyter.entities import ViewType

__all__ = ["ViewType"]
