"""Leases of runs: who writes a run that goes on, and what becomes of it when that process is gone.

A process takes a lease with each run, and renews all of them by one heartbeat. On the machine where it
runs it is simply looked for: a process that is there, stopped or not, keeps its runs, and one that is not
loses them at once. From elsewhere only the heartbeat counts; a run that was given up so comes back to
life with the next one. Times are those of the database, so that no two clocks are compared.

A run has one lease: its owner's. Who joins the run, as a worker does, gets it only when the owner is gone;
until then how the run ends is for the owner to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import asdict, replace
from sqlalchemy import Connection, Row, delete, literal_column, select, update

from mltrack_jupyter.entities import ERROR, REASON, Process, RunEntry, RunStatus, Tag
from mltrack_jupyter.store.process import is_alive
from mltrack_jupyter.store.sql import run_writes
from mltrack_jupyter.store.sql.change_log import record_change
from mltrack_jupyter.store.sql.database import chunked, held, now_ms
from mltrack_jupyter.store.sql.dialects import dialect_of
from mltrack_jupyter.store.sql.tables import run_leases, runs, tags
from mltrack_jupyter.store.sql.upserts import upsert

PATIENCE = 60_000
"""How long (ms) a process that cannot be looked for may be silent."""
_FRESH = 35_000
"""After how long (ms) without a heartbeat, of which there is one every 15 s, a process speaks for no other."""
_OPEN = (RunStatus.RUNNING.value, RunStatus.SCHEDULED.value)


def clock(connection: Connection) -> int:
    """Return the time (ms) by the clock that all who write to this database share."""
    if not (clock := dialect_of(connection).clock):
        return now_ms()
    return int(connection.execute(select(literal_column(clock))).scalar_one())


def take(connection: Connection, run: int, process: Process) -> None:
    """Write down that a process writes the run of this row number from now on.

    Unless another one that is alive does. A run that was given up goes on.
    """
    before = connection.execute(_leases(connection).where(run_leases.c.run == run)).first()
    if before is not None and _is_anothers(connection, before, process):
        return
    if before is not None and before.lapsed:
        _revive(connection, before)
    give(connection, {run: process})


def give(connection: Connection, owners: Mapping[int, Process]) -> None:
    """Write down which processes write some runs from now on, whoever did so before: nobody, if they are new."""
    if not owners:
        return
    now = clock(connection)
    rows = [
        {"run": run, **asdict(process), "heartbeat": now, "lapsed": False}
        for run, process in owners.items()
    ]
    upsert(connection, run_leases, rows)


def is_given_up(connection: Connection, run: int) -> bool:
    """Tell whether a run was ended because its process was gone, and by nobody else since."""
    query = select(run_leases.c.lapsed).where(run_leases.c.run == run)
    return connection.execute(query).scalar() is True


def not_to_end(connection: Connection, enders: Mapping[int, Process]) -> set[int]:
    """Return which runs are not ended by the processes that left them: another one lives and owns them."""
    found: set[int] = set()
    for some in chunked(list(enders)):
        rows = connection.execute(_leases(connection).where(run_leases.c.run.in_(some)))
        found.update(row.run for row in rows if _is_anothers(connection, row, enders[row.run]))
    return found


def without_end(entry: RunEntry) -> RunEntry:
    """Return an entry without the end that it tells of, and the tags that say why."""
    tags = [tag for tag in entry.tags if tag.key not in (REASON, ERROR)]
    return replace(entry, tags=tags, process=None, status=None, end_time=None)


def _is_anothers(connection: Connection, lease: Row[Any], process: Process) -> bool:
    """Tell whether a lease belongs to another process than this one, which may still be alive."""
    owner = _process_of(lease)
    if lease.lapsed or owner.process_id == process.process_id:
        return False
    # A program that replaced another one by exec goes on in the same process.
    if owner.boot_id and _place(owner) == _place(process):
        return False
    # Who cannot be looked for may have been restarted elsewhere, and go on as this process.
    now = clock(connection)
    silent = now - lease.heartbeat > _FRESH
    return not _is_lapsed(lease, now) and not (silent and is_alive(owner) is None)


def _place(process: Process) -> tuple[str, str, int, int]:
    return process.host, process.boot_id, process.pid, process.started


def renew(connection: Connection, process_id: str, now: int | None = None) -> list[str]:
    """Write down that a process lives, and return the ids of its runs.

    Its runs that were given up meanwhile are RUNNING again.
    """
    rows = connection.execute(
        _leases(connection).where(run_leases.c.process_id == process_id)
    ).all()
    for row in rows:
        if row.lapsed:
            _revive(connection, row)
    beat = {"heartbeat": clock(connection) if now is None else now, "lapsed": False}
    connection.execute(update(run_leases).where(run_leases.c.process_id == process_id).values(beat))
    return sorted(row.run_id for row in rows)


def release(connection: Connection, numbers: Sequence[int]) -> None:
    """Forget the leases of runs that have ended, or have another end than the lease gave them."""
    for some in chunked(numbers):
        connection.execute(delete(run_leases).where(run_leases.c.run.in_(some)))


def lapsed(connection: Connection, now: int | None = None) -> list[Row[Any]]:
    """Return the leases of processes that are dead, or silent for too long where nobody can look."""
    now = clock(connection) if now is None else now
    query = _leases(connection).where(run_leases.c.lapsed.is_(False))
    return [row for row in connection.execute(query) if _is_lapsed(row, now)]


def _is_lapsed(row: Row[Any], now: int) -> bool:
    alive = is_alive(_process_of(row))
    # A clock that was set back makes the silence negative: nothing lapses by it.
    return now - row.heartbeat > PATIENCE if alive is None else not alive


def reap(connection: Connection) -> list[str]:
    """End the runs whose leases have lapsed as KILLED, when they were last heard of; return their ids."""
    ended = []
    for row in lapsed(connection):
        known = is_alive(_process_of(row)) is False
        why = _DIED if known else _SILENT.format(host=row.host or "another machine")
        if _end(connection, row, RunStatus.KILLED, why):
            ended.append(row.run_id)
    return ended


_DIED = "The process that wrote the run died."
_SILENT = "The process that wrote the run, on {host}, has not been heard of for a minute."


def end_kernel(connection: Connection, kernel_id: str, status: RunStatus, reason: str) -> list[str]:
    """End the open runs of a kernel whose process is gone, and return their ids."""
    return [
        row.run_id
        for row in of_kernel(connection, kernel_id)
        # A restarted kernel has its id again: what its new process writes goes on.
        if not row.lapsed
        and is_alive(_process_of(row)) is not True
        and _end(connection, row, status, reason)
    ]


def of_kernel(connection: Connection, kernel_id: str) -> list[Row[Any]]:
    """Return the leases of a kernel."""
    query = _leases(connection).where(run_leases.c.kernel_id == kernel_id)
    return list(connection.execute(query))


def _leases(connection: Connection) -> Any:
    found = select(
        run_leases, runs.c.run_id, runs.c.experiment, runs.c.status, runs.c.start_time
    ).join_from(run_leases, runs, run_leases.c.run == runs.c.id)
    return held(connection, found)


def _process_of(row: Row[Any]) -> Process:
    names = ("process_id", "host", "boot_id", "pid", "started", "kernel_id")
    return Process(**{name: getattr(row, name) for name in names})


def _end(connection: Connection, row: Row[Any], status: RunStatus, reason: str) -> bool:
    if row.status not in _OPEN:
        release(connection, [row.run])
        return False
    # Kept: a process that was only silent may return, and one that joined the run may go on with it.
    mark = update(run_leases).where(run_leases.c.run == row.run)
    connection.execute(mark.values(lapsed=True))
    end = max(row.heartbeat, row.start_time)
    values = {"status": status.value, "end_time": end}
    connection.execute(update(runs).where(runs.c.id == row.run).values(values))
    run_writes.set_tags(connection, row.run, [Tag(REASON, reason)])
    _changed(connection, row, status)
    return True


def _revive(connection: Connection, row: Row[Any]) -> None:
    if row.status not in (*_OPEN, RunStatus.KILLED.value):
        return
    values = {"status": RunStatus.RUNNING.value, "end_time": None}
    connection.execute(update(runs).where(runs.c.id == row.run).values(values))
    forget_reasons(connection, [row.run])
    _changed(connection, row, RunStatus.RUNNING)


def forget_reasons(connection: Connection, numbers: Sequence[int]) -> None:
    """Take back why runs had ended: they go on, or have told another end."""
    for some in chunked(numbers):
        connection.execute(delete(tags).where(tags.c.run.in_(some), tags.c.key == REASON))


def _changed(connection: Connection, row: Row[Any], status: RunStatus) -> None:
    parent = str(row.experiment)
    record_change(connection, "run", row.run_id, "update", parent_id=parent, detail=status.value)
