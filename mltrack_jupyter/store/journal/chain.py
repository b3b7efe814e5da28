"""The journals of a process for one store: one, and more after a signal handler logged in the middle of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mltrack_jupyter.store.journal.journal import Journal


class Chain:
    """Journals in the order of what is in them; everything new goes to the last one."""

    def __init__(self, folder: Path, uri: str) -> None:
        self._first = Journal(folder, uri)

    def __iter__(self) -> Iterator[Journal]:
        journal: Journal | None = self._first
        while journal is not None:
            yield journal
            journal = journal.side

    @property
    def last(self) -> Journal:
        """The journal that is written to."""
        return self._first.newest()

    @property
    def written(self) -> int:
        """How many records were written."""
        return sum(journal.written for journal in self)

    @property
    def is_empty(self) -> bool:
        """Whether no file is left: everything is in the store."""
        return not any(journal.segments for journal in self)

    def seal(self) -> None:
        """Let files be removed when they are handed over: of all journals but the last, and deleted ones."""
        for journal in self:
            if journal.side is not None or journal.is_lost:
                journal.seal()

    def drop(self) -> list[Journal]:
        """Leave the journals that are over and in the store; return them."""
        dropped = []
        while self._first.is_over and self._first.side is not None:
            dropped.append(self._first)
            self._first = self._first.side
        return dropped

    def abandon(self) -> None:
        """Close the files without a word, in a forked child."""
        self._first.abandon()
