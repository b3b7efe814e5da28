"""Noticing that a store changed, whoever changed it, at next to no cost."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from mltrack_jupyter.entities import ChangeList
from mltrack_jupyter.errors import Unavailable
from mltrack_jupyter.services import Services
from mltrack_jupyter.store.read_only import is_read_only
from mltrack_jupyter.store.sql.same_file import identity
from mltrack_jupyter.store.uri import StoreUri

_PACE = 1.0
"""The least number of seconds between two questions to a server."""


class Watcher:
    """A cursor on the change feed that only looks when something was written.

    SQLite tells by one number that another connection committed; elsewhere, and where the file may only be
    read, the feed itself is asked, at most once a second, however often :meth:`poll` is called. Not for use by several threads at once.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._version = -1
        self._asked = -_PACE
        self._connection: sqlite3.Connection | None = None
        read_only = is_read_only(services.uri)
        self._path = None if read_only else StoreUri.of(services.uri).file
        self._file: tuple[int, int] | None = None
        self.last = services.workspace.changes().last
        if self._path is not None:
            self._connect(self._path)

    def poll(self) -> ChangeList | None:
        """Return the changes since the last call, ``None`` if there are none."""
        if self._path is not None:
            version = self._data_version(self._path)
            if version == self._version:
                return None
            told = self._services.workspace.changes(since=self.last)
            self._version = version  # only now: what could not be asked for is asked for again
            return self._pass_on(told)
        if time.monotonic() - self._asked < _PACE:
            return None
        self._asked = time.monotonic()
        return self._pass_on(self._services.workspace.changes(since=self.last))

    def _pass_on(self, told: ChangeList) -> ChangeList | None:
        self.last = told.last
        return told if told.changes else None

    def _data_version(self, path: Path) -> int:
        """Return the number that changes with each commit of others; the last one if there is no file."""
        found = identity(path)
        if found is None:  # the store was deleted: it is made anew by whoever writes
            return self._version
        if found != self._file:
            replaced = self._file is not None
            self._connect(path)
            if replaced:
                self.last = 0
        try:
            if self._connection is None:
                self._connect(path)
            assert self._connection is not None
            version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error as error:
            self.close()
            raise Unavailable(f"The store cannot be watched: {error}") from error
        return version

    def _connect(self, path: Path) -> None:
        """Connect to the file that has the name now; the next question is asked whatever its number is."""
        self.close()
        self._version = -1
        try:
            self._connection = sqlite3.connect(path, check_same_thread=False, timeout=5)
        except sqlite3.Error as error:
            raise Unavailable(f"The store cannot be watched: {error}") from error
        self._file = identity(path)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
