"""Logged models (MLflow 3) in SQL."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, Table, and_, delete, select, update

from mltrack_jupyter.entities import (
    FileList,
    LoggedModel,
    LoggedModelData,
    LoggedModelInfo,
    LoggedModelStatus,
    ModelDataset,
    ModelOrder,
    ModelRecord,
    Page,
    Param,
    Tag,
)
from mltrack_jupyter.errors import BadRequest, InvalidParameter, NotFound
from mltrack_jupyter.services import Download, LoggedModels
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.artifacts import check_path, plain_path
from mltrack_jupyter.store.names import invent_name
from mltrack_jupyter.store.sql import model_places
from mltrack_jupyter.store.sql.change_log import record_change
from mltrack_jupyter.store.sql.database import Database, held, now_ms
from mltrack_jupyter.store.sql.experiments import find_active_experiment
from mltrack_jupyter.store.sql.logged_model_search import in_order, matching
from mltrack_jupyter.store.sql.model_points import missing, points_of
from mltrack_jupyter.store.sql.paging import decode_token, encode_token
from mltrack_jupyter.store.sql.run_artifacts import Reach, children
from mltrack_jupyter.store.sql.run_models import note_model
from mltrack_jupyter.store.sql.run_reads import find_active_run, find_run
from mltrack_jupyter.store.sql.tables import (
    logged_model_params,
    logged_model_tags,
    logged_models,
)
from mltrack_jupyter.store.sql.types import teller
from mltrack_jupyter.store.sql.upserts import insert_row, upsert

T = TypeVar("T")

_MAX_PAGE = 50_000


def find_logged_model(connection: Connection, model_id: str) -> Row[Any]:
    """Return the row of a logged model that is not deleted. Raises ``NotFound``."""
    query = select(logged_models).where(
        logged_models.c.model_id == model_id, logged_models.c.deleted.is_(False)
    )
    row = connection.execute(held(connection, query)).first()
    if row is None:
        raise NotFound(missing(model_id))
    return row


def load_models(
    connection: Connection, rows: Sequence[Row[Any]], *, points: bool = True
) -> list[LoggedModel]:
    """Return rows as entities, with their points if these are wanted."""
    numbers = [row.id for row in rows]
    labels = _pairs_of(connection, logged_model_tags, Tag, numbers)
    values = _pairs_of(connection, logged_model_params, Param, numbers)
    ids = {row.id: row.model_id for row in rows}
    found = points_of(connection, ids) if points else {number: [] for number in numbers}
    paths = model_places.paths_of(connection, numbers)
    told = teller(connection)
    return [
        LoggedModel(
            info=LoggedModelInfo(
                model_id=row.model_id,
                experiment_id=str(row.experiment),
                name=row.name,
                creation_timestamp_ms=row.creation_timestamp,
                last_updated_timestamp_ms=row.last_updated_timestamp,
                artifact_uri=told(row.artifact_uri),
                status=LoggedModelStatus(row.status),
                model_type=row.model_type,
                source_run_id=row.source_run_id,
                artifact_path=paths.get(row.id, ""),
                tag_list=labels[row.id],
            ),
            data=LoggedModelData(param_list=values[row.id], metrics=found[row.id]),
        )
        for row in rows
    ]


def _pairs_of(
    connection: Connection, table: Table, kind: Callable[[str, str], T], numbers: Sequence[int]
) -> dict[int, list[T]]:
    found: dict[int, list[T]] = {number: [] for number in numbers}
    query = select(table).where(table.c.logged_model.in_(numbers)).order_by(table.c.key)
    for number, key, value in connection.execute(query):
        found[number].append(kind(key, value))
    return found


class SqlLoggedModels(LoggedModels):
    """Logged models in SQL."""

    def __init__(self, database: Database, reach: Reach) -> None:
        self._database = database
        self._reach = reach

    def create(
        self,
        experiment_id: str,
        name: str = "",
        model_type: str = "",
        source_run_id: str = "",
        params: list[Param] | None = None,
        tags: list[Tag] | None = None,
        artifact_path: str = "",
    ) -> LoggedModel:
        rules.check_logged_name(name)
        _check_unique(params or [], "params")
        _check_unique(tags or [], "tags")
        model_id, now = f"m-{uuid.uuid4().hex}", now_ms()
        with self._database.write() as connection:
            experiment = find_active_experiment(connection, experiment_id)
            if artifact_path:
                check_path(artifact_path)
                find_run(connection, source_run_id)
            row = {
                "model_id": model_id,
                "experiment": experiment.id,
                "name": name or invent_name(),
                "model_type": model_type,
                "source_run_id": source_run_id,
                "artifact_uri": f"{experiment.artifact_location}/models/{model_id}/artifacts",
                "status": LoggedModelStatus.PENDING.value,
                "creation_timestamp": now,
                "last_updated_timestamp": now,
                "deleted": False,
            }
            number = insert_row(connection, logged_models, row)
            if artifact_path:
                model_places.put_path(connection, number, source_run_id, artifact_path)
            upsert(connection, logged_model_params, _pairs(number, params or []))
            upsert(connection, logged_model_tags, _pairs(number, tags or []))
            record_change(connection, "logged_model", model_id, "create", parent_id=experiment_id)
            return load_models(connection, [find_logged_model(connection, model_id)])[0]

    def note(self, run_id: str, model: ModelRecord) -> None:
        with self._database.write() as connection:
            row = find_active_run(connection, run_id)
            note_model(connection, row, model)
            parent = str(row.experiment)
            record_change(connection, "run", run_id, "log", parent_id=parent)

    def get(self, model_id: str) -> LoggedModel:
        with self._database.read() as connection:
            return load_models(connection, [find_logged_model(connection, model_id)])[0]

    def finalize(self, model_id: str, status: LoggedModelStatus) -> LoggedModel:
        with self._database.write() as connection:
            row = find_logged_model(connection, model_id)
            if row.status == model_places.READY != status.value:
                raise InvalidParameter(
                    f"The logged model {model_id} is ready, and stays so: it cannot become "
                    f"{status.value}. Log another model, or delete this one."
                )
            _touch(connection, row, status=status.value)
            return load_models(connection, [find_logged_model(connection, model_id)])[0]

    def delete(self, model_id: str) -> None:
        with self._database.write() as connection:
            query = select(logged_models).where(logged_models.c.model_id == model_id)
            row = connection.execute(query).first()
            if row is None:
                raise NotFound(missing(model_id))
            _touch(connection, row, "update" if row.deleted else "delete", deleted=True)

    def restore(self, model_id: str) -> None:
        with self._database.write() as connection:
            query = select(logged_models).where(logged_models.c.model_id == model_id)
            row = connection.execute(held(connection, query)).first()
            if row is None:
                raise NotFound(missing(model_id))
            if row.deleted:
                find_active_experiment(connection, str(row.experiment))
                _touch(connection, row, "restore", deleted=False)

    def search(
        self,
        experiment_ids: list[str] | None = None,
        filter: str = "",
        max_results: int | None = None,
        page_token: str = "",
        order_by: list[ModelOrder] | None = None,
        datasets: list[ModelDataset] | None = None,
    ) -> Page[LoggedModel]:
        size = rules.check_page_size(50 if max_results is None else max_results or 100, 2**31 - 1)
        size = min(size, _MAX_PAGE)
        offset = decode_token(page_token)
        numbers = rules.parse_experiment_ids(experiment_ids or [])
        among = and_(logged_models.c.experiment.in_(numbers), logged_models.c.deleted.is_(False))
        query = matching(among, filter, datasets or [])
        query = in_order(query, order_by or [], among)
        with self._database.read() as connection:
            rows = connection.execute(query.offset(offset).limit(size + 1)).all()
            found = load_models(connection, rows[:size])
        return Page(found, encode_token(offset + size) if len(rows) > size else "")

    def set_tags(self, model_id: str, tags: list[Tag] | None = None) -> None:
        with self._database.write() as connection:
            row = find_logged_model(connection, model_id)
            upsert(connection, logged_model_tags, _pairs(row.id, tags or []))
            _touch(connection, row)

    def delete_tag(self, model_id: str, tag_key: str) -> None:
        table = logged_model_tags
        with self._database.write() as connection:
            row = find_logged_model(connection, model_id)
            mine = (table.c.logged_model == row.id, table.c.key == tag_key)
            if not connection.execute(delete(table).where(*mine)).rowcount:
                raise NotFound(
                    f"No tag with key {rules.short(tag_key)} found for the logged model with ID {model_id}."
                )
            _touch(connection, row)

    def log_params(self, model_id: str, params: list[Param] | None = None) -> None:
        _check_unique(params or [], "params")
        with self._database.write() as connection:
            row = find_logged_model(connection, model_id)
            rows = _pairs(row.id, params or [])
            if upsert(connection, logged_model_params, rows, replace=False) < len(rows):
                raise BadRequest(
                    f"A param of the logged model {model_id} exists already; params are written once."
                )
            _touch(connection, row)

    def list_artifacts(
        self,
        model_id: str,
        artifact_directory_path: str = "",
        page_token: str = "",  # noqa: ARG002 - a folder is answered whole
    ) -> FileList:
        uri = self._place(model_id)
        return children(self._reach.recorded(uri), self._reach.told(uri), artifact_directory_path)

    def read_artifact(self, model_id: str, artifact_file_path: str) -> Download:
        return self._reach.recorded(self._place(model_id)).open(
            plain_path(artifact_file_path, back=False)
        )

    def _place(self, model_id: str) -> str:
        with self._database.read() as connection:
            uri: str = find_logged_model(connection, model_id).artifact_uri
            return uri


def _check_unique(items: Sequence[Tag] | Sequence[Param], kind: str) -> None:
    if len({item.key for item in items}) < len(items):
        raise BadRequest(f"Two {kind} of the logged model have the same key.")


def _pairs(number: int, items: Sequence[Tag] | Sequence[Param]) -> list[dict[str, Any]]:
    values = {item.key: item.value for item in items}
    return [{"logged_model": number, "key": key, "value": value} for key, value in values.items()]


def _touch(connection: Connection, row: Row[Any], action: str = "update", **values: Any) -> None:
    statement = update(logged_models).where(logged_models.c.id == row.id)
    connection.execute(statement.values(last_updated_timestamp=now_ms(), **values))
    parent = str(row.experiment)
    record_change(connection, "logged_model", row.model_id, action, parent_id=parent)
