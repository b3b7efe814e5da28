"""Sizes and digests of the files that were written through a store.

A record says what a file must be, so none may stay where the file is another. An old record goes before a
new file appears, and the new one comes after it: a crash in between leaves a file without a record, which
is served without a digest.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import Any, BinaryIO, cast

from sqlalchemy import Column, Connection, Row, Select, Table, bindparam, delete, select

from mltrack_jupyter.entities import FileInfo
from mltrack_jupyter.errors import InvalidParameter, NotFound
from mltrack_jupyter.services import Download, Written
from mltrack_jupyter.shown import hide_password
from mltrack_jupyter.store.artifacts import KeptFiles, check_path
from mltrack_jupyter.store.sql.change_log import record_change
from mltrack_jupyter.store.sql.database import Database, chunked
from mltrack_jupyter.store.sql.fixed_files import (
    FixedFiles,
    WatchedReader,
    same_digest,
    with_signature,
)
from mltrack_jupyter.store.sql.retries import retried
from mltrack_jupyter.store.sql.shared_files import REMOVED, WRITTEN, SharedFiles
from mltrack_jupyter.store.sql.tables import artifact_digests, logged_models, runs
from mltrack_jupyter.store.sql.upserts import upsert

_FOLDER = "artifacts"
"""What the folder of a run or a model is called, within one with its id."""


def _owners(column: Column[Any], table: Table) -> Select[Any]:
    query = select(column.label("id"), table.c.experiment, table.c.artifact_uri)
    return query.where(column.in_(bindparam("ids", expanding=True)))


# Built once: what every file that is written asks.
_RUNS = _owners(runs.c.run_id, runs)
_MODELS = _owners(logged_models.c.model_id, logged_models)
_RECORD = select(artifact_digests.c.sha256).where(artifact_digests.c.place == bindparam("key"))


class ArtifactRecords:
    """The records of a store, by location and path."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def check_writable(self) -> None:
        """Raise ``StoreReadOnly`` or ``StoreTooNew`` if nothing may be written: no file either, then."""
        self._database.check_writable()

    def get(self, name: str, path: str) -> str:
        """Return the SHA-256 of a file, ``""`` if there is no record of it."""
        with self._database.read() as connection:
            return connection.execute(_RECORD, {"key": _key(name, path)}).scalar() or ""

    def one_state(self) -> AbstractContextManager[Connection]:
        """Let what is read in a block be read in one transaction."""
        return self._database.read_together()

    def put(self, name: str, path: str, written: Written, uri: str) -> None:
        """Note what was written at a path below ``uri``, and by whom."""

        def note() -> None:
            with self._database.write() as connection:
                put_records(connection, name, {path: written})
                record_file(connection, uri, path, WRITTEN)

        retried(note)()

    def tell(self, uri: str, path: str, action: str) -> None:
        """Note in the change feed what somebody did to a file below ``uri``."""

        def note() -> None:
            with self._database.write() as connection:
                record_file(connection, uri, path, action)

        retried(note)()

    def forget(self, name: str, paths: Iterable[str]) -> None:
        """Drop the records of files."""
        found = list(paths)

        def drop() -> None:
            with self._database.write() as connection:
                forget_records(connection, name, found)

        if found:
            retried(drop)()


def put_records(connection: Connection, name: str, written: Mapping[str, Written]) -> None:
    """Note what was written, in a transaction that is open."""
    rows: list[dict[str, Any]] = [
        {"place": _key(name, path), "size": item.size, "sha256": item.sha256}
        for path, item in written.items()
    ]
    upsert(connection, artifact_digests, sorted(rows, key=lambda row: str(row["place"])))


def record_file(connection: Connection, uri: str, path: str, action: str) -> None:
    """Append what was done to a file below an artifact URI to the change feed, as a change of its owner.

    That is the run or the logged model whose folder it is in; else it is an ``artifact``.
    """
    whole = f"{uri.rstrip('/')}/{path}"
    roots = _possible_roots(whole)
    if (run := _owner(connection, _RUNS, roots)) is not None:
        told = ("run", run.id, str(run.experiment), run.artifact_uri)
    elif (model := _owner(connection, _MODELS, roots)) is not None:
        told = ("logged_model", model.id, str(model.experiment), model.artifact_uri)
    else:
        told = ("artifact", hide_password(whole), "", "")
    entity, name, parent, root = told
    inside = whole.removeprefix(f"{root}/") if root else ""
    record_change(connection, entity, name, action, parent_id=parent, detail=inside)


def _possible_roots(place: str) -> dict[str, str]:
    """Return the folders above a place that can be a run's or a model's, by the ids in their names."""
    parts = place.split("/")
    return {
        parts[index - 1]: "/".join(parts[: index + 1])
        for index, part in enumerate(parts)
        if part == _FOLDER and index
    }


