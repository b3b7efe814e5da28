"""What a batch of a journal does to the tables: runs that begin, what was logged to them, and how they ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Table, Update, bindparam, select, update

from mltrack_jupyter.entities import (
    REASON,
    ManyNames,
    NewRun,
    Points,
    Process,
    Refusal,
    RunEntry,
    RunStatus,
)
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.artifacts import Locations
from mltrack_jupyter.store.names import RUN_NAME
from mltrack_jupyter.store.sql import leases, run_links, run_models, shared_files
from mltrack_jupyter.store.sql.amendments import amended
from mltrack_jupyter.store.sql.change_log import Write, record_changes
from mltrack_jupyter.store.sql.database import chunked, now_ms
from mltrack_jupyter.store.sql.journal_begins import begin_runs, rows_of
from mltrack_jupyter.store.sql.lease_service import check_process
from mltrack_jupyter.store.sql.model_points import add_model_points, by_point
from mltrack_jupyter.store.sql.point_writes import (
    Logged,
    add_points,
    append_points,
    append_singles,
)
from mltrack_jupyter.store.sql.tables import params, runs, tags
from mltrack_jupyter.store.sql.tombstones import deleted_runs
from mltrack_jupyter.store.sql.upserts import upsert_columns
from mltrack_jupyter.store.sql.values import to_bits_many

_CHECKED = attrgetter("key", "value", "timestamp", "step", "ordinal")


def check_entry(entry: RunEntry) -> None:
    """Raise ``InvalidParameter`` for an entry that no store takes, whatever is in it."""
    rules.check_run_id(entry.run_id)
    for points in entry.points:
        rules.check_points(points)
    if isinstance(entry, ManyNames):
        rules.check_singles(entry.singles)
    # Each comes once for each model that has it, and is alike but for that.
    for point in dict(zip(map(_CHECKED, entry.noted), entry.noted, strict=True)).values():
        rules.check_metric(point)
    rules.check_pairs(entry.params, "param")
    rules.check_pairs(entry.tags, "tag")
    if entry.shared:
        shared_files.check(entry.shared)
    for made in entry.made:
        run_models.check_made(made)
    if entry.new is not None:
        _check_new(entry.new)
    if entry.end_time is not None:
        rules.check_int64(entry.end_time, "end_time")
    if entry.process is not None:
        check_process(entry.process)


def _check_new(new: NewRun) -> None:
    rules.check_int64(new.start_time, "start_time")
    rules.check_text(new.user_id, "user_id", 256)
    if new.experiment_name:
        rules.check_experiment_name(new.experiment_name)


class _Live(NamedTuple):
    """An entry of a run that can be written to: its number and row, and whether this batch begins it."""

    run: int
    row: Row[Any]
    entry: RunEntry
    is_fresh: bool


def apply(
    connection: Connection, locations: Locations, entries: Sequence[RunEntry]
) -> tuple[list[Refusal], list[str]]:
    """Write what happened to some runs.

    Return the runs that could not be written, which cost no other, and the shared files that are not there.
    """
    refused: dict[str, str] = {}
    entries = run_models.without_reserved(entries, refused)
    fresh = begin_runs(connection, locations, entries, refused)
    rows = rows_of(connection, [entry.run_id for entry in entries])
    live: list[_Live] = []
    missing: list[str] = []
    for entry in entries:
        row = rows.get(entry.run_id)
        if row is None:
            missing.append(entry.run_id)
        else:  # also one in the trash, from which it may come back
            live.append(_Live(row.id, row, entry, entry.run_id in fresh))
    if missing:
        gone = deleted_runs(connection, missing)
        for run_id in missing:
            refused.setdefault(run_id, gone.get(run_id, f"Run with id={run_id} not found."))
    live = _leave_to_owners(connection, live)
    live = _leave_later_ends(connection, live)
    _set_tags(connection, live)
    changed = _set_params(connection, live)
    _add_points(connection, live)
    for item in live:
        _add_links(connection, item)
    lacking = _give_files(connection, live, refused)
    _set_status(connection, live)
    record_changes(connection, [*_told(live), *changed])
    return [Refusal(run_id, reason) for run_id, reason in refused.items()], lacking


def _set_tags(connection: Connection, live: Sequence[_Live]) -> None:
    values: dict[tuple[int, str], str] = {}
    known = _tags_before(connection, live)
    for run, row, entry, _ in live:
        for tag in entry.tags:
            if entry.new is None or (run, tag.key) not in known:
                values[run, tag.key] = tag.value
        if entry.new is not None and (run, RUN_NAME) not in known:
            values.setdefault((run, RUN_NAME), row.name)
    _write_pairs(connection, tags, values)
    names = {run: text for (run, key), text in values.items() if key == RUN_NAME and text}
    _update_runs(connection, live, {"name": names})


def _tags_before(connection: Connection, live: Sequence[_Live]) -> set[tuple[int, str]]:
    """Return the tags of runs whose begin is told again: whoever set them knew of the run, and came later."""
    again = {item.run for item in live if item.entry.new is not None and not item.is_fresh}
    if not again:
        return set()
    query = select(tags.c.run, tags.c.key).where(tags.c.run.in_(again))
    return {(run, key) for run, key in connection.execute(query)}


def _update_runs(
    connection: Connection, live: Sequence[_Live], columns: Mapping[str, Mapping[int, Any]]
) -> None:
    """Give runs, by their numbers, other values of some columns, where they have others."""
    changed: dict[int, dict[str, Any]] = {}
    for run, row, _, _ in live:
        for column, values in columns.items():
            if run in values and values[run] != getattr(row, column):
                changed.setdefault(run, {})[column] = values[run]
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for run, found in changed.items():
        by_columns.setdefault(tuple(found), []).append({"run_number": run, **found})
    for names, rows in by_columns.items():
        connection.execute(_update(names), rows)


@lru_cache(maxsize=8)
def _update(columns: tuple[str, ...]) -> Update:
    values: dict[str, Any] = {column: bindparam(column) for column in columns}
    return update(runs).where(runs.c.id == bindparam("run_number")).values(values)


def _set_params(connection: Connection, live: Sequence[_Live]) -> list[Write]:
    """Write params; one that has another value already is amended, and the change is told."""
    known = _known_params(connection, [item for item in live if not item.is_fresh])
    written: dict[tuple[int, str], str] = {}
    told = []
    for run, row, entry, _ in live:
        for param in entry.params:
            place = run, param.key
            before = written.get(place, known.get(place))
            if before is not None and before != param.value:
                told.append(amended(row, param.key, before, param.value))
            if before != param.value:
                written[place] = param.value
    _write_pairs(connection, params, written)
    return told


def _write_pairs(
    connection: Connection, table: Table, values: Mapping[tuple[int, str], str]
) -> None:
    if values:
        runs_and_keys = zip(*values, strict=True)
        columns = [*runs_and_keys, list(values.values())]
        upsert_columns(connection, table, ("run", "key", "value"), columns)


def _known_params(connection: Connection, live: Sequence[_Live]) -> dict[tuple[int, str], str]:
    """Return what runs hold under the names that they are about to be given."""
    found: dict[tuple[int, str], str] = {}
    for item in live:
        for some in chunked(dict.fromkeys(param.key for param in item.entry.params)):
            query = select(params.c.key, params.c.value)
            query = query.where(params.c.run == item.run, params.c.key.in_(some))
            found.update(((item.run, key), text) for key, text in connection.execute(query))
    return found


def _add_points(connection: Connection, live: Sequence[_Live]) -> None:
    found: dict[tuple[int, str], Logged] = {}
    for item in live:
        if isinstance(item.entry, ManyNames):
            append_singles(connection, item.run, item.entry.singles)
        for points in item.entry.points:
            place, logged = (item.run, points.key), _bits_of(points)
            found[place] = _joined(found[place], logged) if place in found else logged
    append_points(connection, found)


def _bits_of(points: Points) -> Logged:
    return points.steps, points.timestamps, to_bits_many(points.values)


def _joined(first: Logged, second: Logged) -> Logged:
    return first[0] + second[0], first[1] + second[1], first[2] + second[2]


def _add_links(connection: Connection, item: _Live) -> None:
    """Write what a run read and made, and the points that name such things."""
    entry = item.entry
    if not (entry.datasets or entry.models or entry.outputs or entry.noted or entry.made):
        return
    run_models.add_made(connection, item.row, entry.made)
    run_links.add_datasets(connection, item.row, entry.datasets)
    run_links.add_models(connection, item.row, "input", [(m.model_id, 0) for m in entry.models])
    made = [(model.model_id, model.step) for model in entry.outputs]
    run_links.add_models(connection, item.row, "output", made)
    if entry.noted:
        noted = by_point(entry.noted)
        add_points(connection, item.run, [found.point for found in noted])
        add_model_points(connection, entry.run_id, noted, late=True)


def _give_files(
    connection: Connection, live: Sequence[_Live], refused: dict[str, str]
) -> list[str]:
    """Give runs the files that they share; return the digests of those that nobody has brought."""
    found: dict[int, dict[str, str]] = {}
    for item in live:
        run, row, entry, is_fresh = item
        if not entry.shared:
            continue
        # A run that begins here has no models yet, and most that share files do.
        has_models = not is_fresh or entry.made
        if has_models and (hiding := shared_files.hides(connection, row, entry.shared)):
            refused[entry.run_id] = hiding
        else:
            found.setdefault(run, {}).update(entry.shared)
    return shared_files.give(connection, found) if found else []


def _set_status(connection: Connection, live: Sequence[_Live]) -> None:
    status = {run: entry.status.value for run, _, entry, _ in live if entry.status is not None}
    ended = {run: entry.end_time for run, _, entry, _ in live if entry.end_time is not None}
    _update_runs(connection, live, {"status": status, "end_time": ended})
    _set_leases(connection, live)


def _leave_to_owners(connection: Connection, live: Sequence[_Live]) -> list[_Live]:
    """Take back that runs have ended, and why, where their owner is another process, which goes on."""
    enders = {
        item.run: item.entry.process
        for item in live
        if item.entry.process is not None and not item.is_fresh and _is_end(item.entry)
    }
    going_on = leases.not_to_end(connection, enders) if enders else set()
    return [
        item._replace(entry=leases.without_end(item.entry)) if item.run in going_on else item
        for item in live
    ]


def _leave_later_ends(connection: Connection, live: Sequence[_Live]) -> list[_Live]:
    """Take back ends of runs that have ended again since: the journal was found late.

    One that was taken for dead, and has an end only for that, tells its own end after all.
    """
    late = {item.run for item in live if _ended_later(item)}
    if late:
        lapsed = select(tags.c.run).where(tags.c.run.in_(late), tags.c.key == REASON)
        late -= set(connection.execute(lapsed).scalars())
    return [
        item._replace(entry=leases.without_end(item.entry)) if item.run in late else item
        for item in live
    ]


def _ended_later(item: _Live) -> bool:
    if item.is_fresh or not _is_end(item.entry) or not RunStatus(item.row.status).is_terminated():
        return False
    return (item.row.end_time or 0) > (item.entry.end_time or now_ms())


def _is_end(entry: RunEntry) -> bool:
    return entry.status is not None and entry.status.is_terminated()


def _set_leases(connection: Connection, live: Sequence[_Live]) -> None:
    ended = {item.run: item.is_fresh for item in live if _is_end(item.entry)}
    owners: dict[int, Process] = {}
    for run, _, entry, is_fresh in live:
        if entry.process is None or _is_end(entry):
            continue
        if not is_fresh:
            leases.take(connection, run, entry.process)
        elif run not in ended:  # one that begins and ends in this batch is nobody's to lose
            owners[run] = entry.process
    leases.give(connection, owners)
    # A run that begins here has no lease but one that was given it just now.
    leases.release(connection, [run for run, is_fresh in ended.items() if not is_fresh])
    leases.forget_reasons(connection, [item.run for item in live if _has_old_reason(item)])


def _has_old_reason(item: _Live) -> bool:
    """Tell whether why a run had ended is over: it goes on, or was taken for dead and tells its end after all."""
    told = any(tag.key == REASON for tag in item.entry.tags)
    before = not item.is_fresh and RunStatus(item.row.status).is_terminated()
    if _is_end(item.entry):
        return before and not told
    return item.entry.status is not None and (before or told)


def _told(live: Sequence[_Live]) -> Iterable[Write]:
    begun: set[int] = set()
    logged: set[int] = set()
    for run, row, entry, is_fresh in live:
        parent = str(row.experiment)
        if is_fresh and run not in begun:
            begun.add(run)
            yield Write("run", row.run_id, "create", parent)
        if run not in logged and _has_content(entry):
            logged.add(run)
            yield Write("run", row.run_id, "log", parent)
        if entry.status is not None:
            yield Write("run", row.run_id, "update", parent, entry.status.value)


def _has_content(entry: RunEntry) -> bool:
    return bool(
        isinstance(entry, ManyNames)
        or entry.points or entry.noted or entry.params or entry.tags or entry.datasets or entry.models
        or entry.outputs or entry.made or entry.shared
    )  # fmt: skip
