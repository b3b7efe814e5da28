"""A run is there as soon as it has begun: who misses one looks into the journals that wait to be handed over."""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import replace

from mltrack_jupyter.entities import JournalAnswer, RunEntry
from mltrack_jupyter.errors import MltrackError, NotFound
from mltrack_jupyter.services import Operation, Services, operations_of, service_types
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
    """Hands over how runs began to a store that misses them."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._begun = Begun(services.uri)
        self._get = services.runs.get
        self._append = services.journals.append

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


def finding(services: Services) -> Services:
    """Make every operation that misses a run look into the journals for it, and return the services.

    What is found there is handed over, and the operation done once more. A run that nobody began costs a
    look at the folder.
    """
    finder = Finder(services)
    search: Callable[..., Any] = services.runs.search

    def searching(*arguments: Any, **named: Any) -> Any:
        asked = _ASKED.findall(str(named.get("filter_string", arguments[1:2])))
        if asked:
            finder.hand_over(asked)
        return search(*arguments, **named)

    for name, kind in service_types().items():
        service = getattr(services, name)
        for declared in operations_of(kind).values():
            if "run" in declared.subject.values():
                setattr(service, declared.name, _looking(service, declared, finder))
    setattr(services.runs, "search", searching)  # noqa: B010 - no method of its class
    if hasattr(services.journals, "elsewhere"):
        services.journals.elsewhere = lambda ids: [item.entry for item in finder.waiting(ids)]
    else:
        setattr(services.journals, "append", finder.append)  # noqa: B010 - as above
    return services


def _looking(service: Any, declared: Operation, finder: Finder) -> Callable[..., Any]:
    """Return an operation that looks for the runs that it misses."""
    inner = getattr(service, declared.name)

    def call(*arguments: Any, **named: Any) -> Any:
        try:
            return inner(*arguments, **named)
        except NotFound:
            given = declared.bind(arguments, named)
            runs = (given.get(key) for key, kind in declared.subject.items() if kind == "run")
            if not finder.hand_over(run_id for found in runs if found for run_id in _each(found)):
                raise
        return inner(*arguments, **named)

    call.__name__, call.__doc__ = declared.name, declared.function.__doc__
    return call


def _each(found: Any) -> list[str]:
    return [found] if isinstance(found, str) else list(found)
