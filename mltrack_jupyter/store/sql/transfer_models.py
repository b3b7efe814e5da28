"""Writing models that were made elsewhere: logged models, registered models and their versions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from mltrack_jupyter.entities import LoggedModel, LoggedModelInfo, ModelVersion, RegisteredModel
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.artifacts import check_path
from mltrack_jupyter.store.sql.change_log import Write, record_change, record_changes
from mltrack_jupyter.store.sql.database import held, now_ms
from mltrack_jupyter.store.sql.experiments import find_experiment
from mltrack_jupyter.store.sql.model_places import READY, put_path
from mltrack_jupyter.store.sql.registry_reads import find_model, find_version, load_versions
from mltrack_jupyter.store.sql.tables import (
    aliases,
    logged_model_metrics,
    logged_model_params,
    logged_model_tags,
    logged_models,
    model_version_tags,
    model_versions,
    registered_model_tags,
    registered_models,
)
from mltrack_jupyter.store.sql.tombstones import unbury
from mltrack_jupyter.store.sql.upserts import insert_row, upsert
from mltrack_jupyter.store.sql.values import to_bits
from mltrack_jupyter.store.sql.version_writes import Sources, check_not_reused, version_changed


def put_logged_model(connection: Connection, model: LoggedModel, location: str) -> str:
    """Write a logged model and return its artifact URI; ``location`` is one that it keeps."""
    info = model.info
    if not rules.MODEL_ID.match(info.model_id):
        raise InvalidParameter(
            f"Invalid value {rules.short(info.model_id)} for parameter 'model_id' supplied: it is 'm-' "
            "and 32 hexadecimal digits."
        )
    experiment = find_experiment(connection, info.experiment_id)
    values = {
        "name": info.name,
        "model_type": info.model_type,
        "source_run_id": info.source_run_id,
        "status": info.status.value,
        "creation_timestamp": info.creation_timestamp_ms,
        "last_updated_timestamp": info.last_updated_timestamp_ms,
    }
    query = select(logged_models).where(logged_models.c.model_id == info.model_id)
    row = connection.execute(query).first()
    if row is None:
        uri = location or f"{experiment.artifact_location}/models/{info.model_id}/artifacts"
        number = _new_model(connection, info, values | {"artifact_uri": uri}, experiment.id)
    else:
        number, uri = row.id, row.artifact_uri
        if row.status == READY:  # its files stay as they are, and so does that they do
            del values["status"]
        statement = update(logged_models).where(logged_models.c.id == number)
        connection.execute(statement.values(values))
        told = Write("logged_model", info.model_id, "update", str(row.experiment), "import")
        record_changes(connection, [told])
    _put_model_data(connection, number, model)
    return uri


def _new_model(
    connection: Connection, info: LoggedModelInfo, values: dict[str, Any], experiment: int
) -> int:
    unbury(connection, "logged_model", info.model_id)
    own = {"model_id": info.model_id, "experiment": experiment, "deleted": False}
    number = insert_row(connection, logged_models, values | own)
    if info.artifact_path:
        put_path(connection, number, info.source_run_id, check_path(info.artifact_path))
    parent = str(experiment)
    record_change(connection, "logged_model", info.model_id, "create", parent_id=parent)
    return number


def _put_model_data(connection: Connection, number: int, model: LoggedModel) -> None:
    for table, pairs in (
        (logged_model_params, model.data.params),
        (logged_model_tags, model.info.tags),
    ):
        rows = [{"logged_model": number, "key": key, "value": pairs[key]} for key in pairs]
        upsert(connection, table, rows)
    points = [
        {
            "logged_model": number,
            "run_id": point.run_id or model.info.source_run_id,
            "key": point.key,
            "step": point.step,
            "timestamp": point.timestamp,
            "ordinal": point.ordinal,
            "bits": to_bits(point.value),
            "dataset_name": point.dataset_name,
            "dataset_digest": point.dataset_digest,
        }
        for point in model.data.metrics
    ]
    upsert(connection, logged_model_metrics, points)


def put_registered_model(connection: Connection, model: RegisteredModel) -> None:
    """Write a registered model without its versions; one that is here keeps its description."""
    rules.check_model_name(model.name)
    rules.check_pairs(model.tag_list, "tag", rules.MAX_REGISTRY_TAG)
    rules.check_text(model.description, "description")
    query = select(registered_models.c.id).where(registered_models.c.name == model.name)
    number = connection.execute(query).scalar()
    is_new = number is None
    if number is None:
        row = {
            "name": model.name,
            "description": model.description,
            "creation_timestamp": model.creation_timestamp or now_ms(),
            "last_updated_timestamp": model.last_updated_timestamp or now_ms(),
            "last_version": 0,
        }
        number = insert_row(connection, registered_models, row)
        record_change(connection, "registered_model", model.name, "create", detail="import")
    labels = model.tags
    rows = [{"registered_model": number, "key": key, "value": labels[key]} for key in labels]
    if upsert(connection, registered_model_tags, rows, replace=False) and not is_new:
        record_change(connection, "registered_model", model.name, "update", detail="import")


def put_version(connection: Connection, version: ModelVersion, sources: Sources) -> ModelVersion:
    """Write a version under its own number. Raises ``InvalidParameter`` if that is another's."""
    model = find_model(connection, version.name)
    number = rules.parse_version(version.version)
    rules.check_pairs(version.tag_list, "tag", rules.MAX_REGISTRY_TAG)
    values = _version_values(connection, version, sources)
    query = select(model_versions).where(
        model_versions.c.registered_model == model.id, model_versions.c.version == number
    )
    row = connection.execute(held(connection, query)).first()
    if row is None:
        check_not_reused(connection, version.name, number, version.source)
        key = {"registered_model": model.id, "version": number}
        connection.execute(insert(model_versions), {**key, **values})
    else:
        values = _check_same(row, values, version)
        connection.execute(
            update(model_versions).where(model_versions.c.id == row.id).values(values)
        )
    _count_up(connection, model, version, number)
    found = find_version(connection, version.name, version.version)
    labelled = _put_version_labels(connection, found, version)
    if row is None:
        version_changed(connection, found, "create", values["current_stage"])
    elif labelled or any(getattr(row, name) != values[name] for name in values):
        version_changed(connection, found, "update", "import")
    return load_versions(connection, [found])[0]


