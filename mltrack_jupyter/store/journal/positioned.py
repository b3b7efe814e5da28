"""Reading and writing a file at a place, giving it its size, and locking it: as each platform does it.

Linux and macOS do all of it by calls of their own. Windows has no ``pread``: there the place is set first,
under a lock. It has no ``flock`` either, and nothing here takes its place; nobody can delete a file there that a
process has open. Journals were never run there.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]

HAS_LOCKS = fcntl is not None
_moving = threading.Lock()


def _read_from(handle: int, size: int, place: int) -> bytes:
    with _moving:
        os.lseek(handle, place, os.SEEK_SET)
        return os.read(handle, size)


def _write_to(handle: int, data: bytes, place: int) -> int:
    with _moving:
        os.lseek(handle, place, os.SEEK_SET)
        return os.write(handle, data)


read_at: Callable[[int, int, int], bytes] = getattr(os, "pread", _read_from)
"""Return at most so many bytes of a file from a place on: what ``os.pread`` does."""
write_at: Callable[[int, bytes, int], int] = getattr(os, "pwrite", _write_to)
"""Write bytes to a place in a file and return how many were written: what ``os.pwrite`` does."""


def reserve(handle: int, room: int) -> None:
    """Give a file its whole size. Raises ``OSError`` if the disk is full."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, room)
        return
    # Only what is missing: macOS has no such call, and what is in the file stays.
    size = os.fstat(handle).st_size
    if size < room:
        write_at(handle, bytes(room - size), size)


def lock(handle: int) -> None:
    """Lock a file as long as this process has it open. Raises ``BlockingIOError`` if another one has."""
    if fcntl is not None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
