"""The source of data at a web address, under MLflow's module name."""

from mltrack_jupyter.data.sources import HTTPDatasetSource

__all__ = ["HTTPDatasetSource"]