_FIXED = ("source", "run_id", "run_link", "model_id", "user_id", "creation_timestamp")
"""What a version is made of, by whom and when: whoever writes it again changes none of it."""


def _check_same(row: Row[Any], values: dict[str, Any], version: ModelVersion) -> dict[str, Any]:
    """Return what may be written over a version that is here. Raises ``InvalidParameter``."""
    for name in _FIXED:
        before, after = getattr(row, name), values[name]
        # An importer does not know the model of a version that was deleted since.
        if before != after and not (name == "model_id" and not after):
            raise InvalidParameter(
                f"Version {row.version} of the model {version.name!r} is here already, and it is another "
                f"one: its {name} is {rules.short(str(before))}, not {rules.short(str(after))}, and never "
                "changes. Import it under another name."
            )
    kept = {"model_id": row.model_id}
    if row.download_uri != row.source:  # known already where its files are
        kept["download_uri"] = row.download_uri
    return {**values, **kept}


def _version_values(
    connection: Connection, version: ModelVersion, sources: Sources
) -> dict[str, Any]:
    run_id, model_id = version.run_id, version.model_id
    source = sources.spelled(connection, version.source, run_id, model_id)
    return {
        "source": source,
        "download_uri": sources.check(connection, source, run_id, model_id),
        "run_id": run_id,
        "run_link": version.run_link,
        "model_id": model_id,
        "user_id": version.user_id,
        "description": rules.check_text(version.description, "description"),
        "current_stage": rules.parse_stage(version.current_stage or "None"),
        "status": version.status,
        "creation_timestamp": version.creation_timestamp,
        "last_updated_timestamp": version.last_updated_timestamp,
    }


def _count_up(connection: Connection, model: Row[Any], version: ModelVersion, number: int) -> None:
    values = {
        "last_version": max(model.last_version, number),
        "last_updated_timestamp": max(model.last_updated_timestamp, version.last_updated_timestamp),
    }
    connection.execute(
        update(registered_models).where(registered_models.c.id == model.id).values(values)
    )


def _put_version_labels(connection: Connection, row: Row[Any], version: ModelVersion) -> bool:
    """Write the tags and aliases of a version; tell whether any is new or another."""
    labels = version.tags
    query = select(model_version_tags.c.key, model_version_tags.c.value)
    query = query.where(model_version_tags.c.model_version == row.id)
    known = {row.key: row.value for row in connection.execute(query)}
    rows = [{"model_version": row.id, "key": key, "value": labels[key]} for key in labels]
    upsert(connection, model_version_tags, rows)
    pointing = [
        {
            "registered_model": row.registered_model,
            "alias": rules.check_alias(alias),
            "version": row.version,
        }
        for alias in version.aliases
    ]
    pointed = upsert(connection, aliases, pointing, replace=False)
    return bool(pointed) or known != {**known, **labels}
