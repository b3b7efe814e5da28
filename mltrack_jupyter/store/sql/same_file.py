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
from mltrack_jupyter.store.read_only import reason_of
from mltrack_jupyter.store.uri import MEMORY

_File = tuple[int, int] | None
"""The device and the number of a file; ``None`` if there is none."""


class SameFile:
    """Knows which file a database was opened as. May be used from several threads."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._is_file = path not in ("", MEMORY)
        self._log_path = Path(f"{path}-wal")
        self._known: _File = None
        self._log: _File = None
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
        self._known, self._log = self._found(), identity(self._log_path)
        self._renew = renew if self._is_file else None

    def follow(self) -> _File:
        """Open the database anew if its file was deleted, or is another one; return which one it is now."""
        if self._renew is None or self._is_same():
            return self._known
        with self._lock:
            # Renewing reads and writes, too; others have waited for the one that does it.
            if self._renewing or self._is_same():
                return self._known
            self._renewing = threading.get_ident()
            try:
                self._put_log_aside()
                self._renew()
                self._known = self._found()
                self._log = identity(self._log_path)
            finally:
                self._renewing = 0
        return self._known

    def check(self, begun: _File) -> None:
        """Raise ``Unavailable`` if the file is not that any more in which what is to be committed was begun."""
        if self._renew is None or self._renewing == threading.get_ident():
            return
        self._log = identity(self._log_path)
        if begun is None or self._found() != begun:
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
        return identity(self._path)

    def _put_log_aside(self) -> None:
        """Remove the write-ahead log of the database that was there: SQLite would apply it to the new one."""
        if (
            self._log is not None
            and not reason_of(str(self._path))
            and identity(self._log_path) == self._log
        ):
            for suffix in ("-wal", "-shm"):
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)


def identity(path: Path) -> _File:
    """Return which file has a name now: another one after it was deleted and made anew."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
