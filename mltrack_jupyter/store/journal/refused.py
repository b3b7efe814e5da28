"""What a store refuses: kept beside the journal for people to read, said once, and not tried again for a while."""

from __future__ import annotations

import base64
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from mltrack_jupyter.entities import Refusal, RunEntry, spelled_out
from mltrack_jupyter.errors import MltrackError, Unauthenticated
from mltrack_jupyter.shown import shown
from mltrack_jupyter.store.journal.folder import Folder
from mltrack_jupyter.store.journal.records import Record
from mltrack_jupyter.store.journal.sinks import is_away

log = logging.getLogger("mltrack_jupyter")
_REMEMBERED = 60.0
"""For how many seconds nothing is asked for a run that was refused: somebody may allow it meanwhile."""


class Kept:
    """The file beside a journal with what could not be stored."""

    def __init__(self, folder: Path, journal_id: str) -> None:
        self._folder = folder
        self._name = f"{journal_id}.refused.jsonl"
        self._said: set[tuple[str, str]] = set()

    def add(self, refused: Sequence[Refusal], entries: Sequence[RunEntry]) -> None:
        """Keep what the store refused, and say so."""
        if not refused:
            return
        reasons = {item.run_id: item.reason for item in refused}
        place = self._write(
            [
                {"reason": reasons[entry.run_id], "entry": msgspec.to_builtins(entry)}
                for entry in spelled_out(entries)
                if entry.run_id in reasons
            ]
        )
        for run_id, reason in reasons.items():
            if (run_id, reason) in self._said:
                continue  # a training loop would read it ten times a second
            self._said.add((run_id, reason))
            log.warning(
                "mltrack: what was logged to the run %s could not be stored: %s It is kept in %s",
                run_id, shown(reason), place,
            )  # fmt: skip

    def add_record(self, record: Record, error: MltrackError) -> None:
        """Keep a record as it is that means nothing to the store."""
        log.warning("mltrack: %s It is kept beside the journal.", error.message)
        content = base64.b64encode(record.content).decode()
        self._write([{"reason": error.message, "record": content}])

    def _write(self, lines: Sequence[Mapping[str, Any]]) -> Path:
        """Write to a file that people can read."""
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        try:
            with Folder.open(self._folder, make=True) as folder:
                handle = folder.append_to(self._name)
            with open(handle, "a", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            log.error("mltrack: this could not be stored, nor be kept (%s): %s", error, shown(text))
        return self._folder / self._name


class Refusals:
    """Knows of which runs a store takes nothing, and finds them when it refuses a batch with them in it."""

    def __init__(self) -> None:
        self._until: dict[str, tuple[float, str]] = {}

    def known(self, entries: Sequence[RunEntry]) -> list[Refusal]:
        """Return the runs among these that were refused a moment ago."""
        if not self._until:
            return []
        now = time.monotonic()
        self._until = {key: found for key, found in self._until.items() if found[0] > now}
        return [
            Refusal(entry.run_id, self._until[entry.run_id][1])
            for entry in entries
            if entry.run_id in self._until
        ]

    def find(
        self, entries: Sequence[RunEntry], send: Callable[[list[RunEntry]], object]
    ) -> list[Refusal]:
        """Find the runs that are refused whatever is written to them.

        They are asked for with nothing but their begin, which may be told twice. Raises
        ``Unauthenticated`` if nothing at all is taken: that is about who asks, and costs no run anything.
        """
        try:
            send([])
        except MltrackError as error:
            if is_away(error):
                raise
            raise Unauthenticated(error.message) from error
        until = time.monotonic() + _REMEMBERED
        found = _refused([_begin(entry) for entry in entries], send)
        self._until.update({run_id: (until, reason) for run_id, reason in found.items()})
        return [Refusal(run_id, reason) for run_id, reason in found.items()]


def _refused(
    entries: Sequence[RunEntry], send: Callable[[list[RunEntry]], object]
) -> dict[str, str]:
    """Return why runs are refused: asked for in halves, as long as there is one in them."""
    if not entries:
        return {}
    try:
        send(list(entries))
    except MltrackError as error:
        if is_away(error):
            raise
        if len(entries) == 1:
            return {entries[0].run_id: error.message}
        half = len(entries) // 2
        return _refused(entries[:half], send) | _refused(entries[half:], send)
    return {}


def _begin(entry: RunEntry) -> RunEntry:
    return RunEntry(run_id=entry.run_id) if entry.new is None else entry.divided()[0]


__all__ = ["Kept", "Refusals"]
