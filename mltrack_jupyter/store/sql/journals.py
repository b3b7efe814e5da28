"""Taking over journals in SQL: what several runs did, in one transaction and in sets of rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from mltrack_jupyter.entities import Amendment, JournalAnswer, NewRun, Refusal, RunEntry, RunStatus
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.services import Journals
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.artifacts import Locations
from mltrack_jupyter.store.names import RUN_NAME, invent_name
from mltrack_jupyter.store.sql import leases, run_links
from mltrack_jupyter.store.sql.database import (
    Database,
    Write,
    chunked,
    held,
    now_ms,
    record_changes,
    upsert,
)
from mltrack_jupyter.store.sql.experiments import find_or_create_experiment
from mltrack_jupyter.store.sql.lease_service import check_process
from mltrack_jupyter.store.sql.run_reads import find_run
from mltrack_jupyter.store.sql.run_writes import Point, write_points
from mltrack_jupyter.store.sql.tables import changes, experiments, journals, params, runs, tags
from mltrack_jupyter.store.sql.values import to_bits_many

_AMEND = "amend-param"
_FORGOTTEN = 30 * 24 * 3600 * 1000
"""After how many ms the place of a journal that nobody reads on is forgotten."""


class SqlJournals(Journals):
    """Where journals are, and what was in them, in SQL."""

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
        with self._database.write() as connection:
            found = _position(connection, journal_id)
            if found != since:
                return JournalAnswer(position=found)
            if since == 0:
                stale = journals.c.updated < now_ms() - _FORGOTTEN
                connection.execute(delete(journals).where(stale))
            refused = apply(connection, self._locations, entries)
            row = {"journal_id": journal_id, "position": upto, "updated": now_ms()}
            upsert(connection, journals, [row])
        return JournalAnswer(position=upto, refused=refused)

    def forget(self, journal_id: str) -> None:
        with self._database.write() as connection:
            connection.execute(delete(journals).where(journals.c.journal_id == journal_id))

    def amendments(self, run_id: str) -> list[Amendment]:
        query = (
            select(changes.c.detail, changes.c.timestamp, changes.c.actor)
            .where(changes.c.entity == "run", changes.c.entity_id == run_id)
            .where(changes.c.action == _AMEND)
            .order_by(changes.c.seq)
        )
        with self._database.read() as connection:
            find_run(connection, run_id)
            rows = connection.execute(query).all()
        return [
            Amendment(**json.loads(row.detail), timestamp=row.timestamp, actor=row.actor)
            for row in rows
        ]


def _position(connection: Connection, journal_id: str) -> int:
    query = select(journals.c.position).where(journals.c.journal_id == journal_id)
    return connection.execute(held(connection, query)).scalar() or 0


def _check(journal_id: str, since: int, upto: int, entries: Sequence[RunEntry]) -> None:
    rules.check_run_id(journal_id)
    if not 0 <= since <= rules.check_int64(upto, "upto"):
        raise InvalidParameter(f"A batch goes from 0 or more upwards, not from {since} to {upto}.")
    for entry in entries:
        rules.check_run_id(entry.run_id)
        for points in entry.points:
            rules.check_points(points)
        rules.check_pairs(entry.params, "param")
        rules.check_pairs(entry.tags, "tag")
        if entry.new is not None:
            rules.check_int64(entry.new.start_time, "start_time")
            rules.check_text(entry.new.user_id, "user_id", 256)
            if entry.new.experiment_name:
                rules.check_experiment_name(entry.new.experiment_name)
        if entry.end_time is not None:
            rules.check_int64(entry.end_time, "end_time")
        if entry.process is not None:
            check_process(entry.process)


def apply(
    connection: Connection, locations: Locations, entries: Sequence[RunEntry]
) -> list[Refusal]:
    """Write what happened to some runs; return the runs that could not be written, which cost no other."""
    refused = dict(_begin(connection, locations, entries))
    rows = _rows(connection, [entry.run_id for entry in entries])
    live: list[tuple[Row[Any], RunEntry]] = []
    for entry in entries:
        row = rows.get(entry.run_id)
        if row is None:
            refused.setdefault(entry.run_id, f"Run with id={entry.run_id} not found.")
        elif row.lifecycle_stage != "active":
            refused[entry.run_id] = f"The run {entry.run_id} is deleted."
        else:
            live.append((row, entry))
    _set_tags(connection, live)
    amended = _set_params(connection, live)
    _add_points(connection, live)
    for row, entry in live:
        run_links.add_datasets(connection, row, entry.datasets)
    _set_status(connection, live)
    record_changes(connection, [*_told(live), *amended])
    return [Refusal(run_id, reason) for run_id, reason in refused.items()]


def _begin(
    connection: Connection, locations: Locations, entries: Sequence[RunEntry]
) -> Iterable[tuple[str, str]]:
    """Insert the runs that are new; yield those whose experiment there is not."""
    fresh = {entry.run_id: entry.new for entry in entries if entry.new is not None}
    for run_id in _rows(connection, list(fresh)):
        del fresh[run_id]  # a batch that is told twice, or a run that an import brought
    numbers = {run_id: _experiment(connection, locations, new) for run_id, new in fresh.items()}
    query = select(experiments.c.id, experiments.c.artifact_location)
    query = query.where(experiments.c.id.in_(set(numbers.values())))
    places = {row.id: row.artifact_location for row in connection.execute(query)}
    names = {e.run_id: next((t.value for t in e.tags if t.key == RUN_NAME), "") for e in entries}
    made = []
    for run_id, new in fresh.items():
        number = numbers[run_id]
        if number not in places:
            yield run_id, f"No Experiment with id={number} exists."
            continue
        made.append(
            {
                "run_id": run_id,
                "experiment": number,
                "name": names[run_id] or invent_name(),
                "user_id": new.user_id,
                "status": RunStatus.RUNNING.value,
                "start_time": new.start_time,
                "artifact_uri": f"{places[number]}/{run_id}/artifacts",
                "lifecycle_stage": "active",
            }
        )
    if made:
        connection.execute(insert(runs), made)


def _experiment(connection: Connection, locations: Locations, new: NewRun) -> int:
    if new.experiment_name:
        return find_or_create_experiment(connection, locations, new.experiment_name)
    return rules.parse_experiment_id(new.experiment_id)


def _rows(connection: Connection, ids: Sequence[str]) -> dict[str, Row[Any]]:
    found = {}
    for some in chunked(dict.fromkeys(ids)):
        query = select(runs).where(runs.c.run_id.in_(some)).order_by(runs.c.id)
        for row in connection.execute(held(connection, query)):
            found[row.run_id] = row
    return found


def _set_tags(connection: Connection, live: Sequence[tuple[Row[Any], RunEntry]]) -> None:
    values: dict[tuple[int, str], str] = {}
    for row, entry in live:
        given = {tag.key: tag.value for tag in entry.tags}
        if entry.new is not None:
            given.setdefault(RUN_NAME, row.name)
        values |= {(row.id, key): value for key, value in given.items()}
    found = [{"run": run, "key": key, "value": text} for (run, key), text in values.items()]
    upsert(connection, tags, found)
    named = [(run, text) for (run, key), text in values.items() if key == RUN_NAME]
    _update_runs(connection, "name", [(run, text) for run, text in named if text])


def _update_runs(connection: Connection, column: str, values: Sequence[tuple[int, Any]]) -> None:
    if values:
        statement = update(runs).where(runs.c.id == bindparam("run"))
        statement = statement.values({column: bindparam("new")})
        connection.execute(statement, [{"run": run, "new": value} for run, value in values])


def _set_params(connection: Connection, live: Sequence[tuple[Row[Any], RunEntry]]) -> list[Write]:
    """Write params; one that has another value already is amended, and the change is told."""
    known = _known_params(connection, [row.id for row, entry in live if entry.params])
    written: dict[tuple[int, str], str] = {}
    amended = []
    for row, entry in live:
        for param in entry.params:
            place = row.id, param.key
            before = written.get(place, known.get(place))
            if before is not None and before != param.value:
                detail = {"key": param.key, "before": before, "after": param.value}
                told = json.dumps(detail, ensure_ascii=False)
                amended.append(Write("run", row.run_id, _AMEND, str(row.experiment), told))
            if before != param.value:
                written[place] = param.value
    found = [{"run": run, "key": key, "value": text} for (run, key), text in written.items()]
    upsert(connection, params, found)
    return amended


def _known_params(connection: Connection, numbers: Sequence[int]) -> dict[tuple[int, str], str]:
    found: dict[tuple[int, str], str] = {}
    for some in chunked(numbers):
        for run, key, value in connection.execute(select(params).where(params.c.run.in_(some))):
            found[run, key] = value
    return found


def _add_points(connection: Connection, live: Sequence[tuple[Row[Any], RunEntry]]) -> None:
    found: dict[tuple[int, str], list[Point]] = {}
    for row, entry in live:
        for points in entry.points:
            bits = to_bits_many(points.values)
            place = found.setdefault((row.id, points.key), [])
            place += zip(points.steps, points.timestamps, bits, strict=True)
    write_points(connection, found)


def _set_status(connection: Connection, live: Sequence[tuple[Row[Any], RunEntry]]) -> None:
    status = [(row.id, entry.status.value) for row, entry in live if entry.status is not None]
    ended = [(row.id, entry.end_time) for row, entry in live if entry.end_time is not None]
    _update_runs(connection, "status", status)
    _update_runs(connection, "end_time", ended)
    _set_leases(connection, live)


def _set_leases(connection: Connection, live: Sequence[tuple[Row[Any], RunEntry]]) -> None:
    ended = []
    for row, entry in live:
        if entry.status is not None and entry.status.is_terminated:
            ended.append((row, entry))
        elif entry.process is not None:
            leases.take(connection, row.id, entry.process)
    leases.release(connection, [row.id for row, _ in ended])
    # A run that was taken for dead has told its end after all.
    wrong = [
        row.id
        for row, entry in ended
        if RunStatus(row.status).is_terminated
        and all(tag.key != leases.REASON for tag in entry.tags)
    ]
    leases.forget_reasons(connection, wrong)


def _told(live: Sequence[tuple[Row[Any], RunEntry]]) -> Iterable[Write]:
    for row, entry in live:
        parent = str(row.experiment)
        if entry.new is not None:
            yield Write("run", row.run_id, "create", parent)
        if entry.points or entry.params or entry.tags or entry.datasets:
            yield Write("run", row.run_id, "log", parent)
        if entry.status is not None:
            yield Write("run", row.run_id, "update", parent, entry.status.value)


__all__ = ["SqlJournals", "apply"]
