"""What a run remembers of the models that it made: two tags, ours and MLflow's."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Row, select

from mltrack_jupyter.entities import MadeModel, ModelRecord, RunEntry
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.artifacts import check_path
from mltrack_jupyter.store.sql.change_log import record_change
from mltrack_jupyter.store.sql.database import now_ms
from mltrack_jupyter.store.sql.model_places import READY, put_path
from mltrack_jupyter.store.sql.run_links import add_models
from mltrack_jupyter.store.sql.tables import (
    logged_model_params,
    logged_model_tags,
    logged_models,
    tags,
)
from mltrack_jupyter.store.sql.upserts import insert_row, upsert

_REMEMBERED = 100
"""How many models MLflow's list of a run has: each is a page of text, which is written again for the next."""


def check_record(record: ModelRecord) -> None:
    """Refuse what describes no model. Raises ``InvalidParameter``."""
    check_path(record.artifact_path)
    if record.model_id and not rules.MODEL_ID.match(record.model_id):
        raise InvalidParameter(
            f"Invalid value {rules.short(record.model_id)} for parameter 'model_id' supplied: it is 'm-' "
            "and 32 hexadecimal digits."
        )
    if record.entry and not isinstance(_read(record.entry), dict):
        raise InvalidParameter(
            f"Invalid value {rules.short(record.entry)} for parameter 'entry' supplied: a JSON object is "
            "expected."
        )


def note_model(connection: Connection, run: Row[Any], record: ModelRecord) -> None:
    """Note a model as the newest of its run."""
    check_record(record)
    values = {rules.MODEL_TAG: record.to_tag()}
    if record.entry:
        query = select(tags.c.value).where(tags.c.run == run.id, tags.c.key == rules.HISTORY_TAG)
        before = _read(connection.execute(query).scalar() or "[]")
        known = before if isinstance(before, list) else []
        values[rules.HISTORY_TAG] = json.dumps([*known, _read(record.entry)][-_REMEMBERED:])
    for key, value in values.items():
        rules.check_text(value, "tag", key=key)
    upsert(
        connection,
        tags,
        [{"run": run.id, "key": key, "value": values[key]} for key in sorted(values)],
    )


def imported_tag(value: str) -> str:
    """Return that tag as it is kept of a run that was made elsewhere."""
    content = _read(value)
    return json.dumps({**content, "foreign": True}) if isinstance(content, dict) else value


def without_reserved(entries: Sequence[RunEntry], refused: dict[str, str]) -> Sequence[RunEntry]:
    """Return the entries of a journal without tags that only the store sets; those are refused."""
    found = []
    for entry in entries:
        free = [tag for tag in entry.tags if tag.key not in rules.RESERVED]
        if len(free) < len(entry.tags):
            refused[entry.run_id] = f"The tag {rules.MODEL_TAG!r} is reserved, and was left out."
            entry = replace(entry, tags=free)
        found.append(entry)
    return found


def check_made(made: MadeModel) -> None:
    """Refuse what is no model that was made while the store was away. Raises ``InvalidParameter``."""
    check_record(made.record)
    check_path(made.place)
    if not made.record.model_id:
        raise InvalidParameter("A model that was made while the store was away has an id: 'm-…'.")
    rules.check_pairs(made.params, "param")
    rules.check_pairs(made.tags, "tag")


def add_made(connection: Connection, run: Row[Any], made: Sequence[MadeModel]) -> None:
    """Write models that a process made while the store was away; those that are there already are left."""
    ids = [model.record.model_id for model in made]
    query = select(logged_models.c.model_id).where(logged_models.c.model_id.in_(ids))
    known = set(connection.execute(query).scalars())
    for model in made:
        record = model.record
        if record.model_id in known:
            continue
        add_row(connection, run, model, f"{run.artifact_uri}/{model.place}")
        record_change(
            connection, "logged_model", record.model_id, "create", parent_id=str(run.experiment)
        )
        note_model(connection, run, record)


def add_row(
    connection: Connection,
    run: Row[Any],
    model: MadeModel,
    uri: str,
    inherit: Callable[[int], object] | None = None,
) -> int:
    """Write a model whose files are all there, as an output of its run; return its number.

    ``inherit`` gives the model of that number the params that its own go before.
    """
    record, now = model.record, now_ms()
    row = {
        "model_id": record.model_id,
        "experiment": run.experiment,
        "name": rules.logged_name(record.artifact_path),
        "model_type": model.model_type,
        "source_run_id": run.run_id,
        "artifact_uri": uri,
        "status": READY,
        "creation_timestamp": now,
        "last_updated_timestamp": now,
        "deleted": False,
    }
    number = insert_row(connection, logged_models, row)
    put_path(connection, number, run.run_id, record.artifact_path)
    if inherit is not None:
        inherit(number)
    for table, pairs in ((logged_model_params, model.params), (logged_model_tags, model.tags)):
        values = {pair.key: pair.value for pair in pairs}
        upsert(
            connection,
            table,
            [{"logged_model": number, "key": key, "value": values[key]} for key in values],
        )
    add_models(connection, run, "output", [(record.model_id, model.step)])
    return number


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
