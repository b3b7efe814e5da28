"""Seeing to it that connections lead to the file that has the database's name now.

Whoever deletes a store, or puts another one in its place, leaves open connections with a file that has no
name any more: SQLite goes on writing into it, and what was committed there is gone with the last process
that has it open.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from mltrack_jupyter.errors import Unavailable

_File = tuple[int, int] | None
"""The device and the number of a file; ``None`` if there is none."""


class SameFile:
    """Knows which file a database was opened as. May be used from several threads."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._is_file = path not in ("", ":memory:")
        self._known: _File = None
        self._renew: Callable[[], None] | None = None
        self._lock = threading.RLock()
        self._renewing = 0
        """The thread that opens the database anew."""

    @property
    def is_missing(self) -> bool:
        """Whether the file was deleted: what would only tidy it up need not make a new one."""
        return self._renew is not None and self._found() is None

    def watch(self, renew: Callable[[], None]) -> None:
        """Note the file that is there now; ``renew`` opens the database anew if it is another one later."""
        self._known = self._found()
        self._renew = renew if self._is_file else None

    def follow(self) -> None:
        """Open the database anew if its file was deleted, or is another one; nothing is asked but that."""
        if self._renew is None or self._is_same():
            return
        with self._lock:
            # Renewing reads and writes, too; others have waited for the one that does it.
            if self._renewing or self._is_same():
                return
            self._renewing = threading.get_ident()
            try:
                self._renew()
                self._known = self._found()
            finally:
                self._renewing = 0

    def check(self) -> None:
        """Raise ``Unavailable`` if the file went away in the middle of what is about to be committed."""
        if self._renew is None or self._renewing == threading.get_ident():
            return
        if not self._is_same():
            raise Unavailable(
                f"{self._path} was deleted or replaced while it was written to: nothing was written."
            )

    def forget(self) -> None:
        """Forget, in a forked child, that a thread of the parent was opening it anew."""
        self._lock = threading.RLock()
        self._renewing = 0

    def _is_same(self) -> bool:
        found = self._found()
        return found is not None and found == self._known

    def _found(self) -> _File:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino
