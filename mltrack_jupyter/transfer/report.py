"""What a transfer found and what became of it."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import TextIO

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.shown import passing
from mltrack_jupyter.transfer.files import Files, walk
from mltrack_jupyter.transfer.source import Broken

KINDS = (
    "experiments",
    "runs",
    "params",
    "tags",
    "metric points",
    "logged models",
    "registered models",
    "model versions",
    "files",
    "bytes",
)


@dataclass
class Report:
    """Counts by kind: ``found`` in the source, ``there`` in the target now; and what went wrong.

    ``skipped`` runs were there already, whole; their contents are not counted again.
    """

    found: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    there: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    skipped: int = 0
    problems: list[Broken] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def count(self, kind: str, found: int = 1, there: int | None = None) -> None:
        """Count something that was found, and how much of it is in the target."""
        self.found[kind] += found
        self.there[kind] += found if there is None else there

    @property
    def matches(self) -> bool:
        """Whether everything that was found is there."""
        return self.found == self.there and not self.problems


def listed(files: Files | None, report: Report, what: str) -> dict[str, int]:
    """Return the files of something with their sizes; those that cannot be kept are counted as missing."""
    if files is None:
        return {}
    refused: list[str] = []
    try:
        found = walk(files, refused, what)
    except InvalidParameter as error:  # behind a link, or too many
        report.problems.append(Broken(what, f"its files are not copied: {error}"))
        return {}
    report.notes += refused
    report.count("files", len(refused), 0)
    return found


class Progress:
    """One line on a terminal that is written over; nothing where the stream is none."""

    def __init__(self, report: Report, stream: TextIO | None = None) -> None:
        self._report = report
        self._stream = stream or sys.stderr
        self._shown = self._stream.isatty()
        self._next = 0.0

    def update(self, doing: str) -> None:
        """Show where the transfer is, ten times a second at most."""
        now = time.monotonic()
        if not self._shown or now < self._next:
            return
        self._next = now + 0.1
        there = self._report.there
        counts = (
            f"{there['runs']:,} runs, {there['metric points']:,} points, {there['files']:,} files"
        )
        self._stream.write(f"\r\x1b[K{counts}  {passing(doing, 60)}")
        self._stream.flush()

    def clear(self) -> None:
        """Wipe the line."""
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
