"""Journals: what processes logged to files of their own, handed over to the store in batches."""

from __future__ import annotations

from typing import Protocol

from mltrack_jupyter.entities import Amendment, JournalAnswer, RunEntry
from mltrack_jupyter.services.operation import LARGE_BODY, operation


class Journals(Protocol):
    """The taking over of journals. A journal is a sequence of records that never change."""

    @operation("GET", "/api/1/journals/position")
    def position(self, journal_id: str) -> JournalAnswer:
        """Return how many records of a journal are in the store; 0 for one that is unknown."""
        ...

    @operation("POST", "/api/1/journals/append", body_limit=LARGE_BODY)
    def append(
        self, journal_id: str, since: int, upto: int, entries: list[RunEntry]
    ) -> JournalAnswer:
        """Take over the records of a journal from ``since`` up to (without) ``upto``, all in one transaction.

        Whoever sends a batch again changes nothing: unless the store is at ``since``, nothing is written, and
        the answer says where it is. Of points every one is kept: those that are alike in key, step and time
        are given ordinals, in the order in which they come. A run that is unknown or deleted is refused by itself; the others are
        written. A param with another value is amended (see ``amendments``). The cost grows with the
        batch, not with what is stored.
        """
        ...

    @operation("POST", "/api/1/journals/forget")
    def forget(self, journal_id: str) -> None:
        """Note that a journal is complete; its file is gone.

        Where it ended stays known, so that a copy of the file that turns up later changes nothing.
        """
        ...

    @operation("GET", "/api/1/runs/amendments", answer="amendments")
    def amendments(self, run_id: str) -> list[Amendment]:
        """Return the params of a run that were given another value, oldest first."""
        ...