def _owner(connection: Connection, query: Select[Any], roots: Mapping[str, str]) -> Row[Any] | None:
    if not roots:
        return None
    rows = connection.execute(query, {"ids": list(roots)}).all()
    return next((row for row in rows if row.artifact_uri == roots[row.id]), None)


def forget_records(connection: Connection, name: str, paths: Iterable[str]) -> None:
    """Drop the records of files, in a transaction that is open."""
    for part in chunked(sorted(_key(name, path) for path in paths)):
        mine = artifact_digests.c.place.in_(part)
        connection.execute(delete(artifact_digests).where(mine))


def _key(name: str, path: str) -> str:
    return hashlib.sha256(f"{name}/{path}".encode("utf-8", "surrogateescape")).hexdigest()


class RecordedFiles:
    """Files whose digests are noted when they are written, and told when they are opened.

    With them are those that their runs share with others; a file of a run's own hides one of the same path.
    """

    def __init__(
        self,
        files: KeptFiles,
        name: str,
        records: ArtifactRecords,
        shared: SharedFiles,
        fixed: FixedFiles,
        uri: str = "",
    ) -> None:
        self._files = files
        self._name = name
        self._records = records
        self._shared = shared
        self._fixed = fixed
        self._uri = uri or name

    @property
    def name(self) -> str:
        """The location under which the store knows them."""
        return self._name

    @property
    def files(self) -> KeptFiles:
        """The files themselves, whatever is noted of them."""
        return self._files

    def list(self, path: str = "") -> Sequence[FileInfo]:
        """Return the children of a folder by base name."""
        return self._shared.children(self._name, path, self._files.list(path))

    def open(self, path: str) -> Download:
        """Open a file, with its digest if it was written through the store."""
        before = self._records.get(self._name, path)
        try:
            found = self._files.open(path)
        except NotFound:
            if (shared := self._shared.open(self._name, path)) is None:
                raise
            return shared
        # Asked twice: if it was written again in between, nobody knows which of the two this is.
        known = before and self._records.get(self._name, path) == before
        return replace(found, sha256=before) if known else found

    def write(self, path: str, body: BinaryIO) -> Written:
        """Write a file and note what it is. Raises ``InvalidParameter`` where one stays as it is.

        What comes again after a crash, and is the same, is written already.
        """
        self._records.check_writable()
        check = partial(self._fixed.check_written, f"{self._name}/{path}", partial(self._has, path))
        try:
            with self._records.one_state():
                check()
                known = self._records.get(self._name, path)
        except InvalidParameter:
            if not self._fixed.takes_signature(f"{self._name}/{path}"):
                written = self._same(path, body)
                if written is None:
                    raise
                return written
            signed = self._signed(path, body)
            # Asked again: a version may have been made while the body came.
            if signed is None or not self._fixed.takes_signature(f"{self._name}/{path}"):
                raise
            body, check = signed, partial(self._records.check_writable)
            known = self._records.get(self._name, path)
        if known:
            self._records.forget(self._name, [path])
        written = self._files.write(path, cast(BinaryIO, WatchedReader(body, check)))
        self._records.put(self._name, path, written, self._uri)
        if self._files.stamp(path) != written.stamp:  # another process was quicker, or slower
            self._records.forget(self._name, [path])
        return written

    def write_new(self, path: str, body: BinaryIO) -> Written:
        """Write a file to a place that nobody knows yet; whoever does so notes what it is."""
        self._records.check_writable()
        return self._files.write(path, body)

    def _has(self, path: str) -> bool:
        return bool(self._files.stamp(path))

    def _signed(self, path: str, body: BinaryIO) -> BinaryIO | None:
        """Return the new file ``MLmodel`` if it differs in the signature at most."""
        with self._files.open(path).file as present:
            text = with_signature(body, present)
        return None if text is None else io.BytesIO(text)

    def _same(self, path: str, body: BinaryIO) -> Written | None:
        """Return what is there if a body is the same, byte by byte."""
        stamp = self._files.stamp(path)
        if not stamp:
            return None
        try:
            present = self._files.open(path)
        except (NotFound, InvalidParameter):
            return None
        with present.file:
            sha256 = same_digest(body, present.file)
        return Written(present.size, sha256, stamp) if sha256 else None

    def delete(self, path: str) -> None:
        """Delete a file or a tree, and the records of it. Raises ``InvalidParameter`` for what stays."""
        self._records.check_writable()
        self._fixed.check_deleted(f"{self._name}/{check_path(path)}")
        gone = list(self._files.walk(path))
        self._files.delete(path)
        self._records.forget(self._name, [path, *gone])
        if self._shared.drop(self._name, path) or gone:
            self._records.tell(self._uri, path, REMOVED)

    def remove(self) -> Mapping[str, int]:
        """Delete everything and the root, and the records of it."""
        self._records.check_writable()
        gone = self._files.remove()
        self._records.forget(self._name, gone)
        return gone

    def walk(self, path: str = "") -> Mapping[str, int]:
        """Return the size of every file below a path, or of the file there."""
        return self._files.walk(path)
