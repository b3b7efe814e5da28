"""Writers of one SQLite file take turns: by chance and soon, where SQLite lets the last comers starve."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

from mltrack_jupyter.errors import Unavailable

try:
    import fcntl
except ImportError:  # Windows: SQLite's own waiting has to do
    fcntl = None  # type: ignore[assignment]

SUFFIX = ".turn"
_LONGEST = 0.002
"""The longest pause between two looks whether it is our turn, in seconds."""


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
            raise Unavailable(f"{path} was locked by another process for {patience:g} s.")
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
    if fcntl is None or path in ("", ":memory:"):
        return None
    try:
        return os.open(path + SUFFIX, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError:
        return None


def _wait(handle: int, patience: float) -> bool:
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
        except OSError:  # a file system that knows no such locks
            return True
        else:
            return True
        time.sleep(random.uniform(0, _LONGEST))  # noqa: S311 - to part rivals, no secret
