"""SQLite: a file, of which one transaction at a time is a writer's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, Select, create_engine, event

from mltrack_jupyter.store.sql.dialects.base import BUSY_SECONDS, Dialect
from mltrack_jupyter.store.uri import MEMORY, SQLITE

_BUSY = "PRAGMA busy_timeout={}"


class Sqlite(Dialect):
    """SQLite, by the driver of Python."""

    name = SQLITE
    driver = "pysqlite"
    is_file = True
    json_lists = True  # of parameters it takes no more than 32,766
    knows_sizes = False

    def engine(self, url: URL, synchronous: str) -> Engine:
        # What lives in memory has one connection a thread, and nobody waits for one.
        is_file = url.database not in (None, "", MEMORY)
        options: dict[str, Any] = {"pool_timeout": BUSY_SECONDS} if is_file else {}
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, **options)
        event.listen(engine, "connect", _configure(synchronous))
        event.listen(engine, "begin", _begin)
        return engine

    @contextmanager
    def waiting(self, connection: Connection, until: float) -> Iterator[None]:
        """Leave SQLite only what is left of the time: writers that take no turns may hold its lock, too."""
        raw = connection.connection.driver_connection
        left = until - time.monotonic()
        if raw is None or left > BUSY_SECONDS - 1:  # nobody waited to speak of
            yield
            return
        try:
            raw.execute(_BUSY.format(max(0, int(left * 1000))))
            yield
        finally:
            raw.execute(_BUSY.format(BUSY_SECONDS * 1000))

    def follow_references(self, connection: Connection, *, on: bool) -> None:
        raw = connection.connection.driver_connection
        if raw is not None:
            raw.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")

    def held(self, query: Select[Any], *, share: bool) -> Select[Any]:  # noqa: ARG002
        """Return the query: there is one writer, and nothing to hold."""
        return query


def _configure(synchronous: str) -> Any:
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, see _begin
        cursor = connection.cursor()
        cursor.execute(_BUSY.format(BUSY_SECONDS * 1000))
        for pragma in (
            f"synchronous={synchronous}",
            "foreign_keys=ON",
            "case_sensitive_like=ON",  # MLflow's LIKE tells upper from lower case
            "temp_store=MEMORY",
            # In KiB: the pages that a search among 100,000 runs walks. The usual 2 MB are too few for it.
            "cache_size=-16000",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return configure


def _begin(connection: Connection) -> None:
    # A deferred transaction that turns into a writer ignores the busy timeout; so writers say so first.
    mode = "BEGIN IMMEDIATE" if connection.info.get("write") else "BEGIN"
    connection.exec_driver_sql(mode)
