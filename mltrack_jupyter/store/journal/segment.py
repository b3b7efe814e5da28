"""One file of a journal: appended to by its process, locked while that lives, read from any offset."""

from __future__ import annotations

import errno
import logging
import os
import re
import time
from enum import Enum
from pathlib import Path

from mltrack_jupyter.errors import StoreUnwritable
from mltrack_jupyter.store.journal.folder import Folder, UntrustedError, say_what_is_left
from mltrack_jupyter.store.journal.positioned import HAS_LOCKS, lock, read_at, reserve, write_at
from mltrack_jupyter.store.journal.records import (
    Header,
    Record,
    count_of,
    framed,
    header_content,
    read_header,
    scan,
)

log = logging.getLogger("mltrack_jupyter")
SUFFIX = ".journal"
NAME = re.compile(r"([0-9a-f]{32})\.([0-9]{6})\.journal")
_NEW, _TORN = ".new", ".torn"
_STALE = 3600.0
"""After how many seconds a file that was not finished is garbage of a process that was killed meanwhile."""
_mine: dict[Path, object] = {}
"""The files that this process has open, which nobody in it takes over."""
_READ = 4 * 1024 * 1024


class State(Enum):
    """What becomes of a file. It goes from one state to a later one only."""

    GROWING = "its process appends to it"
    SEALED = "nothing is appended any more; it is removed when the store has all of it"
    REMOVED = "the store has it: it is deleted or, if it is damaged, put aside"
    LEFT = "it is closed and still there, for whoever comes next"


class Segment:
    """An open file of a journal. Appending is for one thread at a time; reading is for another one.

    A file has its whole size from the beginning, so that a full disk is noticed when it is made. A record is
    written by one call: its pages are the kernel's then, and outlive the process. It is not written through
    a mapping, which takes half a microsecond less: whoever cuts a mapped file short, as a backup that is
    put back does, kills the process by a signal that nobody can catch. Behind the last record stand zeros.

    What is in the file is known in memory, too, while it grows (``recent``): it is handed over from there
    whatever became of the file, and a file that somebody else wrote to is written anew. A record is there
    when ``recent`` has it, which is one step: an interrupt finds it done or not done, never by half.

    The lock is ``flock``'s: it ends with the process, and not when the process itself opens and closes the
    file once more, as whoever copies the folder does. A forked child closes what it inherits.
    """

    def __init__(
        self, path: Path, handle: int, header: Header, begin: int, on_disk: int = 0
    ) -> None:
        self.path = path
        self.header = header
        self.begin = begin
        self.state = State.GROWING
        self.keep = False
        self.handle = handle
        self.room = 0
        self.recent = bytearray()
        self._on_disk: int | None = on_disk
        self.mark = (begin, 0)

    @classmethod
    def create(cls, path: Path, header: Header, room: int) -> Segment:
        """Create a file of ``room`` bytes, lock it and write its header. Raises ``StoreUnwritable``.

        It gets its name when it is locked: nobody can find it before.
        """
        place = path.with_suffix(_NEW) if HAS_LOCKS else path
        try:
            with Folder.open(path.parent, make=True) as folder:
                handle = folder.create(place.name)
                data = framed(header_content(header))
                made = cls(path, handle, header, len(data))
                _mine[path] = handle
                try:
                    lock(handle)
                    reserve(handle, room)
                    made.write(data, 0)
                    made.recent, made._on_disk, made.room = bytearray(data), None, room
                    if place != path:
                        folder.rename(place.name, path.name)
                except BaseException:
                    for name in (place.name, path.name):
                        folder.remove(name, handle)
                    made.close()
                    raise
        except OSError as error:
            raise unwritable(path, error) from error
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
            with Folder.open(path.parent) as folder:
                taken = _locked(path, folder)
        except FileNotFoundError:
            return None
        except UntrustedError as error:
            say_what_is_left(path, error)
            return None
        finally:
            if taken is None:
                del _mine[path]
        return taken

    def append(self, data: bytes) -> bool:
        """Write a record, which outlives the process when this returns; ``False`` if the file is full."""
        recent = self.recent
        if self._on_disk is not None or len(recent) + len(data) > self.room:
            return False
        self.write(data, len(recent))
        recent += data
        return True

    @property
    def size(self) -> int:
        """Where the last record ends; in the file of a dead process, where the file does."""
        on_disk = self._on_disk
        return len(self.recent) if on_disk is None else on_disk

    def forget_content(self) -> None:
        """Read from the file from now on: nothing is appended any more."""
        self._on_disk = self.size
        self.recent = bytearray()

    def write(self, data: bytes, place: int) -> None:
        """Write all of some bytes to a place in the file. Raises ``StoreUnwritable``."""
        try:
            written = write_at(self.handle, data, place)
            while written < len(data):  # a disk that is full, or is about to say why not
                written += write_at(self.handle, data[written:], place + written)
        except OSError as error:
            raise unwritable(self.path, error) from error

    def peek(self, size: int) -> tuple[list[Record], tuple[int, int]]:
        """Return the next records of the first ``size`` bytes, not too many, and the mark behind them.

        There are none at the end. They are read again until :meth:`pass_to` is told the mark.
        """
        offset, count = self.mark
        found, length = self._scan(offset, min(size, offset + _READ))
        if not found and length == _READ:  # a record that is longer than that
            found = self._scan(offset, size)[0][:1]
        end = offset + found[-1].end if found else offset
        return found, (end, count + count_of(found))

    def pass_to(self, mark: tuple[int, int]) -> None:
        """Go on behind a mark. One assignment: an interrupt finds it done or not done, never by half."""
        self.mark = mark

    def read(self) -> list[Record]:
        """Return the next records and pass them."""
        records, mark = self.peek(self.size)
        self.pass_to(mark)
        return records

    def _scan(self, begin: int, end: int) -> tuple[list[Record], int]:
        """Return the whole records of a part of the file, and how long the part is."""
        data = self._bytes(begin, end)
        # Asked after: what is forgotten meanwhile came from memory all the same.
        return scan(data, is_own=self.is_remembered), len(data)

    def _bytes(self, begin: int, end: int) -> bytes:
        recent = self.recent
        if self.handle < 0:  # it was closed, or removed
            return b""
        if self._on_disk is None:  # asked after: what is forgotten is in the file
            return bytes(recent[begin:end])
        return self.stored(begin, end)

    def stored(self, begin: int, end: int) -> bytes:
        """Return what the file has there, whatever was written to it."""
        return read_at(self.handle, max(0, end - begin), begin)

    @property
    def is_remembered(self) -> bool:
        """Whether what was written is in memory, too."""
        return self._on_disk is None and self.handle >= 0

    @property
    def is_unlinked(self) -> bool:
        """Whether somebody deleted the file: what is in it ends with this process."""
        try:
            return self.handle >= 0 and os.fstat(self.handle).st_nlink == 0
        except OSError:  # it was closed meanwhile
            return False

    @property
    def torn(self) -> bool:
        """Whether anything stands behind the last record that could be read."""
        return any(self._bytes(self.mark[0], self.size))

    @property
    def place(self) -> int:
        """The place in the journal of what is read next."""
        return self.header.index << 32 | self.mark[1]

    def rewind(self) -> None:
        """Read again from the beginning."""
        self.mark = (self.begin, 0)

    def close(self) -> None:
        """Close the file, which gives it free to whoever takes over. While nobody appends."""
        if self.state is not State.REMOVED:
            self.state = State.LEFT
        self.room = 0
        handle, self.handle = self.handle, -1
        if handle >= 0:
            os.close(handle)
        _mine.pop(self.path, None)

    def remove(self) -> None:
        """Remove and close the file: everything in it is elsewhere. A torn one is kept, by another name.

        Whoever was interrupted, or could not, may call it again. Raises ``OSError``.
        """
        if self.handle >= 0:
            try:
                with Folder.open(self.path.parent) as folder:
                    if self.keep and not self.is_unlinked:
                        folder.rename(self.path.name, self.path.with_suffix(_TORN).name)
                    else:
                        folder.remove(self.path.name, self.handle)
            except FileNotFoundError:
                pass  # somebody removed the folder, or the file
        self.state = State.REMOVED
        self.close()


