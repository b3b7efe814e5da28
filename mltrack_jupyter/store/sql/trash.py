"""The trash: what is in it, why some of it has to stay, and which files go with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, Row, Select, Table, func, or_, select

from mltrack_jupyter.entities import Trash, TrashItem
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.sql import model_places
from mltrack_jupyter.store.sql.artifact_records import RecordedFiles
from mltrack_jupyter.store.sql.database import Database, chunked, held
from mltrack_jupyter.store.sql.run_artifacts import Reach
from mltrack_jupyter.store.sql.tables import (
    changes,
    experiments,
    logged_models,
    model_paths,
    model_versions,
    registered_models,
    runs,
)

_DEFAULT = 0
_ORDER = {"run": 0, "logged_model": 1, "experiment": 2}


class TrashBin:
    """The trash of a store in SQL."""

    def __init__(self, database: Database, reach: Reach) -> None:
        self._database = database
        self._reach = reach

    def contents(self, older_than: int | None, experiment_ids: Sequence[str] | None) -> Trash:
        """Return what is in the trash."""
        numbers = None if experiment_ids is None else rules.parse_experiment_ids(experiment_ids)
        items: list[TrashItem] = []
        with self._database.read() as connection:
            items += [self._run_item(connection, row) for row in _deleted(connection, numbers)]
            query = select(experiments).where(experiments.c.lifecycle_stage == "deleted")
            if numbers is not None:
                query = query.where(experiments.c.id.in_(numbers))
            rows = connection.execute(query).all()
            models = _deleted_models(connection, numbers)
            items += [self._model_item(connection, row) for row in models]
            items += [self._experiment_item(connection, row) for row in rows]
        found = [item for item in items if older_than is None or item.deleted_time <= older_than]
        found.sort(key=lambda item: (_ORDER[item.entity], item.deleted_time, item.entity_id))
        return Trash(items=[self._measured(item) for item in found])

    # --- one item -------------------------------------------------------------------------------

    def _run_item(self, connection: Connection, row: Row[Any]) -> TrashItem:
        return TrashItem(
            entity="run",
            entity_id=row.run_id,
            name=row.name,
            experiment_id=str(row.experiment),
            deleted_time=_deleted_time(connection, "run", row.run_id, row.experiment),
            kept_because=_needed_run(connection, row),
        )

    def _model_item(self, connection: Connection, row: Row[Any]) -> TrashItem:
        return TrashItem(
            entity="logged_model",
            entity_id=row.model_id,
            name=row.name,
            experiment_id=str(row.experiment),
            deleted_time=_deleted_time(connection, "logged_model", row.model_id, row.experiment),
            kept_because=_needed_model(connection, row),
        )

    def _experiment_item(self, connection: Connection, row: Row[Any]) -> TrashItem:
        return TrashItem(
            entity="experiment",
            entity_id=str(row.id),
            name=row.name,
            experiment_id=str(row.id),
            deleted_time=_deleted_time(connection, "experiment", str(row.id), row.id),
            kept_because=_needed_experiment(connection, row),
        )

    def item(self, connection: Connection, entity: str, entity_id: str) -> TrashItem | None:
        """Return something that is in the trash, kept from other writers; ``None`` if it is not there."""
        table, mine = _row_of(entity, entity_id)
        row = connection.execute(held(connection, select(table).where(mine))).first()
        if row is None:
            return None
        if entity == "logged_model":
            return self._model_item(connection, row) if row.deleted else None
        if row.lifecycle_stage != "deleted":
            return None
        if entity == "run":
            return self._run_item(connection, row)
        item = self._experiment_item(connection, row)
        left = select(func.count()).select_from(runs).where(runs.c.experiment == row.id)
        remaining = connection.execute(left).scalar_one()
        if remaining and not item.kept_because:
            item = replace(item, kept_because=f"{remaining} of its runs stay")
        return item

    def deleted_runs(self, number: int) -> list[str]:
        """Return the runs of an experiment that are in the trash."""
        with self._database.read() as connection:
            return [row.run_id for row in _deleted(connection, [number])]

    def roots(
        self, connection: Connection, entity: str, entity_id: str
    ) -> Iterator[tuple[str, str, str]]:
        """Return the places that go with something: of whom each is (kind and id), and its URI."""
        models = logged_models.c
        if entity == "experiment":
            query = select(models.model_id, models.artifact_uri)
            for row in connection.execute(query.where(models.experiment == int(entity_id))):
                yield "logged_model", row.model_id, row.artifact_uri
            return
        table, mine = _row_of(entity, entity_id)
        for uri in connection.execute(select(table.c.artifact_uri).where(mine)).scalars():
            if entity == "logged_model":
                alone = _is_models_own(uri, entity_id)
            elif uri.endswith(f"/{entity_id}/artifacts"):
                alone = not model_places.is_in_anothers(connection, uri, entity_id)
            else:
                alone = not _is_shared(connection, uri)
            if alone:
                yield entity, entity_id, uri
        if entity == "run":
            for made in models_of_run(connection, entity_id):
                if _is_models_own(made.artifact_uri, made.model_id):
                    yield "logged_model", made.model_id, made.artifact_uri

    def _measured(self, item: TrashItem) -> TrashItem:
        with self._database.read() as connection:
            uris = [uri for _, _, uri in self.roots(connection, item.entity, item.entity_id)]
        found = [here for uri in uris if (here := self.found(uri)) is not None]
        sizes = [size for _, here in found for size in here.values()]
        return replace(item, files=len(sizes), size=sum(sizes))

    def found(self, uri: str) -> tuple[RecordedFiles, dict[str, int]] | None:
        """Return the files at a place that belongs to this store, and their sizes; no other one is looked at."""
        try:
            if self._reach.locations.is_own(uri):
                files = self._reach.recorded(uri)
                return files, dict(files.walk())
        except InvalidParameter:  # behind a link
            pass
        return None


def _deleted(connection: Connection, numbers: Sequence[int] | None) -> Sequence[Row[Any]]:
    query = select(runs).where(runs.c.lifecycle_stage == "deleted")
    if numbers is None:
        return connection.execute(query).all()
    found: list[Row[Any]] = []
    for part in chunked(numbers):
        found += connection.execute(query.where(runs.c.experiment.in_(part))).all()
    return found


def _deleted_time(connection: Connection, entity: str, entity_id: str, experiment: int) -> int:
    """Return when something was put into the trash, itself or with its experiment; 0 if unknown."""
    own = (changes.c.entity == entity) & (changes.c.entity_id == entity_id)
    above = (changes.c.entity == "experiment") & (changes.c.entity_id == str(experiment))
    times = []
    for where, actions in ((own, ("delete", "import", "create")), (above, ("delete",))):
        query = select(func.max(changes.c.timestamp)).where(where, changes.c.action.in_(actions))
        times.append(connection.execute(query).scalar() or 0)
    return int(max(times))


def _needed_run(connection: Connection, row: Row[Any]) -> str:
    # Compared as they are written: a beginning of a place is no place.
    root = select(runs.c.artifact_uri).where(runs.c.id == row.id).scalar_subquery()
    query = (
        select(registered_models.c.name, model_versions.c.version)
        .join(registered_models, registered_models.c.id == model_versions.c.registered_model)
        .where(
            or_(
                model_versions.c.download_uri.startswith(root),
                model_versions.c.model_id.in_(_found_in(row.run_id, logged_models.c.model_id)),
                model_versions.c.download_uri.in_(
                    _found_in(row.run_id, logged_models.c.artifact_uri)
                ),
            )
        )
    )
    found = connection.execute(query).first()
    return f"version {found.version} of the model {found.name!r} is made of it" if found else ""


def _found_in(run_id: str, column: ColumnElement[str]) -> Select[Any]:
    """Return the query of a column of the models that are found at paths of a run."""
    here = logged_models.c.id == model_paths.c.logged_model
    return select(column).join(model_paths, here).where(model_paths.c.run_id == run_id)


def _needed_experiment(connection: Connection, row: Row[Any]) -> str:
    if row.id == _DEFAULT:
        return "the default experiment stays (its runs can go)"
    query = (
        select(registered_models.c.name, model_versions.c.version)
        .join(registered_models, registered_models.c.id == model_versions.c.registered_model)
        .join(logged_models, logged_models.c.artifact_uri == model_versions.c.download_uri)
        .where(logged_models.c.experiment == row.id)
    )
    found = connection.execute(query).first()
    if found:
        return f"version {found.version} of the model {found.name!r} is made of a model in it"
    return ""


def _is_shared(connection: Connection, uri: str) -> bool:
    """Tell whether a run's folder is, is in, or holds that of something else; the usual ones are not."""
    parts = uri.rstrip("/").split("/")
    above = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
    run, location = runs.c.artifact_uri, experiments.c.artifact_location
    inside = f"{uri}/"
    around = or_(run.in_(above), run.startswith(inside, autoescape=True))
    if connection.execute(select(func.count()).where(around)).scalar_one() > 1:  # besides itself
        return True
    held_here = or_(location == uri, location.startswith(inside, autoescape=True))
    return connection.execute(select(location).where(held_here).limit(1)).first() is not None


def _row_of(entity: str, entity_id: str) -> tuple[Table, ColumnElement[bool]]:
    if entity == "run":
        return runs, runs.c.run_id == entity_id
    if entity == "logged_model":
        return logged_models, logged_models.c.model_id == entity_id
    return experiments, experiments.c.id == int(entity_id)


def _is_models_own(uri: str, model_id: str) -> bool:
    """Tell whether a folder is the model's alone; one inside a run's goes with the run."""
    return uri.endswith(f"/models/{model_id}/artifacts")


def _deleted_models(connection: Connection, numbers: Sequence[int] | None) -> list[Row[Any]]:
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


def _needed_model(connection: Connection, row: Row[Any]) -> str:
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
