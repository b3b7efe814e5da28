"""Files that many runs have: kept once, by their SHA-256, and collected when no run has them any more.

A run has such a file under a path of its own, among the files that it alone has. So it is listed and opened as
any other file, also through the folder that ``mlflow-artifacts:`` leads to. Which runs have it is known by
rows that go with their run.

Each writing of a content has a place of its own, and a row says which place counts. So nobody deletes what
somebody else has just written: a collector deletes the place whose row it has taken away, in a transaction in
which no run had it.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, BinaryIO

from sqlalchemy import Connection, Row, bindparam, delete, exists, insert, select, update

from mltrack_jupyter.entities import FileInfo
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.services import Download
from mltrack_jupyter.store.artifacts import PROXY, SHARED, Locations, check_path
from mltrack_jupyter.store.sql import model_places
from mltrack_jupyter.store.sql.change_log import Write, record_changes
from mltrack_jupyter.store.sql.database import Database, chunked, held, now_ms
from mltrack_jupyter.store.sql.retries import retried
from mltrack_jupyter.store.sql.run_reads import find_active_run
from mltrack_jupyter.store.sql.tables import run_shared_files, runs, shared_files
from mltrack_jupyter.store.sql.upserts import upsert

WRITTEN, REMOVED = "write-artifact", "remove-artifact"
"""What the change feed says of files."""
FOLDER = SHARED
_DIGEST = re.compile(r"[0-9a-f]{64}")
# A row may be somebody else's: it leads to nothing but what we have put there.
_KEPT = re.compile(rf"{re.escape(FOLDER)}/[0-9a-f]{{64}}-[0-9a-f]{{8}}")
_MOST = 100
# An experiment's folder, a run's id, and what is below; whose it is says the database.
_PLACE = re.compile(r"(?P<root>.*?/(?P<run>[^/]+)/artifacts)(?:/(?P<path>.*))?", re.DOTALL)
_YOUNG = 24 * 3600 * 1000
"""How long a file stays that no run has, in milliseconds: the run that brought it may still be about to say so."""


class SharedFiles:
    """The files that runs share."""

    def __init__(self, database: Database, locations: Locations) -> None:
        self._database = database
        self._locations = locations

    def share(self, run_id: str, files: Mapping[str, str]) -> list[str]:
        """Give a run files by path and digest; return the digests of those that nobody has brought yet.

        Raises ``InvalidParameter`` where the run keeps its files elsewhere.
        """
        check(files)
        with self._database.write() as connection:
            run = find_active_run(connection, run_id)
            if self._locate(run.artifact_uri) != (run.artifact_uri, run_id, ""):
                raise InvalidParameter(
                    f"The run {run_id} keeps its files at {run.artifact_uri!r}, not below the store's own root: "
                    "write them there."
                )
            if hiding := hides(connection, run, files):
                raise InvalidParameter(hiding)
            missing = give(connection, {run.id: files})
            given = [path for path, digest in sorted(files.items()) if digest not in missing]
            parent = str(run.experiment)
            record_changes(
                connection,
                [Write("run", run_id, WRITTEN, parent_id=parent, detail=path) for path in given],
            )
            return missing

    def put(self, digest: str, body: BinaryIO) -> None:
        """Keep a file. Raises ``InvalidParameter`` if it has another digest."""
        check({"a": digest})
        self._database.check_writable()
        place = f"{FOLDER}/{digest}-{uuid.uuid4().hex[:8]}"
        files = self._locations.own()
        written = files.write(place, body)
        if written.sha256 != digest:
            files.delete(place)
            raise InvalidParameter(
                f"The file has the SHA-256 {written.sha256}, and not {digest} as its address says."
            )
        row = {"sha256": digest, "place": place, "size": written.size, "used": now_ms()}
        if not retried(self._note)(row):  # somebody else was quicker
            files.delete(place)

    def _note(self, row: Mapping[str, object]) -> bool:
        with self._database.write() as connection:
            query = select(shared_files.c.sha256).where(shared_files.c.sha256 == row["sha256"])
            if connection.execute(query).first() is not None:
                return False
            connection.execute(insert(shared_files), [dict(row)])
            record_changes(connection, [Write("artifact", str(row["place"]), WRITTEN)])
            return True

    def collect(self) -> int:
        """Delete the files that no run has, and that nobody used for a day; return how many."""
        places = retried(self._take_unused)()
        for place in places:
            self._locations.own().delete(place)
        return len(places)

    def _take_unused(self) -> list[str]:
        taken = exists().where(run_shared_files.c.sha256 == shared_files.c.sha256)
        unused = (~taken) & (shared_files.c.used < now_ms() - _YOUNG)
        with self._database.read() as connection:
            if (
                connection.execute(select(shared_files.c.sha256).where(unused).limit(1)).first()
                is None
            ):
                return []
        with self._database.write() as connection:
            query = select(shared_files.c.sha256, shared_files.c.place).where(unused)
            rows = connection.execute(held(connection, query)).all()
            for row in rows:
                # Whoever gave one to a run meanwhile holds its row, or finds it gone and brings it again.
                connection.execute(
                    delete(shared_files).where(shared_files.c.sha256 == row.sha256, unused)
                )
            record_changes(connection, [Write("artifact", row.place, REMOVED) for row in rows])
        return [row.place for row in rows if _KEPT.fullmatch(row.place)]

    # --- as files of their runs ------------------------------------------------------------------

    def children(self, name: str, path: str, own: Sequence[FileInfo]) -> Sequence[FileInfo]:
        """Return the children of a folder, with those that its run shares."""
        prefix, rows = self._below(name, path)
        found = {item.path: item for item in own}
        for row in rows:
            child, deeper, _ = row.path.removeprefix(prefix).partition("/")
            size = 0 if deeper else int(row.size)
            found.setdefault(child, FileInfo(path=child, is_dir=bool(deeper), file_size=size))
        return [found[child] for child in sorted(found)]

    def find(self, name: str, path: str) -> str:
        """Return where a file is that a run shares, as a path below the store's own root; ``""`` if it is none."""
        prefix, rows = self._below(name, path, whole=True)
        return next((row.place for row in rows if row.path == prefix), "")

    def open(self, name: str, path: str) -> Download | None:
        """Open a file that a run shares; ``None`` if it is none."""
        prefix, rows = self._below(name, path, whole=True)
        for row in rows:
            if row.path == prefix:
                found = self._locations.own().open(row.place)
                return replace(found, name=path.rpartition("/")[2], sha256=row.sha256)
        return None

    def drop(self, name: str, path: str) -> bool:
        """Take a file, or what is below a path, from its run; tell whether there was any."""
        prefix, rows = self._below(name, path, whole=True)
        gone = [row for row in rows if row.path == prefix or row.path.startswith(f"{prefix}/")]
        if gone:
            retried(self._drop)(gone)
        return bool(gone)

    def _drop(self, gone: Sequence[Any]) -> None:
        with self._database.write() as connection:
            for row in gone:
                mine = (run_shared_files.c.run == row.run) & (run_shared_files.c.path == row.path)
                connection.execute(delete(run_shared_files).where(mine))

    def _below(self, name: str, path: str, *, whole: bool = False) -> tuple[str, Sequence[Any]]:
        """Return the path within its run, and what the run shares below it; ``whole`` for all of the run."""
        located = self._locate(f"{name}/{path}" if path else name)
        if located is None:
            return "", []
        root, run_id, inner = located
        with self._database.read() as connection:
            rows = _of_run(connection, root, run_id)
        if whole:
            return inner, rows
        prefix = f"{inner}/" if inner else ""
        return prefix, [row for row in rows if row.path.startswith(prefix)]

    def _locate(self, uri: str) -> tuple[str, str, str] | None:
        found = _PLACE.fullmatch(uri) if uri.startswith(f"{PROXY}:/") else None
        return (found["root"], found["run"], found["path"] or "") if found else None