def _locked(path: Path, folder: Folder) -> Segment | None:
    """Open and lock a file that is right in all respects."""
    try:
        handle = folder.take(path.name, os.O_RDWR)
    except (FileNotFoundError, UntrustedError):
        raise
    except OSError as error:  # whether its process lives cannot be told
        raise BlockingIOError(errno.EAGAIN, str(error), str(path)) from error
    taken = None
    try:
        lock(handle)
        data = os.read(handle, 65536)
        found = os.fstat(handle)
        begun = read_header(data)
        if NAME.fullmatch(path.name) and found.st_nlink and not scan(data):
            _put_aside(path, folder)
        # Whoever had the lock before may have removed the file.
        if begun is not None and found.st_nlink and _is_called(path, begun[0]):
            taken = Segment(path, handle, *begun, on_disk=found.st_size)
            taken.state = State.SEALED
    finally:
        if taken is None:
            os.close(handle)
    return taken


def _is_called(path: Path, header: Header) -> bool:
    """Tell whether a file has the name that its header gives it: other files are named by it."""
    named = NAME.fullmatch(path.name)
    is_right = named is not None and (named[1], int(named[2])) == (header.journal_id, header.index)
    if not is_right:
        say_what_is_left(path, "its name is not that of the journal in it")
    return is_right


def _put_aside(path: Path, folder: Folder) -> None:
    """Keep a file whose beginning is damaged under another name, and say so once."""
    folder.rename(path.name, path.with_suffix(_TORN).name)
    log.warning(
        "mltrack: the beginning of %s is no record, so that it cannot be handed over; it is kept as %s.",
        path, _TORN,
    )  # fmt: skip


def is_ours(path: Path) -> bool:
    """Tell whether this process has a file open."""
    return path in _mine


def sweep(folder: Folder) -> None:
    """Remove files that were never finished, because their process was killed while it made them."""
    for name in folder.names():
        if not name.endswith(_NEW):
            continue
        try:
            handle = folder.take(name)
        except OSError:
            continue  # another process swept it, or it is not ours to remove
        try:
            if time.time() - os.fstat(handle).st_mtime > _STALE:
                folder.remove(name, handle)
        finally:
            os.close(handle)


def unwritable(path: Path, error: OSError) -> StoreUnwritable:
    """Return what is raised where a file cannot be made or written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreUnwritable(
            f"The disk is full: nothing more can be logged to {path.parent}. What was logged before is safe; "
            "free some space and go on."
        )
    return StoreUnwritable(
        f"Nothing can be logged to {path.parent}: {error.strerror or error}. Choose a folder that you can "
        "write with set_tracking_uri(...) or MLTRACK_TRACKING_URI."
    )
