"""Moving data: from MLflow's stores, servers, archives and tables into a store, and out of it again."""

from mltrack_jupyter.transfer.archive_writing import write_archive
from mltrack_jupyter.transfer.copying import copy_source
from mltrack_jupyter.transfer.opening import is_store, open_source
from mltrack_jupyter.transfer.report import Report
from mltrack_jupyter.transfer.source import Source

__all__ = ["Report", "Source", "copy_source", "is_store", "open_source", "write_archive"]
