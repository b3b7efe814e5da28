"""Runs of which a store has not heard, because the journal that begins them is slower than another one."""

from __future__ import annotations

from collections.abc import Sequence

from mltrack_jupyter.entities import RunEntry


class MissingRuns(Exception):  # noqa: N818 - taken back, and no error
    """A batch is about runs that are not in the store."""

    def __init__(self, run_ids: list[str]) -> None:
        super().__init__(run_ids)
        self.run_ids = run_ids


def with_begins(entries: Sequence[RunEntry], begins: Sequence[RunEntry]) -> list[RunEntry]:
    """Return entries behind how their runs began, where none of them tells that."""
    told = {entry.run_id for entry in entries if entry.new is not None}
    return [*[begin for begin in begins if begin.run_id not in told], *entries]
