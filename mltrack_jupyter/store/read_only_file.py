"""How SQLite reads a database that may not be written.

In write-ahead mode a database is read through two files beside it, `-wal` and `-shm`. Where they are, `mode=ro`
reads through them and sees what others write. Where they are not, nobody has the database open, and they are not
made for us: it is read as `immutable`, until it changes. A log that was left without its index can only be read
from a copy. Nothing is ever written beside such a store.
"""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mltrack_jupyter.errors import StoreReadOnly, StoreUnreadable, Unavailable
from mltrack_jupyter.store.read_only import may, reason_of, refusal

if TYPE_CHECKING:
    from sqlalchemy import Engine

_log = logging.getLogger("mltrack_jupyter")
_WAL = 2
"""What the header of a database in write-ahead mode says."""
_LIVE, _STILL, _COPIED = "mode=ro", "mode=ro&immutable=1", "mode=rw"
_TRIES = 20
_MOMENT = 0.05
"""How long others may take to open or to close a database, in seconds."""
_said: set[str] = set()


class FileAccess:
    """How the file of a database may be used, if it is in one; may be used from several threads."""

    def __init__(self, path: str, engine: Engine) -> None:
        self._path = path
        self._engine = engine
        self._reader: ReadOnlyFile | None = None
        self.reason = ""
        """Why nothing may be written, ``""`` if it may."""
        self.look()
        if path:
            from sqlalchemy import event

            event.listen(engine, "do_connect", self._connect)

    def look(self) -> None:
        """See anew whether the file may be written."""
        self.close()
        self.reason = reason_of(self._path)
        self._reader = ReadOnlyFile(self._path) if self.reason else None

    @property
    def refusal(self) -> str:
        """What to say to whoever wants to write, ``""`` if that may be."""
        return refusal(self._path, self.reason) if self.reason else ""

    def check(self) -> None:
        """Raise ``StoreReadOnly`` if nothing may be written."""
        if self.reason:
            raise StoreReadOnly(self.refusal)

    @property
    def is_outdated(self) -> bool:
        """Whether open connections lead to what is no more: others wrote, came or went."""
        return self._reader is not None and self._reader.has_changed()

    def follow(self) -> None:
        """Close connections that lead to what is no more."""
        if self.is_outdated:
            self._engine.dispose()

    def read_from_copy(self, prepare: Callable[[Path], None]) -> None:
        """Read a copy from now on, after ``prepare`` was done to it."""
        if self._reader is not None:
            self._engine.dispose()
            self._reader.read_from_copy(prepare)

    def say(self) -> None:
        """Say once, in one line, that nothing will be recorded."""
        if self._reader is None or self._path in _said:
            return
        _said.add(self._path)
        late = (
            " What others write to it meanwhile may be seen late." if self._reader.is_late else ""
        )
        _log.warning("mltrack: %s%s", self.refusal, late)

    def close(self) -> None:
        """Remove what was made to read the file."""
        if self._reader is not None:
            self._reader.close()

    def forget(self) -> None:
        """Forget, in a forked child, that a thread of the parent was looking."""
        if self._reader is not None:
            self._reader.forget()

    def _connect(
        self, _dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]
    ) -> None:
        if self._reader is not None:
            arguments[0] = self._reader.address()
            options["uri"] = True


