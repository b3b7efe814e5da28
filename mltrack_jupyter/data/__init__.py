"""Datasets: what a run read, known by name and digest, with its source, schema and profile.

The digests are MLflow's: the same data is the same dataset, whichever of the two logged it.
"""

from __future__ import annotations

from typing import Any

from mltrack_jupyter.data import (
    code_dataset_source,
    dataset_source,
    dataset_source_registry,
    http_dataset_source,
    meta_dataset,
    numpy_dataset,
    pandas_dataset,
    polars_dataset,
)
from mltrack_jupyter.data.dataset import Dataset
from mltrack_jupyter.data.meta_dataset import MetaDataset
from mltrack_jupyter.data.numpy_dataset import NumpyDataset, from_numpy
from mltrack_jupyter.data.pandas_dataset import PandasDataset, from_pandas
from mltrack_jupyter.data.polars_dataset import PolarsDataset, from_polars
from mltrack_jupyter.data.sources import (
    CodeSource,
    DatasetSource,
    HTTPDatasetSource,
    UriSource,
    get_dataset_source_from_json,
    get_registered_sources,
    parse_source,
    register_dataset_source,
)

__all__ = [
    "CodeSource",
    "Dataset",
    "DatasetSource",
    "HTTPDatasetSource",
    "MetaDataset",
    "NumpyDataset",
    "PandasDataset",
    "PolarsDataset",
    "UriSource",
    "code_dataset_source",
    "dataset_source",
    "dataset_source_registry",
    "from_numpy",
    "from_pandas",
    "from_polars",
    "get_dataset_source_from_json",
    "get_registered_sources",
    "get_source",
    "http_dataset_source",
    "meta_dataset",
    "numpy_dataset",
    "pandas_dataset",
    "polars_dataset",
    "register_dataset_source",
]


def get_source(dataset: Any) -> Any:
    """Return the source of a dataset, or of one that a run read (``run.inputs.dataset_inputs[0]``)."""
    if isinstance(dataset, Dataset):
        return dataset.source
    stored = getattr(dataset, "dataset", dataset)
    return parse_source(stored.source_type, stored.source)
