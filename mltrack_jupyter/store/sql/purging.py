"""Deleting for good: rows in one transaction, their files put aside in it and deleted after it.

A folder is given another name in a moment, so the lock of the database is never held while files are read or
deleted. If the transaction is taken back, so is the name; after a crash in between, whoever opens the store
next finds the folder and puts it back if the rows are still there. What lies in an object store has no name
to change: there the files are deleted after the commit, and a tombstone says so until they are.
"""

from __future__ import annotations

import json
import logging
import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from io import BytesIO
from typing import NamedTuple

from msgspec.structs import replace
from sqlalchemy import Connection, delete, select, update

from mltrack_jupyter.entities import Trash, TrashItem
from mltrack_jupyter.errors import InvalidParameter, MltrackError, StoreUnwritable
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.artifacts import ASIDE, LocalFiles, check_path
from mltrack_jupyter.store.sql.artifact_records import RecordedFiles, forget_records
from mltrack_jupyter.store.sql.change_log import record_change
from mltrack_jupyter.store.sql.database import Database, held
from mltrack_jupyter.store.sql.endings import after_commit, on_rollback
from mltrack_jupyter.store.sql.model_points import forget_points, runs_with_points
from mltrack_jupyter.store.sql.retries import retried
from mltrack_jupyter.store.sql.run_artifacts import Reach
from mltrack_jupyter.store.sql.tables import experiments, logged_models, runs, tombstones
from mltrack_jupyter.store.sql.tombstones import bury, is_buried
from mltrack_jupyter.store.sql.trash import TrashBin, models_of_run

_log = logging.getLogger(__name__)
_NOTE = "of.json"
_NAMED = {"run": runs.c.run_id, "logged_model": logged_models.c.model_id}


class _Root(NamedTuple):
    """A folder that goes: whose it is, its URI, its files, and what was in it."""

    entity: str
    entity_id: str
    uri: str
    files: RecordedFiles
    sizes: dict[str, int]


class Purge:
    """Deletes what is in the trash of a store for good."""

    def __init__(self, database: Database, reach: Reach, trash: TrashBin) -> None:
        self._database = database
        self._reach = reach
        self._trash = trash

    def __call__(
        self, run_ids: Iterable[str], experiment_ids: Iterable[str], model_ids: Iterable[str]
    ) -> Trash:
        """Delete runs, logged models and experiments of the trash for good; say which were left, and why."""
        self.sweep()
        items = [self._one("run", rules.check_run_id(run_id)) for run_id in run_ids]
        items += [self._one("logged_model", model_id) for model_id in model_ids]
        for number in rules.parse_experiment_ids(list(experiment_ids)):
            items += [self._one("run", run_id) for run_id in self._trash.deleted_runs(number)]
            items.append(self._one("experiment", str(number)))
        return Trash(items=items)

    def _one(self, entity: str, entity_id: str) -> TrashItem:
        with self._database.read() as connection:
            places = list(self._trash.roots(connection, entity, entity_id))
        roots = [
            _Root(of, named, uri, *found)
            for of, named, uri in places
            if (found := self._trash.found(uri)) is not None
        ]
        item = retried(self._delete)(entity, entity_id, roots)
        if item.kept_because:
            return item
        sizes = [size for root in roots for size in root.sizes.values()]
        return replace(item, files=len(sizes), size=sum(sizes))

    def _delete(self, entity: str, entity_id: str, roots: Sequence[_Root]) -> TrashItem:
        with self._database.write() as connection:
            item = self._trash.item(connection, entity, entity_id)
            if item is None:
                # Asked for again, because the answer was lost: it is done.
                why = "" if is_buried(connection, entity, entity_id) else "it is not in the trash"
                return TrashItem(entity=entity, entity_id=entity_id, kept_because=why)
            if item.kept_because:
                return item
            try:
                # The rows first, so that on a server nobody else takes them for there.
                with connection.begin_nested():
                    _delete_row(connection, entity, entity_id)
                    self._put_aside(connection, roots)
            except (StoreUnwritable, InvalidParameter) as error:
                return replace(item, kept_because=error.message)
            bury(connection, entity, entity_id)
            for root in roots:
                forget_records(connection, root.files.name, root.sizes)
                if not isinstance(root.files.files, LocalFiles):
                    bury(connection, root.entity, root.entity_id, root.uri)
                    after_commit(connection, partial(self._remove, root.uri))
            parent = "" if entity == "experiment" else item.experiment_id
            record_change(
                connection, entity, entity_id, "purge", parent_id=parent, detail=item.name
            )
        return item

    def _put_aside(self, connection: Connection, roots: Sequence[_Root]) -> None:
        """Give folders other names; all of them, or none. Raises ``StoreUnwritable``."""
        done: list[tuple[_Aside, _Root]] = []
        try:
            for root in roots:
                if isinstance(root.files.files, LocalFiles):
                    aside = _Aside.of(root.files.files, root)
                    if aside.take():
                        done.append((aside, root))
        except MltrackError:
            for aside, _ in reversed(done):
                aside.put_back()
            raise
        for aside, root in done:
            on_rollback(connection, aside.put_back)
            after_commit(connection, partial(self._clear, aside, root))

    def _clear(self, aside: _Aside, root: _Root) -> None:
        """Delete what was put aside, and the records of what came after it was measured."""
        late = aside.remove().keys() - root.sizes.keys()
        self._reach.records.forget(root.files.name, late)

    def _remove(self, uri: str) -> None:
        """Delete what is left at a place of an object store, and note that it is done."""
        self._reach.recorded(uri).remove()

        def note() -> None:
            with self._database.write() as connection:
                mine = tombstones.c.place == uri
                connection.execute(update(tombstones).where(mine).values(place=""))

        retried(note)()

    # --- after a crash --------------------------------------------------------------------------

    def sweep(self, *, remove: bool = True) -> None:
        """Put back what was put aside and not deleted, or delete it where its rows are gone."""
        work: list[Callable[[], None]] = [
            partial(retried(self._settle), aside, remove) for aside in _found_aside(self._reach)
        ]
        if remove:
            with self._database.read() as connection:
                query = select(tombstones.c.place).where(tombstones.c.place != "")
                places = connection.execute(query).scalars()
                work += [partial(self._remove, uri) for uri in places]
        for step in work:
            try:
                step()
            except (
                MltrackError,
                OSError,
            ) as error:  # which must not keep the others from being purged
                _log.warning("mltrack: what an interrupted purge left cannot be settled: %s", error)

    def _settle(self, aside: _Aside, remove: bool) -> None:
        with self._database.write() as connection:
            column = _NAMED[aside.entity]
            query = select(column).where(column == aside.entity_id)
            if connection.execute(held(connection, query)).first() is not None:
                aside.put_back()
            elif remove:
                after_commit(connection, partial(_deleted, aside))


