"""Handing a journal over: record by record in order, each once, whatever is killed meanwhile."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path

import msgspec

from mltrack_jupyter.entities import Refusal, RunEntry
from mltrack_jupyter.errors import MltrackError
from mltrack_jupyter.store.journal.folding import Fold, Names
from mltrack_jupyter.store.journal.records import (
    FILE_KIND,
    Record,
    SpooledFile,
    count_of,
    divide,
    read_file,
)
from mltrack_jupyter.store.journal.segment import Segment
from mltrack_jupyter.store.journal.sinks import Sink, is_away

log = logging.getLogger("mltrack_jupyter")


class _ElsewhereError(Exception):
    """The store has read a part of what was sent."""


class Drain:
    """Reads the files of one journal and hands over what they hold. For one thread at a time."""

    def __init__(self, journal_id: str, folder: Path, segments: list[Segment]) -> None:
        self._journal_id = journal_id
        self._folder = folder
        self._segments = segments
        self._names = Names()
        self._position: int | None = 0

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
        sealed = segment.sealed  # asked first: whoever seals has written before
        records, mark = segment.peek(segment.size if sealed else size)
        try:
            self._hand_over(records, segment.place, sink)
        except _ElsewhereError:
            return True
        # Only now: what an interrupt or a store that is away leaves here is read again.
        segment.pass_to(mark)
        if sealed and not records:
            self._segments.remove(segment)
            segment.remove()
            self._names = Names()
        return bool(records)

    def _hand_over(self, records: Sequence[Record], place: int, sink: Sink) -> None:
        """Hand over records that begin at a place in the journal, leaving out those that are there."""
        for record in records:
            self._names.learn(record)
        there = max(place, self._position or 0)
        batch: list[Record] = []
        for record in divide(records, there - place)[1]:
            there += record.size
            if record.kind == FILE_KIND:
                self._append(batch, there - 1, sink)
                batch = []
                self._hand_over_file(read_file(record), there, sink)
            else:
                batch.append(record)
        self._append(batch, there, sink)

    def _hand_over_file(self, file: SpooledFile, upto: int, sink: Sink) -> None:
        kept = self._upload(file, sink)
        self._append([], upto, sink)
        if not kept:
            self._discard(file)

    def _append(self, batch: Sequence[Record], upto: int, sink: Sink) -> None:
        """Hand over records that end at a place in the journal."""
        since = self._position or 0
        if upto <= since:
            return
        entries = self._fold(batch)
        try:
            refused = self._send(since, upto, entries, sink)
        except MltrackError as error:
            if is_away(error):
                raise
            # What no store will ever take must not keep the rest waiting, nor be refused together with it.
            if (count := count_of(batch)) > 1:
                first, rest = divide(batch, count // 2)
                self._append(first, upto - count_of(rest), sink)
                self._append(rest, upto, sink)
                return
            self._send(since, upto, [], sink)
            refused = [Refusal(entry.run_id, error.message) for entry in entries]
        self._position = upto
        self._keep(refused, entries)

    def _fold(self, batch: Sequence[Record]) -> list[RunEntry]:
        fold = Fold(self._names)
        for record in batch:
            fold.add(record)
        return fold.entries()

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
        # The store was put back to an earlier state. What it lacks now was its own.
        return sink.append(self._journal_id, there, upto, entries) or []

    def _upload(self, file: SpooledFile, sink: Sink) -> bool:
        """Hand over an artifact; tell whether it was refused and is kept where it is."""
        place = self._folder / file.spooled
        if not place.exists():  # it was uploaded by a process that died right afterwards
            return False
        try:
            sink.upload(file.run_id, file.path, place)
        except MltrackError as error:
            if is_away(error):
                raise
            log.warning(
                "mltrack: the artifact %r of the run %s was refused (%s); it is kept at %s",
                file.path, file.run_id, error, place,
            )  # fmt: skip
            return True
        return False

    def _discard(self, file: SpooledFile) -> None:
        place = self._folder / file.spooled
        place.unlink(missing_ok=True)
        try:
            place.parent.rmdir()
        except OSError:
            pass

    def _keep(self, refused: Sequence[Refusal], entries: Sequence[RunEntry]) -> None:
        """Keep what the store refused in a file that people can read, and say so."""
        if not refused:
            return
        reasons = {item.run_id: item.reason for item in refused}
        place = self._folder / f"{self._journal_id}.refused.jsonl"
        with place.open("a", encoding="utf-8") as file:
            for entry in entries:
                if entry.run_id in reasons:
                    line = {"reason": reasons[entry.run_id], "entry": msgspec.to_builtins(entry)}
                    file.write(json.dumps(line, ensure_ascii=False) + "\n")
        for run_id, reason in reasons.items():
            log.warning(
                "mltrack: what was logged to the run %s could not be stored: %s It is kept in %s",
                run_id, reason, place,
            )  # fmt: skip