class ReadOnlyFile:
    """Finds how a database that may only be read is opened now. May be used from several threads."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = os.path.realpath(path)
        self._state: object = None
        self._address = ""
        self._copy: Path | None = None
        self._prepare: Callable[[Path], None] | None = None
        self._lock = threading.RLock()

    def read_from_copy(self, prepare: Callable[[Path], None]) -> None:
        """Read a copy from now on, after ``prepare`` was done to it."""
        with self._lock:
            self._prepare = prepare
            self._state = None

    def forget(self) -> None:
        """Take a lock that no thread of a parent process holds."""
        self._lock = threading.RLock()

    def has_changed(self) -> bool:
        """Tell whether the database is not as it was when its address was asked for."""
        with self._lock:
            return bool(self._address) and self._state != self._look()

    def address(self) -> str:
        """Return the URI by which SQLite opens the database now. Raises ``StoreUnreadable``."""
        with self._lock:
            if not self._address or self._state != self._look():
                self._address, self._state = self._choose()
            return self._address

    def close(self) -> None:
        """Remove the copy, if one was made."""
        with self._lock:
            self._address, self._state = "", None
            if self._copy is not None:
                shutil.rmtree(self._copy.parent, ignore_errors=True)
                self._copy = None

    @property
    def is_late(self) -> bool:
        """Whether what others write meanwhile is seen only when they have done."""
        return not self.address().endswith(f"?{_LIVE}")

    def _look(self) -> object:
        """Return what a connection depends on: which files there are, and what they hold."""
        log, index = (_stat(f"{self._file}{suffix}") for suffix in ("-wal", "-shm"))
        file = _stat(self._file)
        is_live = log is not None and index is not None
        if is_live and self._prepare is None:
            return file and file[0]
        return file, log

    def _choose(self) -> tuple[str, object]:
        """Return the address, and what it depends on. Others may open and close the database meanwhile."""
        for _ in range(_TRIES):
            state = self._look()
            try:
                address = self._source()
                if address and self._prepare is None:
                    return address, state
                time.sleep(0 if address else _MOMENT)  # of two files that vanish, one is the first
                if not address and self._look() != state:
                    continue
                copied = self._copied(address)
            except FileNotFoundError:
                continue
            if address or self._look() == state:
                return copied, state
        raise Unavailable(f"{self._path} is being changed by others: ask again.")

    def _source(self) -> str:
        """Return the address of the database itself, ``""`` if it can only be read from a copy."""
        log, index = f"{self._file}-wal", f"{self._file}-shm"
        for item in (self._file, log):
            if os.path.exists(item) and not may(item, os.R_OK):
                raise StoreUnreadable(f"{item} may not be read by you. Is it another user's?")
        left = os.path.exists(log) and Path(log).stat().st_size > 0
        live = _uri(self._file, _LIVE)
        is_live = os.path.exists(log) and os.path.exists(index)
        if (is_live or not _uses_log(self._file)) and _opens(live):
            return live
        return "" if left else _uri(self._file, _STILL)

    def _copied(self, source: str) -> str:
        """Return the address of a copy in a folder of ours: of a database, or of its file with its log."""
        folder = Path(tempfile.mkdtemp(prefix="mltrack-copy-"))
        copy = folder / Path(self._file).name
        weakref.finalize(self, _remove, folder, os.getpid())
        if source:
            with (
                closing(sqlite3.connect(source, uri=True)) as there,
                closing(sqlite3.connect(copy)) as here,
            ):
                there.backup(here)
        else:
            for suffix in ("", "-wal"):
                shutil.copyfile(f"{self._file}{suffix}", f"{copy}{suffix}")
        if self._prepare is not None:
            self._prepare(copy)
        old, self._copy = self._copy, copy
        if old is not None:
            shutil.rmtree(old.parent, ignore_errors=True)
        return _uri(str(copy), _COPIED)


def _stat(path: str) -> tuple[tuple[int, int], int, int] | None:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino), found.st_size, found.st_mtime_ns


def _uses_log(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(20)[18:20] == bytes([_WAL, _WAL])
    except OSError:
        return False


def _opens(address: str) -> bool:
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        return False
    except sqlite3.Error:  # no database at all, which is for others to say
        return True
    return True


def _uri(path: str, mode: str) -> str:
    return f"file:{quote(os.fsencode(path))}?{mode}"


def _remove(folder: Path, pid: int) -> None:
    if os.getpid() == pid:  # a forked child has the same copy
        shutil.rmtree(folder, ignore_errors=True)