# Built once: what every folder of a run that is listed asks.
_OF_RUN = (
    select(
        run_shared_files.c.run,
        run_shared_files.c.path,
        shared_files.c.sha256,
        shared_files.c.place,
        shared_files.c.size,
    )
    .join(runs, runs.c.id == run_shared_files.c.run)
    .join(shared_files, shared_files.c.sha256 == run_shared_files.c.sha256)
    .where(runs.c.run_id == bindparam("name"), runs.c.artifact_uri == bindparam("root"))
    .order_by(run_shared_files.c.path)
)


def _of_run(connection: Connection, root: str, run_id: str) -> Sequence[Any]:
    found = connection.execute(_OF_RUN, {"name": run_id, "root": root})
    return [row for row in found if _KEPT.fullmatch(row.place)]


def give(connection: Connection, files: Mapping[int, Mapping[str, str]]) -> list[str]:
    """Give runs, by their numbers, those files that are there; return the digests of the others.

    What many runs have is looked for once: that is what runs of one environment share.
    """
    digests = sorted({digest for item in files.values() for digest in item.values()})
    known: set[str] = set()
    for some in chunked(digests):
        mine = shared_files.c.sha256.in_(some)
        query = held(connection, select(shared_files.c.sha256).where(mine))
        known.update(connection.execute(query).scalars())
        connection.execute(update(shared_files).where(mine).values(used=now_ms()))
    rows = [
        {"run": run, "path": path, "sha256": digest}
        for run, item in sorted(files.items())
        for path, digest in sorted(item.items())
        if digest in known
    ]
    upsert(connection, run_shared_files, rows)
    return [digest for digest in digests if digest not in known]


def hides(connection: Connection, run: Row[Any], files: Mapping[str, str]) -> str:
    """Return why a run cannot be given files, ``""`` if it can: none comes among those of a model.

    What a run has of its own is seen before what its models have at the same paths.
    """
    for fixed in model_places.fixed_paths(connection, run.run_id, run.artifact_uri):
        for path in files:
            if f"{path}/".startswith(f"{fixed}/") or fixed.startswith(f"{path}/"):
                return (
                    f"The file {path!r} is not shared with the run {run.run_id}: at {fixed!r} are the files of a "
                    "model, which stay as they are. Give it another path."
                )
    return ""


def check(files: Mapping[str, str]) -> None:
    """Raise ``InvalidParameter`` for files that no run can be given."""
    if not files or len(files) > _MOST:
        raise InvalidParameter(f"Invalid files: 1 to {_MOST} are given to a run at once.")
    for path, digest in files.items():
        _check_file(path, digest)


@lru_cache(maxsize=1000)  # what many runs share is told many times, and what is refused is not kept
def _check_file(path: str, digest: str) -> None:
    check_path(path)
    if len(path) > 250:
        raise InvalidParameter(f"Invalid path {path[:80]!r}…: at most 250 characters.")
    if not _DIGEST.fullmatch(digest):
        raise InvalidParameter(
            f"Invalid SHA-256 {digest[:80]!r} of {path!r}: 64 hexadecimal digits in lower case."
        )
