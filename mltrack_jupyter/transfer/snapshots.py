"""A copy of somebody's SQLite file, so that the file itself is never opened by SQLite, which would write beside it."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import tempfile
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from mltrack_jupyter.errors import StoreUnreadable

_SUFFIXES = ("", "-wal", "-journal")
"""The database, what was committed and not moved into it, and what a writer that was killed has to take back."""
_ATTEMPTS = 5
_LARGEST_VALUE = 64 * 1024 * 1024
_State = list[tuple[int, int, int] | None]


class Snapshot:
    """The state of an SQLite file at one moment, in a folder of its own; ``close`` removes it."""

    def __init__(self, source: Path) -> None:
        self.source = source.absolute()
        if not stat.S_ISREG(self.source.stat().st_mode):
            raise StoreUnreadable(f"{source} is no regular file, and is not read.")
        self._folder = tempfile.TemporaryDirectory(prefix="mltrack-import-")
        self.path = Path(self._folder.name) / self.source.name
        done = False
        try:
            self._copy()
            done = True
        except (OSError, sqlite3.Error) as error:
            raise StoreUnreadable(f"{source} cannot be copied to be read: {error}.") from error
        finally:
            if not done:
                self.close()

    def _copy(self) -> None:
        for _ in range(_ATTEMPTS):
            before = self._state()
            for suffix, found in zip(_SUFFIXES, before, strict=True):
                copy = Path(f"{self.path}{suffix}")
                copy.unlink(missing_ok=True)
                if found is not None:
                    shutil.copyfile(f"{self.source}{suffix}", copy)
            if self._state() == before:
                return
            time.sleep(0.2)
        # Somebody writes all the time: SQLite, whose files are all there then, reads between two writes.
        for suffix in _SUFFIXES:
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        uri = f"file:{quote(str(self.source))}?mode=ro"
        with (
            closing(sqlite3.connect(uri, uri=True)) as there,
            closing(sqlite3.connect(self.path)) as here,
        ):
            there.backup(here)

    def _state(self) -> _State:
        found: _State = []
        for suffix in _SUFFIXES:
            try:
                state = Path(f"{self.source}{suffix}").stat()
            except FileNotFoundError:
                found.append(None)
            else:
                found.append((state.st_ino, state.st_mtime_ns, state.st_size))
        return found

    def connect(self) -> sqlite3.Connection:
        """Open the copy to read. Raises ``StoreUnreadable``."""
        try:
            connection = sqlite3.connect(self.path)
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST_VALUE)
            # One text that is none must not cost the rows beside it.
            connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
            connection.execute("PRAGMA trusted_schema=OFF")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            connection.execute("PRAGMA query_only=ON")
        except sqlite3.Error as error:
            raise StoreUnreadable(
                f"{self.source} is not a readable SQLite database: {error}."
            ) from error
        return connection

    def names(self, *kinds: str) -> set[str]:
        """Return the names of its tables, or of its things of other kinds."""
        with closing(self.connect()) as connection:
            rows = connection.execute("SELECT type, name FROM sqlite_master")
            return {name for kind, name in rows if kind in kinds}

    def close(self) -> None:
        """Remove the copy."""
        self._folder.cleanup()
