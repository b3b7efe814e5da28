"""Registered models in SQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from mltrack_jupyter.entities import STAGES, ModelVersion, Page, RegisteredModel, Tag
from mltrack_jupyter.errors import AlreadyExists, InvalidParameter
from mltrack_jupyter.services import RegisteredModels
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.sql import version_writes
from mltrack_jupyter.store.sql.change_log import record_change
from mltrack_jupyter.store.sql.database import Database, now_ms
from mltrack_jupyter.store.sql.logged_models import find_logged_model
from mltrack_jupyter.store.sql.model_places import newest_model
from mltrack_jupyter.store.sql.paging import decode_token, encode_token
from mltrack_jupyter.store.sql.registry_reads import (
    find_model,
    find_version,
    load_models,
    load_versions,
)
from mltrack_jupyter.store.sql.run_reads import find_active_run
from mltrack_jupyter.store.sql.search import IS_PROMPT, REGISTERED_MODEL_FIELDS, Filter, Order
from mltrack_jupyter.store.sql.tables import (
    aliases,
    registered_model_tags,
    registered_models,
)
from mltrack_jupyter.store.sql.upserts import insert_row, upsert

_NO_PROMPTS = Filter(REGISTERED_MODEL_FIELDS, f"tags.`{IS_PROMPT}` = 'false'")


class SqlRegisteredModels(RegisteredModels):
    """Registered models in SQL."""

    def __init__(self, database: Database, sources: version_writes.Sources) -> None:
        self._database = database
        self._sources = sources

    def create(
        self, name: str, tags: list[Tag] | None = None, description: str = ""
    ) -> RegisteredModel:
        rules.check_model_name(name)
        rules.check_pairs(tags or [], "tag", rules.MAX_REGISTRY_TAG)
        with self._database.write() as connection:
            query = select(registered_models.c.id).where(registered_models.c.name == name)
            if connection.execute(query).first():
                raise AlreadyExists(f"Registered Model (name={name}) already exists.")
            number = _create(connection, name, description)
            _set_tags(connection, number, tags or [])
            return load_models(connection, [find_model(connection, name)])[0]

    def rename(self, name: str, new_name: str) -> RegisteredModel:
        rules.check_model_name(new_name)
        with self._database.write() as connection:
            row = find_model(connection, name)
            query = select(registered_models.c.id).where(registered_models.c.name == new_name)
            if connection.execute(query).scalar() not in (None, row.id):
                raise AlreadyExists(f"Registered Model (name={new_name}) already exists.")
            touch(connection, row, "rename", f"{name} -> {new_name}", name=new_name)
            return load_models(connection, [find_model(connection, new_name)])[0]

    def update(self, name: str, description: str = "") -> RegisteredModel:
        rules.check_text(description, "description")
        with self._database.write() as connection:
            touch(connection, find_model(connection, name), "update", description=description)
            return load_models(connection, [find_model(connection, name)])[0]

    def delete(self, name: str) -> None:
        with self._database.write() as connection:
            row = find_model(connection, name)
            connection.execute(delete(registered_models).where(registered_models.c.id == row.id))
            record_change(connection, "registered_model", name, "delete")

    def get(self, name: str) -> RegisteredModel:
        with self._database.read() as connection:
            return load_models(connection, [find_model(connection, name)])[0]

    def search(
        self,
        filter: str = "",
        max_results: int = 100,
        order_by: list[str] | None = None,
        page_token: str = "",
    ) -> Page[RegisteredModel]:
        rules.check_page_size(max_results, 1000, least=0)
        offset = decode_token(page_token)
        query = Filter(REGISTERED_MODEL_FIELDS, filter).of(select(registered_models))
        if IS_PROMPT not in filter:
            query = _NO_PROMPTS.of(query)
        query = Order(REGISTERED_MODEL_FIELDS, order_by or []).of(query)
        query = query.order_by(registered_models.c.name)
        with self._database.read() as connection:
            rows = connection.execute(query.offset(offset).limit(max_results + 1)).all()
            found = load_models(connection, rows[:max_results])
        more = encode_token(offset + max_results) if len(rows) > max_results else ""
        return Page(found, more)

    def get_latest_versions(self, name: str, stages: list[str] | None = None) -> list[ModelVersion]:
        wanted = {rules.parse_stage(stage) for stage in stages or STAGES}
        with self._database.read() as connection:
            model = load_models(connection, [find_model(connection, name)])[0]
        return [item for item in model.latest_versions if item.current_stage in wanted]

    def set_tag(self, name: str, key: str, value: str = "") -> None:
        rules.check_pairs([Tag(key, value)], "tag", rules.MAX_REGISTRY_TAG)
        with self._database.write() as connection:
            row = find_model(connection, name)
            _set_tags(connection, row.id, [Tag(key, value)])
            touch(connection, row, "set-tag", key)

    def delete_tag(self, name: str, key: str) -> None:
        rules.check_key(key, "tag")
        with self._database.write() as connection:
            row = find_model(connection, name)
            table = registered_model_tags
            connection.execute(
                delete(table).where(table.c.registered_model == row.id, table.c.key == key)
            )
            touch(connection, row, "delete-tag", key)

    def set_alias(self, name: str, alias: str, version: str) -> None:
        rules.check_alias(alias)
        with self._database.write() as connection:
            row = find_version(connection, name, version)
            version_writes.point_alias(connection, row, alias)

    def get_by_alias(self, name: str, alias: str) -> ModelVersion:
        with self._database.read() as connection:
            row = find_model(connection, name)
            model = load_models(connection, [row])[0]
            version = model.aliases.get(alias)
            if version is None and alias.lower() == "latest" and model.latest_versions:
                version = max((item.version for item in model.latest_versions), key=int)
            if version is None:
                known = ", ".join(model.aliases) or "none"
                raise InvalidParameter(
                    f"Registered model alias {alias} not found for the model {name}; "
                    f"its aliases are: {known}."
                )
            return load_versions(connection, [find_version(connection, name, version)])[0]

    def delete_alias(self, name: str, alias: str) -> None:
        rules.check_alias_name(alias)
        with self._database.write() as connection:
            row = find_model(connection, name)
            gone = connection.execute(
                delete(aliases).where(
                    aliases.c.registered_model == row.id, aliases.c.alias == alias
                )
            )
            if gone.rowcount:
                record_change(connection, "registered_model", name, "delete-alias", detail=alias)

    def register(
        self,
        name: str,
        run_id: str,
        artifact_path: str = "",
        alias: str = "",
        stage: str = "",
        description: str = "",
        model_id: str = "",
    ) -> ModelVersion:
        rules.check_model_name(name)
        stage = rules.parse_stage(stage) if stage else "None"
        if alias:
            rules.check_alias(alias)
        with self._database.write() as connection:
            run = find_active_run(connection, run_id)
            values = self._made_of(connection, run, artifact_path, model_id)
            values |= {"run_id": run_id, "description": description, "current_stage": stage}
            query = select(registered_models).where(registered_models.c.name == name)
            if connection.execute(query).first() is None:
                _create(connection, name, "")
            row = version_writes.add_version(connection, find_model(connection, name), values)
            if row.model_id:
                version_writes.name_on_logged_model(connection, row)
            if alias:
                version_writes.point_alias(connection, row, alias)
            return load_versions(connection, [row])[0]

    def _made_of(
        self, connection: Connection, run: Row[Any], path: str, model_id: str
    ) -> dict[str, Any]:
        """Return what a version is made of: a logged model of a run, or a folder of its artifacts."""
        if not model_id:
            path = path or version_writes.model_path(connection, run)
            newest = newest_model(connection, run.run_id, path)
            model_id = newest.model_id if newest else ""
        source = f"models:/{model_id}" if model_id else f"runs:/{run.run_id}/{path}"
        location = self._sources.check(connection, source, run.run_id, model_id)
        if model_id and find_logged_model(connection, model_id).source_run_id != run.run_id:
            raise InvalidParameter(
                f"The logged model {model_id} is not one of the run {run.run_id}."
            )
        return {"source": source, "download_uri": location, "model_id": model_id}


def _create(connection: Connection, name: str, description: str) -> int:
    now = now_ms()
    row = {
        "name": name,
        "description": description,
        "creation_timestamp": now,
        "last_updated_timestamp": now,
        "last_version": 0,
    }
    number: int = insert_row(connection, registered_models, row)
    record_change(connection, "registered_model", name, "create")
    return number


def touch(
    connection: Connection, row: Row[Any], action: str, detail: str = "", **values: Any
) -> None:
    """Change values of a registered model, and the time of its last update."""
    statement = update(registered_models).where(registered_models.c.id == row.id)
    connection.execute(statement.values(last_updated_timestamp=now_ms(), **values))
    name = values.get("name", row.name)
    record_change(connection, "registered_model", name, action, detail=detail)


def _set_tags(connection: Connection, number: int, tags: list[Tag]) -> None:
    values = {tag.key: tag.value for tag in tags}
    rows = [{"registered_model": number, "key": key, "value": values[key]} for key in values]
    upsert(connection, registered_model_tags, rows)
