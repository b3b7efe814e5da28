"""Whether a database can be read, and whether somebody keeps all others from writing to it."""

from __future__ import annotations

from sqlalchemy import text

from mltrack_jupyter.entities import Health, HealthStatus
from mltrack_jupyter.services import HealthChecks
from mltrack_jupyter.store.sql.database import Database
from mltrack_jupyter.store.sql.lock_holders import is_stopped, writers


class SqlHealth(HealthChecks):
    """The health of a store in SQL. A store that cannot be read raises, as any question to it would."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def check(self) -> Health:
        with self._database.read() as connection:
            connection.execute(text("SELECT 1"))
        reasons = [
            f"The process {pid} is stopped and holds the lock for writing: continue it, or end it."
            for pid in dict.fromkeys(writers(self._database.path))
            if is_stopped(pid)
        ]
        if self._database.only_read:
            reasons.append(self._database.only_read)
        return Health(status=HealthStatus.DEGRADED if reasons else HealthStatus.OK, reasons=reasons)
