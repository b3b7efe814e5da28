"""One file of a journal: appended to by its process, locked while that lives, read from any offset."""

from __future__ import annotations

import errno
import logging
import mmap
import os
import re
import time
from pathlib import Path

from mltrack_jupyter.errors import StoreUnwritable
from mltrack_jupyter.store.journal.records import (
    Header,
    Record,
    count_of,
    framed,
    header_content,
    read_header,
    scan,
)
from mltrack_jupyter.store.rights import make_folder, open_private

try:
    import fcntl
except (
    ImportError
):  # Windows: who is dead is told by the operating system, which lets no one delete what is open
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger("mltrack_jupyter")
SUFFIX = ".journal"
_NAME = re.compile(r"[0-9a-f]{32}\.[0-9]{6}\.journal")
_NEW, _TORN = ".new", ".torn"
_STALE = 3600.0
"""After how many seconds a file that was not finished is garbage of a process that was killed meanwhile."""
_mine: dict[Path, object] = {}
"""The files that this process has open, which nobody in it takes over."""
_NONE = mmap.mmap(-1, 1)
"""The pages of a file that is only read: another process made it."""
_READ = 4 * 1024 * 1024


class Segment:
    """An open file of a journal. Appending is for one thread at a time; reading is for another one.

    A file has its whole size from the beginning and is written through a mapping: its pages are the
    kernel's, so that they outlive the process, and a full disk is noticed when the file is made, never
    in the middle. Behind the last record stand zeros.

    The lock is ``flock``'s: it ends with the process, and not when the process itself opens and closes the
    file once more, as whoever copies the folder does. A forked child closes what it inherits.
    """

    def __init__(self, path: Path, handle: int, header: Header, begin: int) -> None:
        self.path = path
        self.header = header
        self.begin = begin
        self.size = begin
        self.sealed = False
        self.keep = False
        self.is_removed = False
        self._handle = handle
        self._mark = (begin, 0)
        self.room = 0
        self.pages: mmap.mmap = _NONE

    @classmethod
    def create(cls, path: Path, header: Header, room: int) -> Segment:
        """Create a file of ``room`` bytes, lock it and write its header. Raises ``StoreUnwritable``.

        It gets its name when it is locked: nobody can find it before.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        place = path.with_suffix(_NEW) if fcntl is not None else path
        try:
            make_folder(path.parent)
            handle = open_private(place, flags)
        except OSError as error:
            raise _unwritable(path, error) from error
        data = framed(header_content(header))
        made = cls(path, handle, header, len(data))
        _mine[path] = handle
        try:
            _lock(handle)
            _reserve(handle, room)
            made.pages = mmap.mmap(handle, room)
            made.pages[: len(data)] = data
            made.room = room
            if place != path:
                os.replace(place, path)
        except BaseException as error:
            made.close()
            for name in (place, path):
                name.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise _unwritable(path, error) from error
            raise
        return made

    @classmethod
    def take_over(cls, path: Path) -> Segment | None:
        """Open a file that a dead process left; ``None`` if it is none of ours, or gone.

        Raises ``BlockingIOError`` if its process lives.
        """
        token = object()
        if _mine.setdefault(path, token) is not token:  # one step, whatever other threads do
            raise BlockingIOError(errno.EAGAIN, "This process has the file open.", str(path))
        taken = None
        try:
            taken = cls._locked(path)
        finally:
            if taken is None:
                del _mine[path]
        return taken

    @classmethod
    def _locked(cls, path: Path) -> Segment | None:
        try:
            handle = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
        except FileNotFoundError:
            return None
        except OSError as error:  # somebody else's: whether they live cannot be told
            raise BlockingIOError(errno.EAGAIN, str(error), str(path)) from error
        taken = None
        try:
            _lock(handle)
            data = os.read(handle, 65536)
            found = os.fstat(handle)
            begun = read_header(data)
            if _NAME.fullmatch(path.name) and found.st_nlink and not scan(data):
                _put_aside(path)
            # Whoever had the lock before may have removed the file.
            if begun is not None and found.st_nlink:
                taken = cls(path, handle, *begun)
                taken.size = found.st_size
                taken.sealed = True
        finally:
            if taken is None:
                os.close(handle)
        return taken

    def append(self, data: bytes) -> bool:
        """Write a record, which outlives the process when this returns; ``False`` if the file is full."""
        end = self.size + len(data)
        if end > self.room:
            return False
        self.pages[self.size : end] = data
        self.size = end
        return True

    def peek(self, size: int) -> tuple[list[Record], tuple[int, int]]:
        """Return the next records of the first ``size`` bytes, not too many, and the mark behind them.

        There are none at the end. They are read again until :meth:`pass_to` is told the mark.
        """
        offset, count = self._mark
        data = self._bytes(offset, min(size, offset + _READ))
        found = scan(data)
        if not found and len(data) == _READ:  # a record that is longer than that
            found = scan(self._bytes(offset, size))[:1]
        end = offset + found[-1].end if found else offset
        return found, (end, count + count_of(found))

    def pass_to(self, mark: tuple[int, int]) -> None:
        """Go on behind a mark. One assignment: an interrupt finds it done or not done, never by half."""
        self._mark = mark

    def read(self) -> list[Record]:
        """Return the next records and pass them."""
        records, mark = self.peek(self.size)
        self.pass_to(mark)
        return records

    def _bytes(self, begin: int, end: int) -> bytes:
        if self._handle < 0:  # it was closed, or removed
            return b""
        if self.pages is not _NONE:
            return self.pages[begin:end]
        return os.pread(self._handle, max(0, end - begin), begin)

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be read from it any more."""
        return self._handle < 0

    @property
    def is_unlinked(self) -> bool:
        """Whether somebody deleted the file: what is in it ends with this process."""
        try:
            return self._handle >= 0 and os.fstat(self._handle).st_nlink == 0
        except OSError:  # it was closed meanwhile
            return False

    @property
    def torn(self) -> bool:
        """Whether anything stands behind the last record that could be read."""
        return any(self._bytes(self._mark[0], self.size))

    @property
    def place(self) -> int:
        """The place in the journal of what is read next."""
        return self.header.index << 32 | self._mark[1]

    def rewind(self) -> None:
        """Read again from the beginning."""
        self._mark = (self.begin, 0)

    def close(self) -> None:
        """Close the file, which gives it free to whoever takes over."""
        pages, self.pages, self.room = self.pages, _NONE, 0
        if pages is not _NONE:
            pages.close()
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)
        _mine.pop(self.path, None)

    def remove(self) -> None:
        """Remove and close the file: everything in it is elsewhere. A torn one is kept, by another name.

        Whoever was interrupted, or could not, may call it again. Raises ``OSError``.
        """
        if self.keep and self.path.exists():
            os.replace(self.path, self.path.with_suffix(_TORN))
        else:
            self.path.unlink(missing_ok=True)
        self.is_removed = True
        self.close()


