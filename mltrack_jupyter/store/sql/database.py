"""The connection to a database: transactions, and the one place where its errors become ours."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from importlib import import_module
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, create_engine, delete, event, insert
from sqlalchemy import exc as sa_exc
from sqlalchemy.engine import make_url

from mltrack_jupyter.errors import (
    BadRequest,
    InvalidParameter,
    MltrackError,
    StoreUnreadable,
    StoreUnwritable,
    Unavailable,
)
from mltrack_jupyter.store.sql import tables

actor: ContextVar[str] = ContextVar("mltrack_actor", default="")
"""Who writes now; a server sets it to the user of the request."""

BUSY_SECONDS = 30


def now_ms() -> int:
    """Return the time in milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


class Database:
    """An engine with read and write transactions; may be used from several threads and after a fork."""

    def __init__(self, url: str, *, synchronous: str = "NORMAL") -> None:
        try:
            self.url = _parse_url(url)
            self.engine = self._make_engine(synchronous)
        except (sa_exc.ArgumentError, sa_exc.NoSuchModuleError, ValueError) as error:
            raise InvalidParameter(
                f"{url!r} is no database URL that can be opened ({error}); right would be, for example, "
                "sqlite:///path/to/mltrack.db or postgresql+psycopg://user@host/name."
            ) from error
        except ModuleNotFoundError as error:
            raise InvalidParameter(
                f"{self.url.drivername} needs the package {error.name!r}: pip install {error.name}."
            ) from error
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        # Threads of one process queue here rather than in SQLite's busy handler, which polls.
        self._writing = threading.Lock()
        _forget_after_fork(self)

    def _make_engine(self, synchronous: str) -> Engine:
        if not self.url.drivername.startswith("sqlite"):
            return create_engine(self.url, pool_pre_ping=True)
        engine = create_engine(self.url, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _configure_sqlite(synchronous))
        event.listen(engine, "begin", _begin_sqlite)
        return engine

    @property
    def path(self) -> str:
        """The file of an SQLite database, else ``""``."""
        return (self.url.database or "") if self.is_sqlite else ""

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that sees one state of the database."""
        with self._translated(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that writes everything or, on an exception, nothing."""
        lock = self._writing if self.is_sqlite else nullcontext()
        with self._translated(), lock, self.engine.connect() as connection:
            connection.info["write"] = True
            try:
                with connection.begin():
                    yield connection
            finally:
                connection.info.pop("write", None)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sa_exc.DBAPIError as error:
            raise translate(error, self.path) from error

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def forget(self) -> None:
        """Drop the connections without closing them: after a fork they belong to the parent."""
        self.engine.dispose(close=False)
        self._writing = threading.Lock()


def _parse_url(url: str) -> URL:
    scheme, _, path = url.partition(":///")
    if scheme == "sqlite" and path:  # literally: a folder may have "?" in its name
        return URL.create("sqlite", database=path)
    return make_url(url)


def _configure_sqlite(synchronous: str) -> Any:
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, see _begin_sqlite
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={BUSY_SECONDS * 1000}",
            f"synchronous={synchronous}",
            "foreign_keys=ON",
            "case_sensitive_like=ON",  # MLflow's LIKE tells upper from lower case
            "temp_store=MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return configure


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that turns into a writer ignores the busy timeout; so writers say so first.
    mode = "BEGIN IMMEDIATE" if connection.info.get("write") else "BEGIN"
    connection.exec_driver_sql(mode)


_databases: weakref.WeakSet[Database] = weakref.WeakSet()


def _forget_after_fork(database: Database) -> None:
    if not _databases and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_forget_all)
    _databases.add(database)


def _forget_all() -> None:
    for database in _databases:
        database.forget()


def translate(error: sa_exc.DBAPIError, path: str) -> MltrackError:
    """Return our error for one of the database's. No SQL text leaves the store."""
    reason = str(error.orig)
    low = reason.lower()
    place = path or "the database"
    if "not a database" in low or "malformed" in low or "no such table" in low:
        return StoreUnreadable(
            f"{place} is not a readable store ({reason}). Restore it from a backup, "
            "or choose another place with set_tracking_uri(...)."
        )
    if "disk is full" in low or "no space" in low:
        return StoreUnwritable(f"The disk is full: {place} cannot grow. Nothing was half-written.")
    if "disk i/o error" in low:
        return StoreUnwritable(
            f"{place} cannot be written: the disk is full, over its quota, or damaged ({reason}). Nothing "
            "was half-written."
        )
    if "readonly" in low or "read-only" in low:
        return StoreUnwritable(f"{place} cannot be written: the file or its folder is read-only.")
    if "unable to open" in low:
        return StoreUnwritable(
            f"{place} cannot be opened; its folder must exist and be writable for you."
        )
    if "too complex" in low:
        return InvalidParameter("A pattern after LIKE is too long for the database.")
    if "locked" in low:
        return Unavailable(f"{place} was locked by another process for {BUSY_SECONDS} s.")
    if isinstance(error, sa_exc.IntegrityError):
        return BadRequest(f"This contradicts what is stored: {reason}")
    if isinstance(error, sa_exc.DataError):
        return InvalidParameter(f"The database refuses the value: {reason}")
    return Unavailable(f"The database cannot answer: {reason}")


def insert_row(connection: Connection, table: Table, row: Mapping[str, Any]) -> int:
    """Insert one row and return the number that the database gave it."""
    key = connection.execute(insert(table), row).inserted_primary_key
    assert key is not None  # every table that numbers its rows has a primary key
    number: int = key[0]
    return number


def upsert(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, replace: bool = True
) -> int:
    """Insert rows, replacing (or else keeping) those with the same primary key; return rows written."""
    if not rows:
        return 0
    keys = [column.name for column in table.primary_key]
    rest = [name for name in rows[0] if name not in keys]
    name = connection.dialect.name
    # Only the dialect in use is imported: the others cost a tenth of a second at every start.
    into = import_module(f"sqlalchemy.dialects.{name}").insert(table)
    statement: Any
    if name == "mysql":
        fresh = {column: into.inserted[column] for column in rest} if replace else {}
        # An update of a key to itself is MySQL's way of doing nothing.
        kept = fresh or {keys[0]: table.c[keys[0]]}
        statement = into.on_duplicate_key_update(kept)
    else:
        statement = (
            into.on_conflict_do_update(
                index_elements=keys, set_={column: into.excluded[column] for column in rest}
            )
            if replace and rest
            else into.on_conflict_do_nothing(index_elements=keys)
        )
    return connection.execute(statement, list(rows)).rowcount


def record_change(
    connection: Connection,
    entity: str,
    entity_id: str,
    action: str,
    *,
    parent_id: str = "",
    detail: str = "",
) -> None:
    """Append a row to the change feed.

    Of the action ``log`` only the newest row of an entity is kept: a million points are no million rows.
    """
    changes = tables.changes
    if action == "log":
        stale = (changes.c.entity == entity, changes.c.entity_id == entity_id)
        connection.execute(delete(changes).where(*stale, changes.c.action == "log"))
    connection.execute(
        insert(changes),
        {
            "timestamp": now_ms(),
            "actor": actor.get(),
            "entity": entity,
            "entity_id": entity_id,
            "parent_id": parent_id,
            "action": action,
            "detail": detail,
        },
    )


def chunked(items: Iterable[Any], size: int = 5000) -> Iterator[list[Any]]:
    """Cut items into lists that fit into one statement's bound variables."""
    batch: list[Any] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
