"""The journal of a process: what it logs is in a file of its own when a call returns."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol, cast
from zlib import crc32

from mltrack_jupyter.entities import RunEntry
from mltrack_jupyter.errors import StoreUnwritable
from mltrack_jupyter.shown import hide_password
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.journal.mending import Mending
from mltrack_jupyter.store.journal.positioned import write_at
from mltrack_jupyter.store.journal.records import (
    FIRST,
    FIRST_KIND,
    FORMAT,
    HEAD,
    POINT,
    POINT_KIND,
    Header,
    Name,
    SpooledFile,
    entry_content,
    file_content,
    firsts_content,
    framed,
    many_content,
    name_content,
    run_content,
)
from mltrack_jupyter.store.journal.segment import SUFFIX, Segment, State, unwritable

_SMALL = 512 * 1024
"""The size of a journal's first file in bytes; the next ones are longer, up to sixteen times that."""
_SPARE = 8192
"""More bytes than a header, a name and a point take."""
_LOOK = 0.01
"""How often a run that goes on asks whether the file was deleted, in seconds; one that begins always does.

What a deleted file had is handed over from memory: only a process that is killed meanwhile loses it.
"""
_POINT_LENGTH = POINT.size
_POINT_SIZE = HEAD.size + POINT.size
_pack_point, _pack_first, _pack_head, _write = POINT.pack, FIRST.pack, HEAD.pack, write_at


class _Lock(Protocol):
    """A lock that knows whether the present thread holds it, which ``threading.Condition`` asks of it, too."""

    def __enter__(self) -> bool: ...
    def __exit__(self, *error: object) -> None: ...
    def acquire(self, blocking: bool = True) -> bool: ...
    def release(self) -> None: ...
    def _is_owned(self) -> bool: ...


def _new_lock() -> _Lock:
    return cast(_Lock, threading.RLock())


def _is_held_here(lock: _Lock) -> bool:
    """Tell whether this thread holds a lock: a signal handler asks, in the middle of a call."""
    return lock._is_owned()  # noqa: SLF001