class _Aside(NamedTuple):
    """A folder, whose it is, and the place where it waits to be deleted, with a note of both."""

    entity: str
    entity_id: str
    root: LocalFiles
    place: LocalFiles

    @classmethod
    def of(cls, root: LocalFiles, owner: _Root) -> _Aside:
        """Choose a place; nothing is done yet."""
        name = f"{re.sub('[^A-Za-z0-9_-]', '', owner.entity_id)[:64]}-{uuid.uuid4().hex}"
        place = LocalFiles(root.top / ASIDE / name, root.top)
        return cls(owner.entity, owner.entity_id, root, place)

    @property
    def _files(self) -> LocalFiles:
        return LocalFiles(self.place.root / "files", self.place.top)

    def take(self) -> bool:
        """Put the folder aside; tell whether there was one."""
        if not self.root.exists():
            return False
        note = {"entity": self.entity, "id": self.entity_id, "root": self.root.way}
        self.place.write(_NOTE, BytesIO(json.dumps(note).encode()))
        moved = False
        try:
            moved = self.root.move_to(self._files)
        finally:
            if not moved:
                self.place.remove()
        return moved

    def put_back(self) -> None:
        """Give the folder its name again."""
        self._files.move_to(self.root)
        self.place.remove()

    def remove(self) -> Mapping[str, int]:
        """Delete it for good; return what was in it, with its sizes."""
        gone = self._files.remove()
        self.place.remove()
        self.root.prune()
        return gone


def _deleted(aside: _Aside) -> None:
    aside.remove()


def _found_aside(reach: Reach) -> list[_Aside]:
    found = []
    for top in reach.locations.folders:
        try:
            items = LocalFiles(top / ASIDE, top).list()
        except (MltrackError, OSError) as error:
            _log.warning("mltrack: %s is not looked into: %s", top / ASIDE, error)
            continue
        for item in items:
            place = LocalFiles(top / ASIDE / item.path, top)
            try:
                with place.open(_NOTE).file as file:
                    note = json.loads(file.read(10_000))
                root = LocalFiles(top / check_path(note["root"]), top)
                if note["entity"] in _NAMED:
                    found.append(_Aside(note["entity"], str(note["id"]), root, place))
            except (MltrackError, ValueError, TypeError, KeyError):
                continue  # none of ours, or one whose note is not written yet
    return found


def _delete_row(connection: Connection, entity: str, entity_id: str) -> None:
    if entity == "experiment":
        models = logged_models.c.experiment == int(entity_id)
    elif entity == "run":
        made = [row.id for row in models_of_run(connection, entity_id)]
        models = logged_models.c.id.in_(made)
    else:
        models = logged_models.c.model_id == entity_id
    noted = runs_with_points(connection, models)
    connection.execute(delete(logged_models).where(models))
    if entity == "experiment":
        connection.execute(delete(experiments).where(experiments.c.id == int(entity_id)))
    elif entity == "run":
        connection.execute(delete(runs).where(runs.c.run_id == entity_id))
    forget_points(connection, noted)


__all__ = ["Purge"]
