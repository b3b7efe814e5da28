"""Reading runs: rows to entities, a fixed number of queries for any number of runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from mltrack_jupyter.entities import (
    Dataset,
    DatasetInput,
    ModelInput,
    ModelOutput,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    RunStatus,
    Tag,
)
from mltrack_jupyter.errors import InvalidParameter, NotFound
from mltrack_jupyter.store.sql.database import chunked
from mltrack_jupyter.store.sql.run_data import OfRuns, load_data
from mltrack_jupyter.store.sql.tables import datasets, run_datasets, run_models, runs
from mltrack_jupyter.store.sql.types import teller

_FIND = select(runs).where(runs.c.run_id == bindparam("wanted"))
_HOLD = _FIND.with_for_update()
_DATASETS = OfRuns(
    select(run_datasets.c.run, run_datasets.c.tags, datasets)
    .join(datasets, datasets.c.id == run_datasets.c.dataset)
    .order_by(run_datasets.c.run, datasets.c.id),
    run_datasets.c.run,
)
_MODELS = OfRuns(select(run_models).order_by(run_models.c.run, run_models.c.step), run_models.c.run)
_STATUS = {status.value: status for status in RunStatus}


def find_run(connection: Connection, run_id: str) -> Row[Any]:
    """Return the row of a run, active or deleted. Raises ``NotFound``."""
    query = _HOLD if connection.info.get("write") else _FIND
    row = connection.execute(query, {"wanted": run_id}).first()
    if row is None:
        shown = run_id if len(run_id) <= 80 else run_id[:77] + "..."
        raise NotFound(f"Run with id={shown} not found.")
    return row


def find_active_run(connection: Connection, run_id: str) -> Row[Any]:
    """Return the row of a run that may be written. Raises ``NotFound`` or ``InvalidParameter``."""
    row = find_run(connection, run_id)
    if row.lifecycle_stage != "active":
        raise InvalidParameter(
            f"The run {run_id} must be in the 'active' state, but is deleted. Restore it first."
        )
    return row


def run_info(row: Row[Any], told: Callable[[str], str]) -> RunInfo:
    """Return what is known of a run without its data; the row begins with the columns of the table.

    ``told`` is that of :func:`teller`.
    """
    # By place: a row is asked for a name ten times more slowly, and a page has a hundred rows.
    columns: tuple[Any, ...] = row[1:10]
    run_id, experiment, name, user, status, start_time, end_time, artifacts, stage = columns
    return RunInfo(
        run_id=run_id,
        run_name=name,
        experiment_id=str(experiment),
        user_id=user,
        status=_STATUS[status],
        start_time=start_time,
        end_time=end_time,
        artifact_uri=told(artifacts),
        lifecycle_stage=stage,
    )


def load_runs(
    connection: Connection, rows: Sequence[Row[Any]], *, with_model_inputs: bool = False
) -> list[Run]:
    """Return rows of runs as entities, with their data, inputs and outputs."""
    found: list[Run] = []
    told = teller(connection)
    for part in chunked(rows):
        numbers = [row.id for row in part]
        points, values, labels = load_data(connection, numbers)
        inputs = _load_datasets(connection, numbers)
        models = _load_models(connection, numbers)
        for number, row in zip(numbers, part, strict=True):
            made, read = models.get(number, ([], []))
            found.append(
                Run(
                    info=run_info(row, told),
                    data=RunData(
                        metric_list=points.get(number, []),
                        param_list=values.get(number, []),
                        tag_list=labels.get(number, []),
                    ),
                    inputs=RunInputs(
                        dataset_inputs=inputs.get(number, []),
                        model_inputs=read if with_model_inputs else [],
                    ),
                    outputs=RunOutputs(model_outputs=made),
                )
            )
    return found


def _load_datasets(connection: Connection, numbers: list[int]) -> dict[int, list[DatasetInput]]:
    found: dict[int, list[DatasetInput]] = {}
    for row in _DATASETS(connection, numbers):
        dataset = Dataset(
            name=row.name,
            digest=row.digest,
            source_type=row.source_type,
            source=row.source,
            schema=row.schema,
            profile=row.profile,
        )
        labels = [Tag(key, value) for key, value in json.loads(row.tags)]
        found.setdefault(row.run, []).append(DatasetInput(dataset=dataset, tags=labels))
    return found


def _load_models(
    connection: Connection, numbers: list[int]
) -> dict[int, tuple[list[ModelOutput], list[ModelInput]]]:
    found: dict[int, tuple[list[ModelOutput], list[ModelInput]]] = {}
    for row in _MODELS(connection, numbers):
        made, read = found.setdefault(row.run, ([], []))
        if row.direction == "output":
            made.append(ModelOutput(row.model_id, row.step))
        else:
            read.append(ModelInput(row.model_id))
    return found
