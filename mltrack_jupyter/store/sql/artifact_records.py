"""Sizes and digests of the files that were written through a store.

A record says what a file must be, so none may stay where the file is another. An old record goes before a
new file appears, and the new one comes after it: a crash in between leaves a file without a record, which
is served without a digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, BinaryIO

from sqlalchemy import Connection, delete, select

from mltrack_jupyter.entities import FileInfo
from mltrack_jupyter.services import Download, Written
from mltrack_jupyter.store.artifacts import KeptFiles
from mltrack_jupyter.store.sql.database import Database, chunked, upsert
from mltrack_jupyter.store.sql.retries import retried
from mltrack_jupyter.store.sql.tables import artifact_digests


class ArtifactRecords:
    """The records of a store, by location and path."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str, path: str) -> str:
        """Return the SHA-256 of a file, ``""`` if there is no record of it."""
        query = select(artifact_digests.c.sha256).where(
            artifact_digests.c.place == _key(name, path)
        )
        with self._database.read() as connection:
            return connection.execute(query).scalar() or ""

    def put(self, name: str, path: str, written: Written) -> None:
        """Note what was written."""

        def note() -> None:
            with self._database.write() as connection:
                put_records(connection, name, {path: written})

        retried(note)()

    def forget(self, name: str, paths: Iterable[str]) -> None:
        """Drop the records of files."""
        keys = [_key(name, path) for path in paths]

        def drop() -> None:
            with self._database.write() as connection:
                for part in chunked(sorted(keys)):
                    mine = artifact_digests.c.place.in_(part)
                    connection.execute(delete(artifact_digests).where(mine))

        if keys:
            retried(drop)()


def put_records(connection: Connection, name: str, written: Mapping[str, Written]) -> None:
    """Note what was written, in a transaction that is open."""
    rows: list[dict[str, Any]] = [
        {"place": _key(name, path), "size": item.size, "sha256": item.sha256}
        for path, item in written.items()
    ]
    upsert(connection, artifact_digests, sorted(rows, key=lambda row: str(row["place"])))


def _key(name: str, path: str) -> str:
    return hashlib.sha256(f"{name}/{path}".encode("utf-8", "surrogateescape")).hexdigest()


class RecordedFiles:
    """Files whose digests are noted when they are written, and told when they are opened."""

    def __init__(self, files: KeptFiles, name: str, records: ArtifactRecords) -> None:
        self._files = files
        self._name = name
        self._records = records

    def list(self, path: str = "") -> Sequence[FileInfo]:
        """Return the children of a folder by base name."""
        return self._files.list(path)

    def open(self, path: str) -> Download:
        """Open a file, with its digest if it was written through the store."""
        before = self._records.get(self._name, path)
        found = self._files.open(path)
        # Asked twice: if it was written again in between, nobody knows which of the two this is.
        known = before and self._records.get(self._name, path) == before
        return replace(found, sha256=before) if known else found

    def write(self, path: str, body: BinaryIO) -> Written:
        """Write a file and note what it is."""
        if self._records.get(self._name, path):
            self._records.forget(self._name, [path])
        written = self._files.write(path, body)
        self._records.put(self._name, path, written)
        if self._files.stamp(path) != written.stamp:  # another process was quicker, or slower
            self._records.forget(self._name, [path])
        return written

    def delete(self, path: str) -> None:
        """Delete a file or a tree, and the records of it."""
        gone = [path, *self._files.walk(path)]
        self._files.delete(path)
        self._records.forget(self._name, gone)

    def remove(self) -> Mapping[str, int]:
        """Delete everything and the root, and the records of it."""
        gone = self._files.remove()
        self._records.forget(self._name, gone)
        return gone

    def walk(self, path: str = "") -> Mapping[str, int]:
        """Return the size of every file below a path, or of the file there."""
        return self._files.walk(path)
