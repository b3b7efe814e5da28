"""The source of data that code made, under MLflow's module name."""

from mltrack_jupyter.data.sources import CodeSource as CodeDatasetSource

__all__ = ["CodeDatasetSource"]
