"""Taking over journals in SQL: what several runs did, in one transaction and in sets of rows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from sqlalchemy import Connection, bindparam, select, update

from mltrack_jupyter.entities import (
    Amendment,
    JournalAnswer,
    RunEntry,
)
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.services import Journals
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.artifacts import Locations
from mltrack_jupyter.store.sql.amendments import read_amendments
from mltrack_jupyter.store.sql.change_log import Write, record_changes
from mltrack_jupyter.store.sql.database import Database, held, now_ms
from mltrack_jupyter.store.sql.journal_entries import apply, check_entry
from mltrack_jupyter.store.sql.run_reads import find_run
from mltrack_jupyter.store.sql.tables import journals
from mltrack_jupyter.store.sql.upserts import upsert

# Built once: what a batch asks several times a second while a model is trained.
_POSITION = select(journals.c.position).where(journals.c.journal_id == bindparam("journal"))


class _MissingRuns(Exception):  # noqa: N818 - taken back, and no error
    """A batch is about runs of which the store has not heard: the journal that begins them is slower."""

    def __init__(self, run_ids: list[str]) -> None:
        super().__init__(run_ids)
        self.run_ids = run_ids


class SqlJournals(Journals):
    """Where journals are, and what was in them, in SQL.

    ``elsewhere`` tells how runs began of which the store has not heard, as their process wrote it down.
    """

    elsewhere: Callable[[Sequence[str]], list[RunEntry]] | None = None

    def __init__(self, database: Database, locations: Locations) -> None:
        self._database = database
        self._locations = locations

    def position(self, journal_id: str) -> JournalAnswer:
        with self._database.read() as connection:
            return JournalAnswer(position=_position(connection, journal_id))

    def append(
        self, journal_id: str, since: int, upto: int, entries: list[RunEntry]
    ) -> JournalAnswer:
        _check(journal_id, since, upto, entries)
        try:
            return self._append(journal_id, since, upto, entries, may_miss=False)
        except _MissingRuns as error:
            # Outside of a transaction: whoever else writes does not wait for files to be read.
            told = self.elsewhere(error.run_ids) if self.elsewhere is not None else []
        return self._append(journal_id, since, upto, _with_begins(entries, told), may_miss=True)

    def _append(
        self, journal_id: str, since: int, upto: int, entries: list[RunEntry], *, may_miss: bool
    ) -> JournalAnswer:
        with self._database.write() as connection:
            found = _position(connection, journal_id)
            if found != since:
                return JournalAnswer(position=found)
            refused, missing = apply(connection, self._locations, entries)
            if refused and self.elsewhere is not None and not may_miss:
                raise _MissingRuns([item.run_id for item in refused])
            if len(refused) == len({entry.run_id for entry in entries}):  # no run tells of it
                record_changes(connection, [Write("journal", _public(journal_id), "log")])
            row = {"journal_id": journal_id, "position": upto, "updated": now_ms()}
            upsert(connection, journals, [row])
        return JournalAnswer(position=upto, refused=refused, missing=missing)

    def forget(self, journal_id: str) -> None:
        if self._database.file.is_missing:
            return
        with self._database.write() as connection:
            mine = journals.c.journal_id == journal_id
            kept = update(journals).where(mine).values(updated=now_ms())
            if connection.execute(kept).rowcount:
                record_changes(connection, [Write("journal", _public(journal_id), "forget")])

    def amendments(self, run_id: str) -> list[Amendment]:
        with self._database.read() as connection:
            find_run(connection, run_id)
            return read_amendments(connection, run_id)


def _with_begins(entries: Sequence[RunEntry], begins: Sequence[RunEntry]) -> list[RunEntry]:
    """Return entries behind how their runs began, where none of them tells that."""
    told = {entry.run_id for entry in entries if entry.new is not None}
    return [*[begin for begin in begins if begin.run_id not in told], *entries]


def _public(journal_id: str) -> str:
    """Return a name of a journal for the change feed: whoever knows its id could write as its process."""
    return hashlib.sha256(journal_id.encode()).hexdigest()[:32]


def _position(connection: Connection, journal_id: str) -> int:
    found = connection.execute(held(connection, _POSITION), {"journal": journal_id})
    return found.scalar() or 0


def _check(journal_id: str, since: int, upto: int, entries: Sequence[RunEntry]) -> None:
    rules.check_run_id(journal_id)
    if not 0 <= since <= rules.check_int64(upto, "upto"):
        raise InvalidParameter(f"A batch goes from 0 or more upwards, not from {since} to {upto}.")
    for entry in entries:
        check_entry(entry)
