"""Leases in SQL, each operation in a transaction."""

from __future__ import annotations

from functools import lru_cache

from msgspec.structs import asdict

from mltrack_jupyter.entities import Process, RunStatus
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.services import Leases
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.sql import leases
from mltrack_jupyter.store.sql.change_log import record_change
from mltrack_jupyter.store.sql.database import Database
from mltrack_jupyter.store.sql.run_reads import find_active_run

_LONGEST = {"process_id": 64, "host": 256, "boot_id": 128, "kernel_id": 64}


@lru_cache(maxsize=64)  # the same few tell of themselves with each run
def check_process(process: Process) -> None:
    """Check what is said of a process."""
    if not process.process_id:
        raise InvalidParameter("Missing value for required parameter 'process.process_id'.")
    for name, value in asdict(process).items():
        if isinstance(value, str):
            rules.check_text(value, name, _LONGEST[name])
        else:
            rules.check_int64(value, name)


class SqlLeases(Leases):
    """Leases in SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, run_id: str, process: Process) -> None:
        rules.check_run_id(run_id)
        check_process(process)
        with self._database.write() as connection:
            row = find_active_run(connection, run_id)
            # What has ended belongs to nobody, or else who goes on with it would not own it.
            if not RunStatus(row.status).is_terminated() or leases.is_given_up(connection, row.id):
                leases.take(connection, row.id, process)
                parent = str(row.experiment)
                record_change(connection, "run", run_id, "lease", parent_id=parent)

    def renew(self, process_id: str) -> list[str]:
        if self._database.file.is_missing:
            return []
        with self._database.write() as connection:
            return leases.renew(connection, process_id)

    def reap(self) -> list[str]:
        if self._database.file.is_missing or self._database.access.reason:
            return []
        # Nearly always there is nothing to do, which needs no lock on the database.
        with self._database.read() as connection:
            if not leases.lapsed(connection):
                return []
        with self._database.write() as connection:
            return leases.reap(connection)

    def end_kernel(
        self, kernel_id: str, reason: str, status: RunStatus = RunStatus.KILLED
    ) -> list[str]:
        rules.final_status(status.value)
        rules.check_text(reason, "reason")
        if self._database.access.reason:  # whoever may write the store ends its runs
            return []
        with self._database.read() as connection:
            if not kernel_id or not leases.of_kernel(connection, kernel_id):
                return []
        with self._database.write() as connection:
            return leases.end_kernel(connection, kernel_id, status, reason)