def _put_aside(path: Path) -> None:
    """Keep a file whose beginning is damaged under another name, and say so once."""
    os.replace(path, path.with_suffix(_TORN))
    log.warning(
        "mltrack: the beginning of %s is no record, so that it cannot be handed over; it is kept as %s.",
        path, _TORN,
    )  # fmt: skip


def is_ours(path: Path) -> bool:
    """Tell whether this process has a file open."""
    return path in _mine


def sweep(folder: Path) -> None:
    """Remove files that were never finished, because their process was killed while it made them."""
    for path in folder.glob(f"*{_NEW}"):
        try:
            if time.time() - path.stat().st_mtime > _STALE:
                path.unlink()
        except OSError:
            continue  # another process swept it, or it is not ours to remove


def _reserve(handle: int, room: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, room)
    else:
        os.write(handle, bytes(room))


def _lock(handle: int) -> None:
    if fcntl is not None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _unwritable(path: Path, error: OSError) -> StoreUnwritable:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreUnwritable(
            f"The disk is full: nothing more can be logged to {path.parent}. What was logged before is safe; "
            "free some space and go on."
        )
    return StoreUnwritable(
        f"Nothing can be logged to {path.parent}: {error.strerror or error}. Choose a folder that you can "
        "write with set_tracking_uri(...) or MLTRACK_TRACKING_URI."
    )
