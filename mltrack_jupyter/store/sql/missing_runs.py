"""Runs of which a store has not heard, because the journal that begins them is slower than another one."""

from __future__ import annotations

from msgspec.structs import replace

from mltrack_jupyter.entities import RunEntry


class MissingRuns(Exception):  # noqa: N818 - taken back, and no error
    """A batch is about runs that are not in the store."""

    def __init__(self, run_ids: list[str]) -> None:
        super().__init__(run_ids)
        self.run_ids = run_ids


def with_begin(entry: RunEntry, begin: RunEntry | None) -> RunEntry:
    """Return an entry together with how its run began."""
    if begin is None or entry.new is not None:
        return entry
    tags, process = [*begin.tags, *entry.tags], begin.process or entry.process
    return replace(entry, new=begin.new, tags=tags, process=process)
