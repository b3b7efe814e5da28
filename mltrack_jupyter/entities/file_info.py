"""A file among artifacts, under MLflow's module name."""

from mltrack_jupyter.entities import FileInfo

__all__ = ["FileInfo"]
