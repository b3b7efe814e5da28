"""Registering a run after the fact: one call with its params, metrics and small artifacts."""

from __future__ import annotations

import base64
import binascii
import io
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from mltrack_jupyter.entities import InlineFile, Metric, Param, Run, Tag
from mltrack_jupyter.errors import AlreadyExists, InvalidParameter, MltrackError
from mltrack_jupyter.services import Written
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.artifacts import Locations, check_path
from mltrack_jupyter.store.names import RUN_NAME, invent_name
from mltrack_jupyter.store.sql import run_writes
from mltrack_jupyter.store.sql.artifact_records import put_records
from mltrack_jupyter.store.sql.change_log import record_change
from mltrack_jupyter.store.sql.database import Database, now_ms
from mltrack_jupyter.store.sql.experiments import find_active_experiment, find_or_create_experiment
from mltrack_jupyter.store.sql.point_writes import add_points
from mltrack_jupyter.store.sql.run_models import imported_tag
from mltrack_jupyter.store.sql.run_reads import find_run, load_runs
from mltrack_jupyter.store.sql.tables import runs
from mltrack_jupyter.store.sql.tombstones import unbury
from mltrack_jupyter.store.sql.upserts import insert_row

MAX_INLINE = 16 * 1024 * 1024


def register_run(database: Database, locations: Locations, given: Mapping[str, Any]) -> Run:
    """Write a run that happened elsewhere: its rows in one transaction, its files before they are seen."""
    run_id = given["run_id"] or uuid.uuid4().hex
    rules.check_run_id(run_id)
    rules.check_experiment_name(given["experiment"])
    files = _decode(given["artifacts"] or [])
    pairs = [Param(key, _text(value)) for key, value in (given["params"] or {}).items()]
    rules.check_pairs(pairs, "param")
    labels = _labels(given)
    points = _points(given)
    with database.write() as connection:
        query = select(runs.c.run_id).where(runs.c.run_id == run_id)
        if connection.execute(query).first():
            raise AlreadyExists(f"Run with id={run_id} already exists.")
        unbury(connection, "run", run_id)
        number = find_or_create_experiment(connection, locations, given["experiment"])
        experiment = find_active_experiment(connection, str(number))
        row = _row(given, run_id, experiment, labels[RUN_NAME])
        number = insert_row(connection, runs, row)
        made = find_run(connection, run_id)
        run_writes.add_params(connection, made, pairs)
        run_writes.set_tags(connection, number, [Tag(key, value) for key, value in labels.items()])
        add_points(connection, number, points)
        parent = str(experiment.id)
        record_change(connection, "run", run_id, "create", parent_id=parent, detail="register")
        # Last, so that a refused row leaves no file; a failed file takes the rows back with it.
        written = _write(locations, made.artifact_uri, files)
        put_records(connection, locations.name(made.artifact_uri), written)
        return load_runs(connection, [made])[0]


def _row(given: Mapping[str, Any], run_id: str, experiment: Any, name: str) -> dict[str, Any]:
    start = rules.check_int64(given["start_time"], "start_time")
    end = rules.check_int64(given["end_time"], "end_time") or (start or now_ms())
    return {
        "run_id": run_id,
        "experiment": experiment.id,
        "name": name,
        "user_id": rules.check_text(given["user_id"], "user_id", 256),
        "status": given["status"].value,
        "start_time": start or end,
        "end_time": end if given["status"].is_terminated() else None,
        "artifact_uri": f"{experiment.artifact_location}/{run_id}/artifacts",
        "lifecycle_stage": "active",
    }


def _labels(given: Mapping[str, Any]) -> dict[str, str]:
    labels: dict[str, str] = dict(given["tags"] or {})
    labels[RUN_NAME] = given["run_name"] or labels.get(RUN_NAME) or invent_name()
    rules.check_pairs([Tag(key, value) for key, value in labels.items()], "tag")
    # A run that was made elsewhere: what it says of its models is kept as such, as an import keeps it.
    return labels | {key: imported_tag(labels[key]) for key in rules.RESERVED.intersection(labels)}


def _points(given: Mapping[str, Any]) -> list[Metric]:
    time = given["end_time"] or given["start_time"] or now_ms()
    last = [Metric(key, value, time) for key, value in (given["metrics"] or {}).items()]
    points: list[Metric] = [*(given["points"] or []), *last]
    for point in points:
        rules.check_metric(point)
    return points


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else str(value)


def _decode(files: Sequence[InlineFile]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for item in files:
        path = check_path(item.path)
        if path in found or (item.text and item.base64):
            raise InvalidParameter(
                f"The artifact {path!r} is given twice; give each path once, as text or as base64."
            )
        try:
            content = base64.b64decode(item.base64, validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidParameter(f"The artifact {path!r} is no valid base64: {error}.") from error
        found[path] = content or item.text.encode()
    total = sum(len(content) for content in found.values())
    if total > MAX_INLINE:
        raise InvalidParameter(
            f"The artifacts have {total:,} bytes together, more than {MAX_INLINE:,}: register the run "
            "without them and upload them one by one."
        )
    return found


def _write(locations: Locations, uri: str, files: Mapping[str, bytes]) -> dict[str, Written]:
    if not files:
        return {}
    target = locations.files(uri)
    written: dict[str, Written] = {}
    try:
        for path, content in files.items():
            written[path] = target.write(path, io.BytesIO(content))
    except MltrackError:
        for path in written:
            target.delete(path)
        raise
    return written
