"""Noticing that a store changed, whoever changed it, at next to no cost."""

from __future__ import annotations

import sqlite3
import time

from mltrack_jupyter.entities import ChangeList
from mltrack_jupyter.errors import Unavailable
from mltrack_jupyter.services import Services

_SQLITE = "sqlite:///"
_PACE = 1.0
"""The least number of seconds between two questions to a server."""


class Watcher:
    """A cursor on the change feed that only looks when something was written.

    SQLite tells by one number that another connection committed; elsewhere the feed itself is asked, at
    most once a second, however often :meth:`poll` is called. Not for use by several threads at once.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._version = -1
        self._asked = -_PACE
        self._connection: sqlite3.Connection | None = None
        path = services.uri.removeprefix(_SQLITE)
        if services.uri.startswith(_SQLITE) and path != ":memory:":
            self._connection = sqlite3.connect(path, check_same_thread=False, timeout=5)
        self.last = services.workspace.changes().last

    def poll(self) -> ChangeList | None:
        """Return the changes since the last call, ``None`` if there are none."""
        if self._connection is not None:
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
        found = self._services.workspace.changes(since=self.last)
        self.last = found.last
        return found if found.changes else None

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
