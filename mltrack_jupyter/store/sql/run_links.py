"""Links of a run to the datasets it read and the models it read and made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from mltrack_jupyter.entities import Dataset, DatasetInput
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store.rules import short
from mltrack_jupyter.store.sql.database import insert_row, upsert
from mltrack_jupyter.store.sql.tables import datasets, run_datasets, run_models

_CONTEXT = "mlflow.data.context"
_LIMITS = {"name": 500, "digest": 36, "source": 65_535, "schema": 1_048_575, "profile": 16_777_215}


def add_datasets(connection: Connection, run: Row[Any], items: Sequence[DatasetInput]) -> None:
    """Link datasets to a run; one that is linked already keeps its first tags."""
    for item in items:
        _check(item)
    for item in items:
        number = _dataset_id(connection, run.experiment, item.dataset)
        labels = {tag.key: tag.value for tag in item.tags}
        row = {
            "run": run.id,
            "dataset": number,
            "context": labels.get(_CONTEXT, ""),
            "tags": json.dumps([[tag.key, tag.value] for tag in item.tags]),
        }
        upsert(connection, run_datasets, [row], replace=False)


def _check(item: DatasetInput) -> None:
    for name, most in _LIMITS.items():
        value = getattr(item.dataset, name)
        if len(value) > most:
            raise InvalidParameter(
                f"The {name} of the dataset {short(item.dataset.name)} exceeds the maximum length of "
                f"{most} characters."
            )
    if not item.dataset.name or not item.dataset.digest:
        raise InvalidParameter("A dataset needs a name and a digest.")
    for tag in item.tags:
        if len(tag.key) > 255 or len(tag.value) > 500:
            raise InvalidParameter(
                f"The input tag {short(tag.key)} exceeds the maximum length of 255 characters for its "
                "key or 500 for its value."
            )


def _dataset_id(connection: Connection, experiment: int, dataset: Dataset) -> int:
    query = select(datasets.c.id).where(
        datasets.c.experiment == experiment,
        datasets.c.name == dataset.name,
        datasets.c.digest == dataset.digest,
    )
    number = connection.execute(query).scalar()
    if number is None:
        row = {
            "experiment": experiment,
            "name": dataset.name,
            "digest": dataset.digest,
            "source_type": dataset.source_type,
            "source": dataset.source,
            "schema": dataset.schema,
            "profile": dataset.profile,
        }
        number = insert_row(connection, datasets, row)
    return int(number)


def add_models(
    connection: Connection, run: int, direction: str, models: Sequence[tuple[str, int]]
) -> int:
    """Link models to a run, as ``input`` or ``output``; return how many links are new."""
    rows = [
        {"run": run, "direction": direction, "model_id": model_id, "step": step}
        for model_id, step in models
    ]
    return upsert(connection, run_models, rows, replace=False)
