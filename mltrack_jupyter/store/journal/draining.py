"""Handing a journal over: record by record in order, each once, whatever is killed meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from mltrack_jupyter.entities import Refusal, RunEntry
from mltrack_jupyter.errors import (
    InvalidParameter,
    MltrackError,
    NotFound,
    RequestTooLarge,
    Unavailable,
)
from mltrack_jupyter.store.journal.folding import UNREADABLE, Fold, Names
from mltrack_jupyter.store.journal.records import (
    FILE_KIND,
    Record,
    SpooledFile,
    count_of,
    divide,
    read_file,
)
from mltrack_jupyter.store.journal.refused import Kept, Refusals
from mltrack_jupyter.store.journal.segment import Segment, State
from mltrack_jupyter.store.journal.sinks import Sink, is_away
from mltrack_jupyter.store.journal.spooled import Waiting, upload, waiting

log = logging.getLogger("mltrack_jupyter")


class _ElsewhereError(Exception):
    """The store has read a part of what was sent."""


class Drain:
    """Reads the files of one journal and hands over what they hold. For one thread at a time."""

    def __init__(self, journal_id: str, folder: Path, segments: list[Segment]) -> None:
        self._journal_id = journal_id
        self._folder = folder
        self._segments = segments
        self._names: dict[Path, Names] = {}
        self._position: int | None = 0
        self._begun: dict[str, RunEntry] = {}
        self._kept = Kept(folder, journal_id)
        self._refusals = Refusals()

    @property
    def position(self) -> int:
        """How far the sink has read the journal, as far as that is known."""
        return self._position or 0

    def resume(self) -> None:
        """Ask the sink where the journal is before anything is handed over: its process is another one."""
        self._position = None

    def run(self, sink: Sink) -> None:
        """Hand over everything that is there now. Raises ``MltrackError`` if the sink is away."""
        if self._position is None:
            self._position = sink.position(self._journal_id)
        # What is written meanwhile is left for the next time: a loop that goes on logging would
        # otherwise keep this one going, for ever and by a few records at once.
        for segment, size in [(segment, segment.size) for segment in self._segments]:
            while self._step(segment, size, sink):
                pass

    def _step(self, segment: Segment, size: int, sink: Sink) -> bool:
        """Hand over the next records of a file, or remove it; tell whether there may be more in it."""
        # Asked first: whoever seals has written before.
        sealed = segment.state is State.SEALED
        records, mark = segment.peek(segment.size if sealed else size)
        if segment.state is State.LEFT:
            return False
        if segment.state is State.REMOVED:  # by somebody who was interrupted then
            self._remove(segment)
            return False
        try:
            names = self._names.setdefault(segment.path, Names())
            self._hand_over(records, names, segment.place, sink)
        except _ElsewhereError:
            return True
        # Only now: what an interrupt or a store that is away leaves here is read again.
        segment.pass_to(mark)
        if sealed and not records:
            if segment.room and segment.mark[0] < segment.size:  # it was written by this process
                self._say_what_is_gone(segment)
            self._remove(segment)
        return bool(records)

    def _say_what_is_gone(self, segment: Segment) -> None:
        segment.keep = True
        log.warning(
            "mltrack: somebody wrote to %s, or cut it short: what cannot be read of it any more is lost; the "
            "file is kept as .torn.",
            segment.path,
        )

    def _remove(self, segment: Segment) -> None:
        """Remove a file that was handed over. One that cannot be removed is tried again the next time."""
        try:
            segment.remove()
        except OSError as error:
            log.debug("mltrack: %s cannot be removed yet: %s", segment.path, error)
            return
        # Known until it is gone: a place that the store forgets before would be handed over twice.
        self._segments.remove(segment)
        self._names.pop(segment.path, None)

    def _hand_over(self, records: Sequence[Record], names: Names, place: int, sink: Sink) -> None:
        """Hand over records that begin at a place in the journal, leaving out those that are there."""
        for record in records:
            names.learn(record)
        there = max(place, self._position or 0)
        batch: list[Record] = []
        for record in divide(records, there - place)[1]:
            there += record.size
            if record.kind == FILE_KIND:
                self._append(batch, names, there - 1, sink)
                batch = []
                self._hand_over_file(record, names, there, sink)
            else:
                batch.append(record)
        self._append(batch, names, there, sink)

    def _hand_over_file(self, record: Record, names: Names, upto: int, sink: Sink) -> None:
        try:
            with waiting(self._folder, self._journal_id, _file(record)) as found:
                refused = found is not None and self._upload(found, sink)
                self._append([], names, upto, sink)
                if found is not None:
                    found.is_taken = not refused
        except InvalidParameter as error:
            self._append([], names, upto, sink)
            self._kept.add_record(record, error)

    def _append(self, batch: Sequence[Record], names: Names, upto: int, sink: Sink) -> None:
        """Hand over records that end at a place in the journal."""
        since = self._position or 0
        if upto <= since:
            return
        entries: list[RunEntry] = []
        try:
            entries = _folded(batch, names)
            refused = self._send_allowed(since, upto, entries, sink)
        except MltrackError as error:
            count = count_of(batch)
            if is_away(error) and not (isinstance(error, RequestTooLarge) and count > 1):
                raise
            # What no store will ever take must not keep the rest waiting, nor be refused together with it.
            if count > 1:
                first, rest = divide(batch, count // 2)
                self._append(first, names, upto - count_of(rest), sink)
                self._append(rest, names, upto, sink)
                return
            self._send(since, upto, [], sink)
            refused = [Refusal(entry.run_id, error.message) for entry in entries]
            if not entries:
                for record in batch:
                    self._kept.add_record(record, error)
        self._position = upto
        self._remember(entries, refused)
        self._kept.add(refused, entries)

    def _remember(self, entries: Sequence[RunEntry], refused: Sequence[Refusal]) -> None:
        """Keep how runs began, as long as they are open: their store may be deleted meanwhile."""
        unknown = {item.run_id for item in refused}
        for entry in entries:
            if entry.new is not None and entry.run_id not in unknown:
                self._begun[entry.run_id] = entry.divided()[0]
            begun = self._begun.get(entry.run_id)
            if begun is not None and entry.shared:
                self._begun[entry.run_id] = replace(begun, shared=begun.shared | entry.shared)
            if entry.status is not None and entry.status.is_terminated():
                self._begun.pop(entry.run_id, None)

    def _send_allowed(
        self, since: int, upto: int, entries: Sequence[RunEntry], sink: Sink
    ) -> Sequence[Refusal]:
        """Send entries but those of runs of which the store takes nothing: these are refused, no others."""
        refused = self._refusals.known(entries)
        while True:  # each round leaves out one more run at least
            left_out = {item.run_id for item in refused}
            allowed = [entry for entry in entries if entry.run_id not in left_out]
            try:
                return [*self._send(since, upto, allowed, sink), *refused]
            except MltrackError as error:
                if is_away(error) or isinstance(error, RequestTooLarge):
                    raise
                found = self._refusals.find(allowed, lambda some: self._ask(since, some, sink))
                if not found:
                    raise
                refused += found

    def _ask(self, since: int, entries: list[RunEntry], sink: Sink) -> object:
        """Send entries without going on in the journal, to see whether they are refused."""
        return sink.append(self._journal_id, since, since, entries)

    def _send(
        self, since: int, upto: int, entries: list[RunEntry], sink: Sink
    ) -> Sequence[Refusal]:
        refused = sink.append(self._journal_id, since, upto, entries)
        if refused is not None:
            return refused
        there = sink.position(self._journal_id)
        if there >= upto:  # a call was interrupted, or its answer lost
            return []
        if there > since:
            self._position = there
            raise _ElsewhereError
        # The store was put back to an earlier state, or is a new one. What it lacks now was its own, but
        # a run that goes on goes on there.
        refused = sink.append(self._journal_id, there, upto, self._begun_again(entries))
        if refused is None:
            raise Unavailable("The store does not say how far it has read what was logged.")
        return refused

    def _begun_again(self, entries: Sequence[RunEntry]) -> list[RunEntry]:
        """Return entries together with the begin of every run that is open."""
        return [*self._begun.values(), *entries]

    def _upload(self, found: Waiting, sink: Sink) -> bool:
        """Hand over an artifact; tell whether it was refused and is kept where it is."""
        return upload(found, lambda: self._upload_to_run(found, sink), sink)

    def _upload_to_run(self, found: Waiting, sink: Sink) -> None:
        run_id, path = found.file.run_id, found.file.path
        try:
            sink.upload(run_id, path, found.body)
        except NotFound:
            since = self._position or 0
            if run_id not in self._begun or sink.position(self._journal_id) >= since:
                raise
            self._send(since, since, [], sink)  # another store, which hears of the run now
            found.body.seek(0)
            sink.upload(run_id, path, found.body)


def _folded(batch: Sequence[Record], names: Names) -> list[RunEntry]:
    fold = Fold(names)
    try:
        for record in batch:
            fold.add(record)
    except UNREADABLE as error:
        raise _unreadable(error) from error
    return fold.entries()


def _unreadable(error: Exception) -> InvalidParameter:
    return InvalidParameter(f"A record cannot be read by this version: {error}")


def _file(record: Record) -> SpooledFile:
    try:
        return read_file(record)
    except UNREADABLE as error:
        raise _unreadable(error) from error
