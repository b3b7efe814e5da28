"""Versions of registered models in SQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, delete, update

from mltrack_jupyter.entities import ModelVersion, Page, Tag
from mltrack_jupyter.errors import InvalidParameter, NotFound
from mltrack_jupyter.services import Download, ModelVersions
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.artifacts import check_path, scheme_of
from mltrack_jupyter.store.sql.database import Database, now_ms
from mltrack_jupyter.store.sql.paging import decode_token, encode_token
from mltrack_jupyter.store.sql.registry_reads import (
    find_model,
    find_version,
    load_versions,
    select_versions,
)
from mltrack_jupyter.store.sql.run_artifacts import Reach
from mltrack_jupyter.store.sql.search import IS_PROMPT, MODEL_VERSION_FIELDS, Filter, Order
from mltrack_jupyter.store.sql.tables import (
    aliases,
    model_version_tags,
    model_versions,
    registered_models,
)
from mltrack_jupyter.store.sql.types import teller
from mltrack_jupyter.store.sql.upserts import upsert
from mltrack_jupyter.store.sql.version_writes import (
    Sources,
    add_version,
    location_of,
    name_on_logged_model,
    version_changed,
)

_NEWEST = ["last_updated_timestamp DESC"]
_ACTIVE = ("Staging", "Production")


class SqlModelVersions(ModelVersions):
    """Versions of registered models in SQL."""

    def __init__(self, database: Database, sources: Sources, reach: Reach) -> None:
        self._database = database
        self._sources = sources
        self._reach = reach

    def create(
        self,
        name: str,
        source: str,
        run_id: str = "",
        tags: list[Tag] | None = None,
        run_link: str = "",
        description: str = "",
        model_id: str = "",
    ) -> ModelVersion:
        rules.check_pairs(tags or [], "tag", rules.MAX_REGISTRY_TAG)
        rules.check_text(description, "description")
        with self._database.write() as connection:
            model = find_model(connection, name)
            source = self._sources.spelled(connection, source, run_id, model_id)
            location = self._sources.check(
                connection, source, run_id, model_id, prompt=_is_prompt(tags)
            )
            model_id = model_id or self._sources.model_of(connection, source, run_id)
            values = {
                "source": source,
                "download_uri": location,
                "run_id": run_id or self._sources.run_of(connection, source, model_id),
                "run_link": run_link,
                "model_id": model_id,
                "description": description,
            }
            row = add_version(connection, model, values)
            _set_tags(connection, row.id, tags or [])
            if model_id:
                name_on_logged_model(connection, row)
            return load_versions(connection, [row])[0]

    def update(self, name: str, version: str, description: str = "") -> ModelVersion:
        rules.check_text(description, "description")
        with self._database.write() as connection:
            row = find_version(connection, name, version)
            _touch(connection, row, "update", description=description)
            return load_versions(connection, [find_version(connection, name, version)])[0]

    def transition_stage(
        self, name: str, version: str, stage: str, archive_existing_versions: bool = False
    ) -> ModelVersion:
        target = rules.parse_stage(stage)
        if archive_existing_versions and target not in _ACTIVE:
            raise InvalidParameter(
                f"Only versions in {' or '.join(_ACTIVE)} can be archived by another one, not those in "
                f"{target!r}: leave archive_existing_versions out."
            )
        with self._database.write() as connection:
            row = find_version(connection, name, version)
            if archive_existing_versions:
                others = select_versions().where(
                    model_versions.c.registered_model == row.registered_model,
                    model_versions.c.current_stage == target,
                    model_versions.c.id != row.id,
                )
                for other in connection.execute(others).all():
                    _touch(
                        connection, other, "transition-stage", "Archived", current_stage="Archived"
                    )
            _touch(connection, row, "transition-stage", target, current_stage=target)
            _touch_model(connection, row)
            return load_versions(connection, [find_version(connection, name, version)])[0]

    def delete(self, name: str, version: str) -> None:
        with self._database.write() as connection:
            row = find_version(connection, name, version)
            connection.execute(
                delete(aliases).where(
                    aliases.c.registered_model == row.registered_model,
                    aliases.c.version == row.version,
                )
            )
            connection.execute(delete(model_versions).where(model_versions.c.id == row.id))
            _touch_model(connection, row)
            # What it was made of, so that its number never comes to mean anything else.
            version_changed(connection, row, "delete", row.source)

    def get(self, name: str, version: str) -> ModelVersion:
        with self._database.read() as connection:
            return load_versions(connection, [find_version(connection, name, version)])[0]

    def search(
        self,
        filter: str = "",
        max_results: int = 200_000,
        order_by: list[str] | None = None,
        page_token: str = "",
    ) -> Page[ModelVersion]:
        rules.check_page_size(max_results, 200_000)
        offset = decode_token(page_token)
        query = Filter(MODEL_VERSION_FIELDS, filter).of(select_versions())
        query = (
            Order(MODEL_VERSION_FIELDS, order_by or _NEWEST)
            .of(query)
            .order_by(registered_models.c.name, model_versions.c.version.desc())
        )
        with self._database.read() as connection:
            rows = connection.execute(query.offset(offset).limit(max_results + 1)).all()
            found = load_versions(connection, rows[:max_results])
        more = encode_token(offset + max_results) if len(rows) > max_results else ""
        return Page(found, more)

    def get_download_uri(self, name: str, version: str) -> str:
        with self._database.read() as connection:
            found = location_of(connection, find_version(connection, name, version))
            return teller(connection)(found)

    def read_artifact(self, name: str, version: str, path: str) -> Download:
        with self._database.read() as connection:
            place: str = find_version(connection, name, version).download_uri
        if scheme_of(place) == "runs":
            raise NotFound(
                f"The files of version {version} of the model {name!r} are not here: {place}."
            )
        return self._reach.recorded(place).open(check_path(path))

    def set_tag(self, name: str, version: str, key: str, value: str = "") -> None:
        rules.check_pairs([Tag(key, value)], "tag", rules.MAX_REGISTRY_TAG)
        with self._database.write() as connection:
            row = find_version(connection, name, version)
            _set_tags(connection, row.id, [Tag(key, value)])
            _touch(connection, row, "set-tag", key)

    def delete_tag(self, name: str, version: str, key: str) -> None:
        with self._database.write() as connection:
            row = find_version(connection, name, version)
            table = model_version_tags
            connection.execute(
                delete(table).where(table.c.model_version == row.id, table.c.key == key)
            )
            _touch(connection, row, "delete-tag", key)


def _is_prompt(tags: list[Tag] | None) -> bool:
    return any(tag.key == IS_PROMPT and tag.value.lower() == "true" for tag in tags or [])


def _touch(
    connection: Connection, row: Row[Any], action: str, detail: str = "", **values: Any
) -> None:
    statement = update(model_versions).where(model_versions.c.id == row.id)
    connection.execute(statement.values(last_updated_timestamp=now_ms(), **values))
    version_changed(connection, row, action, detail)


def _touch_model(connection: Connection, row: Row[Any]) -> None:
    statement = update(registered_models).where(registered_models.c.id == row.registered_model)
    connection.execute(statement.values(last_updated_timestamp=now_ms()))


def _set_tags(connection: Connection, number: int, tags: list[Tag]) -> None:
    values = {tag.key: tag.value for tag in tags}
    rows = [{"model_version": number, "key": key, "value": values[key]} for key in values]
    upsert(connection, model_version_tags, rows)
