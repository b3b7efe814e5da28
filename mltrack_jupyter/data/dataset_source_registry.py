"""Classes of sources that are known, under MLflow's module name."""

from mltrack_jupyter.data.sources import (
    get_dataset_source_from_json,
    get_registered_sources,
    register_dataset_source,
    resolve_dataset_source,
)

__all__ = [
    "get_dataset_source_from_json",
    "get_registered_sources",
    "register_dataset_source",
    "resolve_dataset_source",
]
