"""Links of a run to the datasets it read and the models it read and made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from mltrack_jupyter.entities import Dataset, DatasetInput, DatasetSummary
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store.rules import HISTORY_TAG, check_text, short
from mltrack_jupyter.store.sql.model_points import add_to_step
from mltrack_jupyter.store.sql.tables import datasets, run_datasets, run_models, tags
from mltrack_jupyter.store.sql.upserts import insert_row, upsert

_CONTEXT = "mlflow.data.context"
_MODEL_FIELDS = {"artifact_path", "flavors", "utc_time_created", "run_id"}
_MAX_SUMMARIES = 1000
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


def summaries(connection: Connection, experiments: Sequence[int]) -> list[DatasetSummary]:
    """Return the datasets that runs of some experiments read, once in each role; the first 1,000."""
    columns = (datasets.c.experiment, datasets.c.name, datasets.c.digest, run_datasets.c.context)
    query = (
        select(*columns)
        .join(run_datasets, run_datasets.c.dataset == datasets.c.id)
        .where(datasets.c.experiment.in_(experiments))
        .distinct()
        .order_by(*columns)
        .limit(_MAX_SUMMARIES)
    )
    return [
        DatasetSummary(experiment_id=str(number), name=name, digest=digest, context=context)
        for number, name, digest, context in connection.execute(query)
    ]


def add_model_history(connection: Connection, run: Row[Any], model_json: str) -> None:
    """Append a model to the tag in which clients before MLflow 3 note them."""
    model = _read_json(model_json, "model_json")
    missing = _MODEL_FIELDS - set(model) if isinstance(model, dict) else _MODEL_FIELDS
    if missing:
        raise InvalidParameter(f"Model json is missing mandatory fields: {sorted(missing)}.")
    mine = (tags.c.run == run.id, tags.c.key == HISTORY_TAG)
    before = _read_json(
        connection.execute(select(tags.c.value).where(*mine)).scalar() or "[]", "tag"
    )
    if not isinstance(before, list):
        raise InvalidParameter(
            f"The tag {HISTORY_TAG} of the run {run.run_id} is no list of models."
        )
    value = check_text(json.dumps([*before, model]), f"tag {HISTORY_TAG}")
    upsert(connection, tags, [{"run": run.id, "key": HISTORY_TAG, "value": value}])


def _read_json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidParameter(
            f"Malformed {name}: it is not a valid JSON: {short(text)}."
        ) from error


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
    connection: Connection, run: Row[Any], direction: str, models: Sequence[tuple[str, int]]
) -> int:
    """Link models to a run, as ``input`` or ``output``; return how many links are new."""
    rows = [
        {"run": run.id, "direction": direction, "model_id": model_id, "step": step}
        for model_id, step in models
    ]
    written = upsert(connection, run_models, rows, replace=False)
    if direction == "output":
        add_to_step(connection, run.run_id, models)
    return written