class Journal:
    """An append-only log of what one process did to the runs of one store. May be used from any thread.

    Files are made when there is something to write, and removed by whoever has handed them over.

    A signal handler may log while its thread is in the middle of that. It cannot wait for the lock that it
    holds itself, so what it logs is in another journal, ``side``, whose id is the next one, and so is
    everything that is logged after that: the order of journals is that of what is in them.
    """

    def __init__(self, folder: Path, uri: str, journal_id: str = "") -> None:
        self.journal_id = journal_id or uuid.uuid4().hex
        self.folder = folder
        self.uri = uri
        self.segments: list[Segment] = []
        self.written = 0
        self._names: dict[str, dict[str, int]] = {}
        self._runs: dict[str, int] = {}
        self._next = 0
        self._mending = Mending()
        self.side: Journal | None = None
        self._lock = _new_lock()
        self._looked = 0.0
        self._index = 0
        self._last: Segment | None = None

    def point(self, run_id: str, key: str, step: int, timestamp: int, value: float) -> None:
        """Log a point. Raises ``InvalidParameter`` for a name that is none, ``StoreUnwritable``."""
        # The one call that a training loop makes; so it is written out.
        lock = self._lock
        if lock._is_owned():  # noqa: SLF001
            self._aside().point(run_id, key, step, timestamp, value)
            return
        with lock:
            if self.side is None:
                names, last = self._names.get(run_id), self._last
                number = names.get(key) if names is not None else None
                if number is None or last is None or len(last.recent) + _POINT_SIZE > last.room:
                    self._first(run_id, key, step, timestamp, value)
                    return
                recent, place = last.recent, len(last.recent)
                content = _pack_point(POINT_KIND, number, step, timestamp, value)
                data = _pack_head(_POINT_LENGTH, crc32(content)) + content
                try:
                    if _write(last.handle, data, place) != _POINT_SIZE:
                        last.write(data, place)
                except OSError as error:
                    raise unwritable(last.path, error) from error
                recent += data
                self.written += 1
                return
        self.newest().point(run_id, key, step, timestamp, value)

    def points(self, run_id: str, found: list[tuple[str, int, int, float]]) -> None:
        """Log points (key, step, time, value) of one run: all of them or, on an error, none."""
        self.log(lambda journal: journal._append_points(run_id, found))  # noqa: SLF001 - its own kind

    def entry(self, entry: RunEntry) -> None:
        """Log whatever else happened to a run."""
        now = time.monotonic()
        if entry.new is not None or now > self._looked + _LOOK:
            self._looked = now
            if self.is_lost:
                self.seal()
        self.write(entry_content(entry))

    def spool(self, run_id: str, path: str, body: BinaryIO) -> None:
        """Keep an artifact until its server is there: a copy beside the journal, and a record of it."""
        from mltrack_jupyter.store.journal.spooled import keep

        with keep(self.folder, self.journal_id, path, body) as spooled:
            self.write(file_content(SpooledFile(run_id=run_id, path=path, spooled=spooled)))

    def seal(self) -> None:
        """Let the next record begin a new file, so that those before it can be removed."""
        if _is_held_here(self._lock):
            return  # the file is being written to
        with self._lock:
            self._end()

    def close(self) -> None:
        """Close the files, for whoever comes next, who may be this process."""
        if _is_held_here(self._lock):
            return  # a handler ends the process, in the middle of a call that writes to one
        with self._lock:
            self._end()
            for segment in list(self.segments):
                segment.close()

    def mend(self) -> None:
        """Write the present file anew if somebody else wrote to it, who put a backup back, or cut it short."""
        last = self._last
        if last is None or not self._mending.is_needed(last):
            return
        if _is_held_here(self._lock):
            return  # a handler asks, in the middle of a call; the thread does soon
        with self._lock:
            if last is self._last:
                self._mending.mend(last)

    def abandon(self) -> None:
        """Close the files without a word: in a forked child they belong to the parent."""
        for segment in self.segments:
            segment.close()
        self.segments.clear()
        self._lock = _new_lock()
        self._last = None
        if self.side is not None:
            self.side.abandon()

    def write(self, content: bytes) -> None:
        """Log a record that has this content."""
        self.log(lambda journal: journal._append(content))  # noqa: SLF001 - its own kind

    def log(self, append: Callable[[Journal], None]) -> None:
        """Let something be appended to the journal that is written to now."""
        if _is_held_here(self._lock):
            self._aside().log(append)
            return
        with self._lock:
            if self.side is None:
                append(self)
                return
        self.newest().log(append)

    @property
    def is_lost(self) -> bool:
        """Whether the present file was deleted, with its store: the next record begins another one."""
        last = self._last
        return last is not None and last.is_unlinked

    @property
    def is_over(self) -> bool:
        """Whether nothing is written here any more, and everything that was is in the store."""
        if self.side is None or _is_held_here(self._lock) or not self._lock.acquire(blocking=False):
            return False
        self._lock.release()
        return not self.segments

    def _aside(self) -> Journal:
        """Return the journal that goes on from here; it begins when a handler interrupts this one."""
        following = (int(self.journal_id, 16) + 1) % (1 << 128)
        made = Journal(self.folder, self.uri, f"{following:032x}")
        # Nothing is called between these two lines, so that no other handler can come between them.
        if self.side is None:
            self.side = made
        return self.newest()

    def newest(self) -> Journal:
        """Return the journal that is written to now: this one, unless handlers interrupted it."""
        newest = self
        while newest.side is not None:
            newest = newest.side
        return newest

    # What follows is called with the lock held.

    def _begin(self, room: int) -> Segment:
        """Begin a new file with so much room, or the next size for those that log much."""
        self._end()
        # Counted first and known to the reader before it is written to: an interrupt may come anywhere.
        index, self._index = self._index, self._index + 1
        path = self.folder / f"{self.journal_id}.{index:06}{SUFFIX}"
        header = Header(
            journal_id=self.journal_id,
            uri=hide_password(self.uri),
            index=index,
            pid=os.getpid(),
            began=time.time_ns() // 1_000_000,
            format=FORMAT,
        )
        try:
            made = Segment.create(path, header, max(_SMALL << min(index, 4), room))
        except StoreUnwritable:
            self._index = index  # a full disk must not make the next file larger
            raise
        self.segments.append(made)
        self._last = made
        return made

    def _end(self) -> None:
        last = self._last
        if last is not None:
            self._mending.mend(last)
            last.state = State.SEALED
            self._last = None
            self._names.clear()
            self._runs.clear()
            self._next = 0
            for segment in self.segments[:-1]:  # what waits long is read from its file
                segment.forget_content()

    def _append_points(self, run_id: str, found: list[tuple[str, int, int, float]]) -> None:
        """Append points and the names that are new in this file, by one write."""
        known = self._names.get(run_id, {})
        try:  # as in a training loop, where all names are known
            points = [(known[key], step, time, value) for key, step, time, value in found]
            if self._last is not None and self._last.append(framed(many_content(points))):
                self.written += 1
                return
        except KeyError:
            pass
        need = (
            (64 + 4 * len(run_id)) * len(found)
            + 4 * sum([len(point[0]) for point in found])
            + _SPARE
        )
        if self._last is None or self._last.size + need > self._last.room:
            self._begin(need)
        known = self._names.setdefault(run_id, {})
        new = [rules.check_key(point[0], "metric") for point in found if point[0] not in known]
        fresh = list(dict.fromkeys(new))
        # Numbers are given once, although an interrupt may come before their names are known.
        number, self._next = self._next, self._next + len(fresh)
        numbers = dict(zip(fresh, range(number, self._next), strict=True))
        assert self._last is not None
        if len(numbers) == len(found):
            run, named = self._runs.get(run_id), b""
            if run is None:
                run, self._next = self._next, self._next + 1
                named = framed(run_content(run, run_id))
            self._last.append(named + framed(firsts_content(run, number, found)))
            self._runs[run_id] = run
            self.written += 2 if named else 1
        else:
            names = [framed(name_content(n, Name(run_id, key))) for key, n in numbers.items()]
            numbers = known | numbers
            points = [(numbers[key], step, time, value) for key, step, time, value in found]
            self._last.append(b"".join([*names, framed(many_content(points))]))
            self.written += len(names) + 1
        known.update(numbers)

    def _first(self, run_id: str, key: str, step: int, timestamp: int, value: float) -> None:
        """Append a point of a metric that is new in the present file, or begin another file."""
        last = self._last
        if last is None or len(last.recent) + _SPARE > last.room:
            last = self._begin(_SPARE)
        key = rules.check_key(key, "metric")
        run, named = self._runs.get(run_id), b""
        if run is None:
            run, self._next = self._next, self._next + 1
            named = framed(run_content(run, run_id))
        # A number is given once, although an interrupt may come before its name is known.
        number, self._next = self._next, self._next + 1
        content = _pack_first(FIRST_KIND, run, number, 1, step, timestamp, value) + key.encode()
        last.append(named + _pack_head(len(content), crc32(content)) + content)
        self._runs[run_id] = run
        self._names.setdefault(run_id, {})[key] = number
        self.written += 2 if named else 1

    def _append(self, content: bytes) -> None:
        data = framed(content)
        if self._last is None or not self._last.append(data):
            self._begin(len(data) + _SPARE).append(data)
        self.written += 1
