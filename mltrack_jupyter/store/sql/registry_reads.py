"""Reading registered models and versions: rows to entities."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from mltrack_jupyter.entities import Alias, ModelVersion, RegisteredModel, Tag
from mltrack_jupyter.errors import NotFound
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.sql.database import held
from mltrack_jupyter.store.sql.tables import (
    aliases,
    model_version_tags,
    model_versions,
    registered_model_tags,
    registered_models,
)
from mltrack_jupyter.store.sql.types import teller


def find_model(connection: Connection, name: str) -> Row[Any]:
    """Return the row of a registered model. Raises ``NotFound``."""
    rules.check_model_name(name)
    query = select(registered_models).where(registered_models.c.name == name)
    row = connection.execute(held(connection, query)).first()
    if row is None:
        raise NotFound(f"Registered Model with name={name} not found.")
    return row


def select_versions() -> Select[Any]:
    """Return the query of every version together with the name of its model."""
    return select(model_versions, registered_models.c.name.label("name")).join(
        registered_models, registered_models.c.id == model_versions.c.registered_model
    )


def find_version(connection: Connection, name: str, version: str) -> Row[Any]:
    """Return the row of a version. Raises ``NotFound``."""
    rules.check_model_name(name)
    number = rules.parse_version(version)
    query = select_versions().where(
        registered_models.c.name == name, model_versions.c.version == number
    )
    row = connection.execute(held(connection, query)).first()
    if row is None:
        raise NotFound(f"Model Version (name={name}, version={version}) not found.")
    return row


def load_versions(connection: Connection, rows: Sequence[Row[Any]]) -> list[ModelVersion]:
    """Return rows of :func:`select_versions` as entities."""
    labels: dict[int, list[Tag]] = {row.id: [] for row in rows}
    query = select(model_version_tags).where(model_version_tags.c.model_version.in_(labels))
    for number, key, value in connection.execute(query.order_by(model_version_tags.c.key)):
        labels[number].append(Tag(key, value))
    pointing: dict[tuple[int, int], list[str]] = {}
    models = {row.registered_model for row in rows}
    for item in _aliases(connection, models):
        pointing.setdefault((item.registered_model, item.version), []).append(item.alias)
    told = teller(connection)
    return [
        ModelVersion(
            name=row.name,
            version=str(row.version),
            creation_timestamp=row.creation_timestamp,
            last_updated_timestamp=row.last_updated_timestamp,
            user_id=row.user_id,
            current_stage=row.current_stage,
            description=row.description,
            source=told(row.source),
            run_id=row.run_id,
            run_link=row.run_link,
            status=row.status,
            tag_list=labels[row.id],
            aliases=pointing.get((row.registered_model, row.version), []),
            model_id=row.model_id,
        )
        for row in rows
    ]


def _aliases(connection: Connection, models: Iterable[int]) -> Sequence[Row[Any]]:
    query = select(aliases).where(aliases.c.registered_model.in_(list(models)))
    return connection.execute(query.order_by(aliases.c.alias)).all()


def load_models(connection: Connection, rows: Sequence[Row[Any]]) -> list[RegisteredModel]:
    """Return rows of registered models as entities, with the newest version of each stage."""
    numbers = [row.id for row in rows]
    labels: dict[int, list[Tag]] = {number: [] for number in numbers}
    query = select(registered_model_tags).where(
        registered_model_tags.c.registered_model.in_(numbers)
    )
    for number, key, value in connection.execute(query.order_by(registered_model_tags.c.key)):
        labels[number].append(Tag(key, value))
    named: dict[int, list[Alias]] = {number: [] for number in numbers}
    for item in _aliases(connection, numbers):
        named[item.registered_model].append(Alias(alias=item.alias, version=str(item.version)))
    latest: dict[int, list[ModelVersion]] = {number: [] for number in numbers}
    newest = _newest_of_stages(connection, numbers)
    for row, version in zip(newest, load_versions(connection, newest), strict=True):
        latest[row.registered_model].append(version)
    return [
        RegisteredModel(
            name=row.name,
            creation_timestamp=row.creation_timestamp,
            last_updated_timestamp=row.last_updated_timestamp,
            description=row.description,
            latest_versions=latest[row.id],
            tag_list=labels[row.id],
            alias_list=named[row.id],
        )
        for row in rows
    ]


def _newest_of_stages(connection: Connection, models: Sequence[int]) -> list[Row[Any]]:
    query = select_versions().where(model_versions.c.registered_model.in_(models))
    found: dict[tuple[int, str], Row[Any]] = {}
    for row in connection.execute(query.order_by(model_versions.c.version)):
        found[row.registered_model, row.current_stage] = row
    return list(found.values())
