"""How runs of a journal begin in the tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select

from mltrack_jupyter.entities import NewRun, RunEntry, RunStatus
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.artifacts import Locations
from mltrack_jupyter.store.names import RUN_NAME, invent_name
from mltrack_jupyter.store.sql.database import chunked, held
from mltrack_jupyter.store.sql.experiments import find_or_create_experiment, is_or_was_called
from mltrack_jupyter.store.sql.tables import experiments, runs
from mltrack_jupyter.store.sql.tombstones import deleted_runs

# Built once: what a batch asks several times a second while a model is trained.
_ROWS = select(runs).where(runs.c.run_id.in_(bindparam("ids", expanding=True))).order_by(runs.c.id)


def begin_runs(
    connection: Connection,
    locations: Locations,
    entries: Sequence[RunEntry],
    refused: dict[str, str],
) -> set[str]:
    """Insert the runs that are new, and return their ids; those whose experiment there is not are refused."""
    fresh = {entry.run_id: entry for entry in entries if entry.new is not None}
    if not fresh:
        return set()
    # All of them, so that the rows are held before anything is read that another writer may change.
    for run_id in rows_of(connection, [entry.run_id for entry in entries]):
        fresh.pop(run_id, None)  # a batch that is told twice, or a run that an import brought
    for run_id in deleted_runs(connection, fresh):
        del fresh[run_id]
    numbers: dict[str, int] = {}
    known: dict[tuple[str, str], int] = {}
    for run_id, entry in fresh.items():
        assert entry.new is not None
        told = entry.new.experiment_id, entry.new.experiment_name
        if told not in known:
            known[told] = _experiment(connection, locations, entry.new)
        numbers[run_id] = known[told]
    query = select(experiments.c.id, experiments.c.artifact_location)
    query = query.where(experiments.c.id.in_(set(numbers.values())))
    places = {row.id: row.artifact_location for row in connection.execute(query)}
    last = {entry.run_id: entry for entry in entries if entry.status is not None}
    made = {}
    for run_id, number in numbers.items():
        if number in places:
            begin = fresh[run_id]
            made[run_id] = _new_row(begin, last.get(run_id, begin), number, places[number])
        else:
            refused[run_id] = f"No Experiment with id={number} exists."
    if made:
        connection.execute(insert(runs), list(made.values()))
    return set(made)


def _new_row(entry: RunEntry, last: RunEntry, experiment: int, place: str) -> dict[str, Any]:
    """Return the row of a run that may have ended already, as the ``last`` entry of it says."""
    assert entry.new is not None
    name = next((tag.value for tag in entry.tags if tag.key == RUN_NAME), "")
    return {
        "run_id": entry.run_id,
        "experiment": experiment,
        "name": name or invent_name(),
        "user_id": entry.new.user_id,
        "status": (last.status or RunStatus.RUNNING).value,
        "start_time": entry.new.start_time,
        "end_time": last.end_time,
        "artifact_uri": f"{place}/{entry.run_id}/artifacts",
        "lifecycle_stage": "active",
    }


def _experiment(connection: Connection, locations: Locations, new: NewRun) -> int:
    """Return the number of a run's experiment, which may have another one here: the store is a new one."""
    if new.experiment_id:
        number = rules.parse_experiment_id(new.experiment_id)
        if not new.experiment_name or is_or_was_called(connection, number, new.experiment_name):
            return number
    if not new.experiment_name:
        # The child of a run that was resumed while nobody could tell its own.
        return 0
    return find_or_create_experiment(connection, locations, new.experiment_name)


def rows_of(connection: Connection, ids: Sequence[str]) -> dict[str, Row[Any]]:
    """Return the rows of those runs that are there, by their ids."""
    found = {}
    for some in chunked(dict.fromkeys(ids)):
        for row in connection.execute(held(connection, _ROWS), {"ids": some}).all():
            found[row.run_id] = row
    return found
