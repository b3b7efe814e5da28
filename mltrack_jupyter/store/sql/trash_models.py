"""Logged models in the trash: which they are, and what still needs one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from mltrack_jupyter.store.sql.database import chunked
from mltrack_jupyter.store.sql.tables import (
    experiments,
    logged_models,
    model_paths,
    model_versions,
    registered_models,
)


def deleted_models(connection: Connection, numbers: Sequence[int] | None) -> list[Row[Any]]:
    """Return the deleted models of experiments; those of a deleted one go with it."""
    query = (
        select(logged_models)
        .join(experiments, experiments.c.id == logged_models.c.experiment)
        .where(logged_models.c.deleted.is_(True), experiments.c.lifecycle_stage == "active")
    )
    if numbers is None:
        return [*connection.execute(query)]
    found: list[Row[Any]] = []
    for part in chunked(numbers):
        found += connection.execute(query.where(logged_models.c.experiment.in_(part)))
    return found


def models_of_run(connection: Connection, run_id: str) -> list[Row[Any]]:
    """Return the logged models that are found at paths of a run, and go with it."""
    query = select(logged_models).join(
        model_paths, model_paths.c.logged_model == logged_models.c.id
    )
    return [*connection.execute(query.where(model_paths.c.run_id == run_id))]


def needed_model(connection: Connection, row: Row[Any]) -> str:
    """Return what a logged model is needed for, ``""`` if for nothing."""
    place = model_versions.c.download_uri
    inside = place.startswith(f"{row.artifact_uri}/", autoescape=True)
    query = (
        select(registered_models.c.name, model_versions.c.version)
        .join(registered_models, registered_models.c.id == model_versions.c.registered_model)
        .where(or_(place == row.artifact_uri, inside))
    )
    found = connection.execute(query).first()
    return f"version {found.version} of the model {found.name!r} is made of it" if found else ""
