"""Datasets as they are stored with a run: what they are, and their role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mltrack_jupyter.entities import Dataset, DatasetInput, Tag
from mltrack_jupyter.errors import InvalidParameter

_CONTEXT = "mlflow.data.context"
_FIELDS = ("name", "digest", "source", "source_type", "schema", "profile")


def dataset_input(
    dataset: Any, context: str | None = None, tags: Mapping[str, Any] | None = None
) -> DatasetInput:
    """Return a dataset in its role, as it is stored."""
    pairs = {key: str(value) for key, value in (tags or {}).items()}
    if context is not None:
        pairs[_CONTEXT] = context
    return DatasetInput(
        dataset=to_entity(dataset), tags=[Tag(key, value) for key, value in pairs.items()]
    )


def to_entity(dataset: Any) -> Dataset:
    """Return what is stored of a dataset: ours, one of MLflow's, or a stored one."""
    if isinstance(dataset, Dataset):
        return dataset
    if not hasattr(dataset, "to_dict") or not hasattr(dataset, "digest"):
        raise InvalidParameter(
            f"log_input takes a dataset, such as mltrack.data.from_pandas(frame), not a "
            f"{type(dataset).__name__}."
        )
    content = dataset.to_dict()
    return Dataset(**{name: content.get(name) or "" for name in _FIELDS})


def measured_on(dataset: Any) -> list[DatasetInput]:
    """Return the data that a metric was measured on as what its run read, if it is described."""
    described = isinstance(dataset, Dataset) or hasattr(dataset, "to_dict")
    return [dataset_input(dataset)] if described else []
