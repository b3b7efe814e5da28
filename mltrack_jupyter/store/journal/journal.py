"""The journal of a process: what it logs is in a file of its own when a call returns."""

from __future__ import annotations

import os
import shutil
import threading
import uuid
import zlib
from pathlib import Path
from typing import BinaryIO

from mltrack_jupyter.entities import RunEntry
from mltrack_jupyter.errors import StoreUnwritable
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.journal.records import (
    HEAD,
    POINT,
    POINT_KIND,
    Columns,
    Header,
    Name,
    SpooledFile,
    entry_content,
    file_content,
    many_content,
    name_content,
)
from mltrack_jupyter.store.journal.segment import SUFFIX, Segment, write_all

_FULL = 4 * 1024 * 1024
"""Where a file is long enough and the next one begins, in bytes."""


class Journal:
    """An append-only log of what one process did to the runs of one store. May be used from any thread.

    Files are made when there is something to write, and removed by whoever has handed them over.
    """

    def __init__(self, folder: Path, uri: str) -> None:
        self.journal_id = uuid.uuid4().hex
        self.folder = folder
        self.uri = uri
        self.segments: list[Segment] = []
        self.written = 0
        self._names: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()
        self._index = 0
        self._last: Segment | None = None

    def point(self, run_id: str, key: str, step: int, timestamp: int, value: float) -> None:
        """Log a point. Raises ``InvalidParameter`` for a name that is none, ``StoreUnwritable``."""
        with self._lock:
            number = self._names.get((run_id, key))
            if number is None or self._last is None or self._last.size > _FULL:
                number = self._name(run_id, key)
            segment = self._last
            assert segment is not None
            content = POINT.pack(POINT_KIND, number, step, timestamp, value)
            data = HEAD.pack(len(content), zlib.crc32(content)) + content
            self._put(segment, data)

    def points(self, run_id: str, found: list[tuple[str, int, int, float]]) -> None:
        """Log points (key, step, time, value) of one run: all of them or, on an error, none."""
        with self._lock:
            self._begin()
            columns: list[Columns] = [(self._number(run_id, key), *point) for key, *point in found]  # type: ignore[misc]
            self._append(many_content(columns))

    def entry(self, entry: RunEntry) -> None:
        """Log whatever else happened to a run."""
        content = entry_content(entry)
        with self._lock:
            self._begin()
            self._append(content)

    def spool(self, run_id: str, path: str, body: BinaryIO) -> None:
        """Keep an artifact until its server is there: a copy beside the journal, and a record of it."""
        place = self.folder / f"{self.journal_id}.files" / uuid.uuid4().hex
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("xb") as copy:
                shutil.copyfileobj(body, copy, 1024 * 1024)
                copy.flush()
                os.fsync(copy.fileno())
            record = SpooledFile(
                run_id=run_id, path=path, spooled=f"{place.parent.name}/{place.name}"
            )
            with self._lock:
                self._begin()
                self._append(file_content(record))
        except OSError as error:
            place.unlink(missing_ok=True)
            raise StoreUnwritable(
                f"The artifact {path!r} could not be kept in {place.parent}: {error.strerror or error}."
            ) from error
        except BaseException:
            place.unlink(missing_ok=True)
            raise

    def seal(self) -> None:
        """Let the next record begin a new file, so that those before it can be removed."""
        with self._lock:
            self._end()

    def abandon(self) -> None:
        """Close the files without a word: in a forked child they belong to the parent."""
        for segment in self.segments:
            segment.close()
        self.segments.clear()
        self._lock = threading.Lock()
        self._last = None

    # What follows is called with the lock held.

    def _begin(self) -> None:
        if self._last is None or self._last.size > _FULL:
            self._end()
            path = self.folder / f"{self.journal_id}.{self._index:06}{SUFFIX}"
            header = Header(
                journal_id=self.journal_id,
                uri=rules.hide_password(self.uri),
                index=self._index,
                pid=os.getpid(),
            )
            self._last = Segment.create(path, header)
            self._index += 1
            self.segments.append(self._last)

    def _end(self) -> None:
        if self._last is not None:
            self._last.sealed = True
            self._last = None
            self._names.clear()

    def _name(self, run_id: str, key: str) -> int:
        self._begin()
        return self._number(run_id, key)

    def _number(self, run_id: str, key: str) -> int:
        number = self._names.get((run_id, key))
        if number is None:
            rules.check_key(key, "metric")
            number = len(self._names)
            self._append(name_content(number, Name(run_id, key)))
            self._names[run_id, key] = number
        return number

    def _append(self, content: bytes) -> None:
        assert self._last is not None
        self._put(self._last, HEAD.pack(len(content), zlib.crc32(content)) + content)

    def _put(self, segment: Segment, data: bytes) -> None:
        try:
            write_all(segment.handle, data, segment.path)
        except BaseException:
            # Whatever stands at the end of this file now: nothing is written behind it.
            self._end()
            raise
        segment.size += len(data)
        self.written += 1
