"""A run is there as soon as it has begun: who misses one looks into the journals that wait to be handed over."""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import replace

from mltrack_jupyter.entities import JournalAnswer, RunEntry
from mltrack_jupyter.errors import MltrackError, NotFound
from mltrack_jupyter.services import Journals, Operation, Runs, Services
from mltrack_jupyter.services.around import Call
from mltrack_jupyter.store.journal.folder import Folder
from mltrack_jupyter.store.journal.folding import UNREADABLE
from mltrack_jupyter.store.journal.positioned import read_at
from mltrack_jupyter.store.journal.records import ENTRY_KIND, Record, read_entry, read_header, scan
from mltrack_jupyter.store.journal.recovery import is_for, journal_folders, recover_all
from mltrack_jupyter.store.journal.segment import NAME

log = logging.getLogger("mltrack_jupyter")
_ASKED = re.compile(r"\brun_id\b\W{1,6}([0-9a-f]{32})\b")
"""A run that a search asks for by its id."""
_READ = 4 * 1024 * 1024


class Begin(NamedTuple):
    """How a run began, and at which place of which journal that stands."""

    journal_id: str
    place: int
    entry: RunEntry


@dataclass
class _Read:
    """How far a file was read, and the runs that began in that part of it."""

    inode: int
    offset: int = 0
    count: int = 0
    begun: dict[str, Begin] = field(default_factory=dict)


class Begun:
    """The runs that began in journals for a store, of whatever process of this user. For all threads.

    A file is read once: whoever looks again reads what came since.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._lock = threading.Lock()
        self._files: dict[Path, _Read] = {}

    def find(self, run_ids: Collection[str]) -> list[Begin]:
        """Return how some runs began, as far as that is in a journal that is there still."""
        with self._lock:
            there: dict[Path, _Read] = {}
            for folder in journal_folders(self._uri):
                try:
                    with Folder.open(folder) as opened:
                        there |= self._read_all(opened)
                except OSError:
                    continue  # there is none, or it is none of ours
            self._files = there
            return [
                file.begun[run_id]
                for file in there.values()
                for run_id in run_ids
                if run_id in file.begun
            ]

    def _read_all(self, folder: Folder) -> dict[Path, _Read]:
        found = {}
        for name in folder.names():
            if NAME.fullmatch(name):
                try:
                    handle = folder.take(name)
                except OSError:
                    continue  # it was handed over this moment, or is none of ours
                try:
                    found[folder.path / name] = self._read(folder.path / name, handle)
                except OSError:
                    continue
                finally:
                    os.close(handle)
        return found

    def _read(self, path: Path, handle: int) -> _Read:
        known, inode = self._files.get(path), os.fstat(handle).st_ino
        if known is None or known.inode != inode:
            known = _Read(inode)
            begun = read_header(read_at(handle, 65536, 0))
            if begun is None or not is_for(begun[0].uri, self._uri, path.parent):
                return known
            known.offset = begun[1]
        if known.offset:
            _read_on(path, handle, known)
        return known


def _read_on(path: Path, handle: int, known: _Read) -> None:
    """Take in what a file has got since it was last read."""
    named = NAME.fullmatch(path.name)
    assert named is not None
    while True:
        data = read_at(handle, _READ, known.offset)
        found = scan(data)
        if not found and len(data) == _READ:  # a record that is longer than that
            found = scan(read_at(handle, os.fstat(handle).st_size, known.offset))[:1]
        if not found:
            return
        for record in found:
            entry = _entry(record)
            if entry is not None and entry.new is not None:
                place = int(named[2]) << 32 | known.count
                known.begun[entry.run_id] = Begin(named[1], place, entry)
            known.count += record.size
        known.offset += found[-1].end


def _entry(record: Record) -> RunEntry | None:
    try:
        return read_entry(record) if record.kind == ENTRY_KIND else None
    except UNREADABLE:
        return None


class Finder:
    """Hands over how runs began to a store that misses them; :meth:`look` is a middleware."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._begun = Begun(services.uri)
        self._get = services.runs.get
        self._append = services.journals.append
        journals: Any = services.journals
        self._asks = hasattr(journals, "elsewhere")
        if self._asks:
            journals.elsewhere = lambda ids: [item.entry for item in self.waiting(ids)]

    def look(self, operation: Operation, call: Call) -> Call:
        """Do an operation that misses a run once more, when its begin was found in a journal.

        A run that nobody began costs a look at the folder.
        """
        if operation.function is Runs.search:
            return self._before_search(call)
        if operation.function is Journals.append:
            return call if self._asks else self.append
        runs = [name for name, kind in operation.subject.items() if kind == "run"]
        return self._after_a_miss(operation, call, runs) if runs else call

    def _before_search(self, call: Call) -> Call:
        """Look for the runs that a search asks for by their ids."""

        @wraps(call)
        def search(*arguments: Any, **named: Any) -> Any:
            if asked := _ASKED.findall(str(named.get("filter", arguments[1:2]))):
                self.hand_over(asked)
            return call(*arguments, **named)

        return search

    def _after_a_miss(self, operation: Operation, call: Call, names: Collection[str]) -> Call:
        """Look for the runs that an operation is about, if it misses one."""

        @wraps(call)
        def again(*arguments: Any, **named: Any) -> Any:
            try:
                return call(*arguments, **named)
            except NotFound:
                given = operation.bind(arguments, named)
                found = [_each(given[name]) for name in names if given.get(name)]
                if not self.hand_over(run_id for some in found for run_id in some):
                    raise
            return call(*arguments, **named)

        return again

    def waiting(self, run_ids: Iterable[str]) -> list[Begin]:
        """Return how runs began of which the store has not heard; one that it had and has no more is gone."""
        found = self._begun.find({run_id for run_id in run_ids if run_id})
        position = self._services.journals.position
        return [item for item in found if position(item.journal_id).position <= item.place]

    def hand_over(self, run_ids: Iterable[str]) -> bool:
        """Tell the store of runs that began; tell whether any of them did, in a journal that is there."""
        found = self._begun.find({run_id for run_id in run_ids if run_id})
        if not found:
            return False
        try:
            # Everything of those who are dead; of those who live, that the run is there.
            recover_all(self._services.uri, lambda: self._services, reap=False)
            for item in self.waiting(item.entry.run_id for item in found):
                self._tell(item)
        except MltrackError as error:
            log.debug("mltrack: a run that begins cannot be handed over: %s", error)
        return True

    def _tell(self, item: Begin) -> None:
        for _ in range(3):
            try:
                self._get(item.entry.run_id)
            except NotFound:
                there = self._services.journals.position(item.journal_id).position
                if self._append(item.journal_id, there, there, [item.entry]).position == there:
                    return
            else:
                return  # its process did so meanwhile

    def append(
        self, journal_id: str, since: int, upto: int, entries: list[RunEntry]
    ) -> JournalAnswer:
        """Let a server elsewhere take over a batch about runs of which a journal here has to tell first."""
        answer = self._append(journal_id, since, upto, entries)
        missing = {item.run_id for item in answer.refused}
        if answer.position != upto or not missing or not self.hand_over(missing):
            return answer
        rest = [entry for entry in entries if entry.run_id in missing]
        again = self._append(journal_id, upto, upto, rest)
        return replace(again, missing=[*answer.missing, *again.missing])


def _each(found: Any) -> list[str]:
    return [found] if isinstance(found, str) else list(found)
