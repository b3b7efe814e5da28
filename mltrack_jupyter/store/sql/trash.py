"""The trash: listing it, and deleting for good what is in it, with its files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Row, delete, func, select

from mltrack_jupyter.entities import Trash, TrashItem
from mltrack_jupyter.errors import InvalidParameter, MltrackError
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.sql.artifact_records import RecordedFiles
from mltrack_jupyter.store.sql.database import Database, chunked, held, record_change
from mltrack_jupyter.store.sql.retries import retried
from mltrack_jupyter.store.sql.run_artifacts import Reach
from mltrack_jupyter.store.sql.tables import (
    changes,
    experiments,
    logged_models,
    model_versions,
    registered_models,
    runs,
)
from mltrack_jupyter.store.sql.trash_models import deleted_models, needed_model

_DEFAULT = 0
_ORDER = {"run": 0, "logged_model": 1, "experiment": 2}


class TrashBin:
    """The trash of a store in SQL.

    The rows of a run go first, in one transaction with the entry of the change feed; its files follow. A
    crash in between leaves files that nothing names, never a run without its files.
    """

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
            models = deleted_models(connection, numbers)
            items += [self._model_item(connection, row) for row in models]
            items += [self._experiment_item(connection, row) for row in rows]
        found = [item for item in items if older_than is None or item.deleted_time <= older_than]
        found.sort(key=lambda item: (_ORDER[item.entity], item.deleted_time, item.entity_id))
        return Trash(items=[self._measured(item) for item in found])

    def purge(
        self, run_ids: Iterable[str], experiment_ids: Iterable[str], model_ids: Iterable[str]
    ) -> Trash:
        """Delete runs, logged models and experiments of the trash for good; say which were left, and why."""
        items = [retried(self._purge_run)(rules.check_run_id(run_id)) for run_id in run_ids]
        items += [retried(self._purge_model)(model_id) for model_id in model_ids]
        for number in rules.parse_experiment_ids(list(experiment_ids)):
            items += self._purge_experiment(number)
        return Trash(items=items)

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
            kept_because=needed_model(connection, row),
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

    def _measured(self, item: TrashItem) -> TrashItem:
        sizes = [size for root in self._roots(item) for size in root.walk().values()]
        return replace(item, files=len(sizes), size=sum(sizes))

    def _roots(self, item: TrashItem) -> Sequence[RecordedFiles]:
        with self._database.read() as connection:
            if item.entity == "run":
                query = select(runs.c.artifact_uri).where(runs.c.run_id == item.entity_id)
                return self._own(connection.execute(query).scalars())
            if item.entity == "logged_model":
                models = logged_models.c
                query = select(models.artifact_uri).where(models.model_id == item.entity_id)
                uris = connection.execute(query).scalars()
                return self._own(uri for uri in uris if _is_models_own(uri, item.entity_id))
            return self._roots_of_models(connection, int(item.entity_id))

    def _own(self, uris: Iterable[str]) -> list[RecordedFiles]:
        """Return the files that belong to this store; other places are never touched."""
        found = []
        for uri in uris:
            if self._reach.locations.is_own(uri):
                try:
                    found.append(self._reach.files_at(uri))
                except InvalidParameter:
                    continue
        return found

    # --- purging --------------------------------------------------------------------------------

    def _purge_run(self, run_id: str) -> TrashItem:
        with self._database.write() as connection:
            query = select(runs).where(runs.c.run_id == run_id)
            row = connection.execute(held(connection, query)).first()
            if row is None or row.lifecycle_stage != "deleted":
                return TrashItem(
                    entity="run", entity_id=run_id, kept_because="it is not in the trash"
                )
            item = self._run_item(connection, row)
            if item.kept_because:
                return item
            roots = self._own([row.artifact_uri])
            connection.execute(delete(runs).where(runs.c.id == row.id))
            record_change(
                connection, "run", run_id, "purge", parent_id=str(row.experiment), detail=row.name
            )
        return self._removed(item, roots)

    def _purge_model(self, model_id: str) -> TrashItem:
        with self._database.write() as connection:
            query = select(logged_models).where(logged_models.c.model_id == model_id)
            row = connection.execute(held(connection, query)).first()
            if row is None or not row.deleted:
                return TrashItem(
                    entity="logged_model", entity_id=model_id, kept_because="it is not in the trash"
                )
            item = self._model_item(connection, row)
            if item.kept_because:
                return item
            mine = _is_models_own(row.artifact_uri, model_id)
            roots = self._own([row.artifact_uri] if mine else [])
            connection.execute(delete(logged_models).where(logged_models.c.id == row.id))
            parent = str(row.experiment)
            record_change(
                connection, "logged_model", model_id, "purge", parent_id=parent, detail=row.name
            )
        return self._removed(item, roots)

    def _purge_experiment(self, number: int) -> Sequence[TrashItem]:
        with self._database.read() as connection:
            inside = [row.run_id for row in _deleted(connection, [number])]
        items = [retried(self._purge_run)(run_id) for run_id in inside]
        return [*items, retried(self._purge_emptied)(number)]

    def _purge_emptied(self, number: int) -> TrashItem:
        with self._database.write() as connection:
            query = select(experiments).where(experiments.c.id == number)
            row = connection.execute(held(connection, query)).first()
            if row is None or row.lifecycle_stage != "deleted":
                return TrashItem(
                    entity="experiment",
                    entity_id=str(number),
                    kept_because="it is not in the trash",
                )
            item = self._experiment_item(connection, row)
            left = select(func.count()).select_from(runs).where(runs.c.experiment == number)
            remaining = connection.execute(left).scalar_one()
            if remaining and not item.kept_because:
                item = replace(item, kept_because=f"{remaining} of its runs stay")
            if item.kept_because:
                return item
            roots = self._roots_of_models(connection, number)
            connection.execute(delete(experiments).where(experiments.c.id == number))
            record_change(connection, "experiment", str(number), "purge", detail=row.name)
        return self._removed(item, roots)

    def _roots_of_models(self, connection: Connection, number: int) -> list[RecordedFiles]:
        query = select(logged_models.c.artifact_uri).where(logged_models.c.experiment == number)
        return self._own(connection.execute(query).scalars())

    def _removed(self, item: TrashItem, roots: Iterable[RecordedFiles]) -> TrashItem:
        sizes: list[int] = []
        for root in roots:
            try:
                sizes += root.remove().values()
            except MltrackError as error:
                raise type(error)(
                    f"{item.entity} {item.entity_id} is deleted, but not its files: {error}"
                ) from error
        return replace(item, files=len(sizes), size=sum(sizes))


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
        .where(model_versions.c.download_uri.startswith(root))
    )
    found = connection.execute(query).first()
    return f"version {found.version} of the model {found.name!r} is made of it" if found else ""


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


def _is_models_own(uri: str, model_id: str) -> bool:
    """Tell whether a folder is the model's alone; one inside a run's goes with the run."""
    return uri.endswith(f"/models/{model_id}/artifacts")
