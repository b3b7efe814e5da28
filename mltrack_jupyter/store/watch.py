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

_SQLITE = "sqlite:///"
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
        self._path = services.uri.removeprefix(_SQLITE)
        self._file: tuple[int, int] | None = None
        is_file = services.uri.startswith(_SQLITE) and self._path != ":memory:"
        if is_file and not is_read_only(services.uri):
            self._connect()
        self.last = services.workspace.changes().last

    def poll(self) -> ChangeList | None:
        """Return the changes since the last call, ``None`` if there are none."""
        if self._connection is not None:
            if self._file != (found := identity(Path(self._path))):
                if found is None:  # the store was deleted: it is made anew by whoever writes
                    return None
                self._connect()
                self.last = 0
            try:
                version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
            except sqlite3.Error as error:
                raise Unavailable(f"The store cannot be watched: {error}") from error
            if version == self._version:
                return None
            self._version = version
        elif time.monotonic() - self._asked < _PACE:
            return None
        else:
            self._asked = time.monotonic()
        told = self._services.workspace.changes(since=self.last)
        self.last = told.last
        return told if told.changes else None

    def _connect(self) -> None:
        self.close()
        self._connection = sqlite3.connect(self._path, check_same_thread=False, timeout=5)
        self._file, self._version = identity(Path(self._path)), -1

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
