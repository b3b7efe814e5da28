"""Where data comes from, under MLflow's module name: the base of classes of one's own."""

from mltrack_jupyter.data.sources import DatasetSource

__all__ = ["DatasetSource"]
