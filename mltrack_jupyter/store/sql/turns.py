"""Writers of one SQLite file take turns: by chance and soon, where SQLite lets the last comers starve."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from mltrack_jupyter.store.deadline import left_s
from mltrack_jupyter.store.rights import open_private
from mltrack_jupyter.store.sql.lock_holders import TURN, locked

try:
    import fcntl
except ImportError:  # Windows: SQLite's own waiting has to do
    fcntl = None  # type: ignore[assignment]

_LONGEST = 0.002
"""The longest pause between two looks whether it is our turn, in seconds."""


class WriteQueue:
    """Where writers of one SQLite file wait for each other: threads of this process, and other processes.

    Threads queue here rather than in SQLite's busy handler, which polls.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._writing = threading.RLock()

    @contextmanager
    def alone(self, until: float) -> Iterator[None]:
        """Wait, until then in all, for the other threads and then for the other processes.

        Raises ``Unavailable``.
        """
        patience = max(0.0, until - time.monotonic())
        try:
            if not self._writing.acquire(timeout=patience):
                raise locked(self._path)
            with turn(self._path, max(0.0, until - time.monotonic())):
                yield
        finally:
            # Asked, not remembered: an interrupt may come between taking the lock and noting so.
            if self._writing._is_owned():  # type: ignore[attr-defined]  # noqa: SLF001
                self._writing.release()


@contextmanager
def turn(path: str, patience: float) -> Iterator[None]:
    """Wait until no other process writes to an SQLite file, for ``patience`` seconds at most.

    SQLite waits longer each time that it finds its file locked, up to a tenth of a second, so that of many
    busy writers one may wait for half a minute. Where no file can be made beside it, waiting is left to it.
    Raises ``Unavailable``.
    """
    handle = _open(path)
    if handle is None:
        yield
        return
    try:
        if not _wait(handle, patience):
            raise locked(path)
        yield
    finally:
        try:
            # Said, not only closed: a child that was forked meanwhile has the same file open.
            fcntl.flock(handle, fcntl.LOCK_UN)
        except OSError:  # a file system that knows no such locks
            pass
        finally:
            os.close(handle)


def _open(path: str) -> int | None:
    if fcntl is None or not path:
        return None
    try:
        return open_private(path + TURN, os.O_RDWR | os.O_CREAT)
    except OSError:
        return None


def _wait(handle: int, patience: float) -> bool:
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until or not left_s(patience):
                return False
        except OSError:  # a file system that knows no such locks
            return True
        else:
            return True
        time.sleep(random.uniform(0, _LONGEST))  # noqa: S311 - to part rivals, no secret
