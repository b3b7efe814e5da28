"""Logged models (MLflow 3) in SQL."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from mltrack_jupyter.entities import (
    LoggedModel,
    LoggedModelData,
    LoggedModelInfo,
    LoggedModelStatus,
    Page,
    Param,
    Tag,
)
from mltrack_jupyter.errors import InvalidParameter, NotFound
from mltrack_jupyter.services import LoggedModels
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.sql.database import Database, now_ms, record_change, upsert
from mltrack_jupyter.store.sql.experiments import find_active_experiment
from mltrack_jupyter.store.sql.names import invent_name
from mltrack_jupyter.store.sql.paging import decode_token, encode_token
from mltrack_jupyter.store.sql.search import LOGGED_MODEL_FIELDS, filtered
from mltrack_jupyter.store.sql.tables import logged_model_params, logged_model_tags, logged_models

_FORBIDDEN = re.compile(r"""[/:.%"']""")


def find_logged_model(connection: Connection, model_id: str) -> Row[Any]:
    """Return the row of a logged model that is not deleted. Raises ``NotFound``."""
    query = select(logged_models).where(
        logged_models.c.model_id == model_id, logged_models.c.deleted.is_(False)
    )
    row = connection.execute(query).first()
    if row is None:
        raise NotFound(f"Logged model with ID {rules.short(model_id)} not found.")
    return row


def _load(connection: Connection, rows: Sequence[Row[Any]]) -> list[LoggedModel]:
    numbers = [row.id for row in rows]
    labels: dict[int, list[Tag]] = {number: [] for number in numbers}
    values: dict[int, list[Param]] = {number: [] for number in numbers}
    for table, kind, into in (
        (logged_model_tags, Tag, labels),
        (logged_model_params, Param, values),
    ):
        query = select(table).where(table.c.logged_model.in_(numbers)).order_by(table.c.key)
        for number, key, value in connection.execute(query):
            into[number].append(kind(key, value))  # type: ignore[attr-defined]
    return [
        LoggedModel(
            info=LoggedModelInfo(
                model_id=row.model_id,
                experiment_id=str(row.experiment),
                name=row.name,
                creation_timestamp_ms=row.creation_timestamp,
                last_updated_timestamp_ms=row.last_updated_timestamp,
                artifact_uri=row.artifact_uri,
                status=LoggedModelStatus(row.status),
                model_type=row.model_type,
                source_run_id=row.source_run_id,
                tag_list=labels[row.id],
            ),
            data=LoggedModelData(param_list=values[row.id]),
        )
        for row in rows
    ]


class SqlLoggedModels(LoggedModels):
    """Logged models in SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        experiment_id: str,
        name: str = "",
        model_type: str = "",
        source_run_id: str = "",
        params: list[Param] | None = None,
        tags: list[Tag] | None = None,
    ) -> LoggedModel:
        if _FORBIDDEN.search(name) or len(name) > rules.MAX_EXPERIMENT_NAME:
            raise InvalidParameter(
                f"Invalid model name {rules.short(name)}: it must not hold any of / : . % \" ' and may "
                f"have at most {rules.MAX_EXPERIMENT_NAME} characters."
            )
        rules.check_unique(params or [], "param")
        model_id, now = f"m-{uuid.uuid4().hex}", now_ms()
        with self._database.write() as connection:
            experiment = find_active_experiment(connection, experiment_id)
            row = {
                "model_id": model_id,
                "experiment": experiment.id,
                "name": name or invent_name(),
                "model_type": model_type,
                "source_run_id": source_run_id,
                "artifact_uri": f"{experiment.artifact_location}/models/{model_id}/artifacts",
                "status": LoggedModelStatus.LOGGED_MODEL_PENDING.value,
                "creation_timestamp": now,
                "last_updated_timestamp": now,
                "deleted": False,
            }
            number = connection.execute(insert(logged_models), row).inserted_primary_key[0]
            upsert(connection, logged_model_params, _pairs(number, params or []))
            upsert(connection, logged_model_tags, _pairs(number, tags or []))
            record_change(connection, "logged_model", model_id, "create", parent_id=experiment_id)
            return _load(connection, [find_logged_model(connection, model_id)])[0]

    def get(self, model_id: str) -> LoggedModel:
        with self._database.read() as connection:
            return _load(connection, [find_logged_model(connection, model_id)])[0]

    def finalize(self, model_id: str, status: LoggedModelStatus) -> LoggedModel:
        with self._database.write() as connection:
            row = find_logged_model(connection, model_id)
            _touch(connection, row, status=status.value)
            return _load(connection, [find_logged_model(connection, model_id)])[0]

    def delete(self, model_id: str) -> None:
        with self._database.write() as connection:
            query = select(logged_models).where(logged_models.c.model_id == model_id)
            row = connection.execute(query).first()
            if row is None:
                raise NotFound(f"Logged model with ID {rules.short(model_id)} not found.")
            _touch(connection, row, deleted=True)

    def search(
        self,
        experiment_ids: list[str] | None = None,
        filter: str = "",
        max_results: int | None = None,
        page_token: str = "",
    ) -> Page[LoggedModel]:
        size = rules.check_page_size(50 if max_results is None else max_results or 100, 50_000)
        offset = decode_token(page_token)
        numbers = [rules.parse_experiment_id(item) for item in experiment_ids or []]
        query = select(logged_models).where(
            logged_models.c.experiment.in_(numbers), logged_models.c.deleted.is_(False)
        )
        query = filtered(query, LOGGED_MODEL_FIELDS, filter).order_by(
            logged_models.c.creation_timestamp.desc(), logged_models.c.model_id
        )
        with self._database.read() as connection:
            rows = connection.execute(query.offset(offset).limit(size + 1)).all()
            found = _load(connection, rows[:size])
        return Page(found, encode_token(offset + size) if len(rows) > size else "")

    def set_tags(self, model_id: str, tags: list[Tag] | None = None) -> LoggedModel:
        with self._database.write() as connection:
            row = find_logged_model(connection, model_id)
            upsert(connection, logged_model_tags, _pairs(row.id, tags or []))
            _touch(connection, row)
            return _load(connection, [find_logged_model(connection, model_id)])[0]

    def log_params(self, model_id: str, params: list[Param] | None = None) -> None:
        rules.check_unique(params or [], "param")
        with self._database.write() as connection:
            row = find_logged_model(connection, model_id)
            rows = _pairs(row.id, params or [])
            if upsert(connection, logged_model_params, rows, replace=False) < len(rows):
                raise InvalidParameter(
                    f"A param of the logged model {model_id} exists already; params are written once."
                )
            _touch(connection, row)


def _pairs(number: int, items: Sequence[Tag] | Sequence[Param]) -> list[dict[str, Any]]:
    values = {item.key: item.value for item in items}
    return [{"logged_model": number, "key": key, "value": value} for key, value in values.items()]


def _touch(connection: Connection, row: Row[Any], **values: Any) -> None:
    statement = update(logged_models).where(logged_models.c.id == row.id)
    connection.execute(statement.values(last_updated_timestamp=now_ms(), **values))
    parent = str(row.experiment)
    record_change(connection, "logged_model", row.model_id, "update", parent_id=parent)
