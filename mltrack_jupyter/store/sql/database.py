"""The connection to a database, and its transactions."""

from __future__ import annotations

import time
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, event
from sqlalchemy import exc as sa_exc

from mltrack_jupyter import forks
from mltrack_jupyter.config import moved_folder
from mltrack_jupyter.errors import StoreTooNew, StoreUnreadable, Unavailable
from mltrack_jupyter.store.deadline import left_s
from mltrack_jupyter.store.read_only_file import FileAccess
from mltrack_jupyter.store.sql import tables
from mltrack_jupyter.store.sql.dialects import BUSY_SECONDS, dialect_of
from mltrack_jupyter.store.sql.endings import Endings
from mltrack_jupyter.store.sql.engines import make_engine
from mltrack_jupyter.store.sql.failures import translate
from mltrack_jupyter.store.sql.interrupts import INTERRUPT, OTHERS, Signals, deferred
from mltrack_jupyter.store.sql.same_file import SameFile
from mltrack_jupyter.store.sql.turns import WriteQueue
from mltrack_jupyter.store.sql.types import moves_with
from mltrack_jupyter.store.uri import MEMORY

_MOST_KEYS = 10_000


def now_ms() -> int:
    """Return the time in milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


class Database:
    """An engine with read and write transactions; may be used from several threads and after a fork."""

    def __init__(self, url: str, *, synchronous: str = "NORMAL", moved: Path | None = None) -> None:
        self.engine = make_engine(url, synchronous)
        self.url = self.engine.url
        self.dialect = dialect_of(self.engine)
        tables.suit(self.dialect.name)
        event.listen(self.engine, "rollback", _forget_keys)
        self.newer_schema = ""
        self.only_read = ""  # or why nothing may be written to this schema
        self.access = FileAccess(self.path, self.engine)
        self.file = SameFile(self.path)
        if self.path:
            moves_with(self.engine.dialect, moved or moved_folder(Path(self.path)))
        self._queue = WriteQueue(self.path)
        self._joined: ContextVar[Connection | None] = ContextVar("mltrack_joined", default=None)
        _databases.add(self)

    @property
    def path(self) -> str:
        """The file of an SQLite database; ``""`` for one in memory, or on a server."""
        in_file = self.dialect.is_file and self.url.database != MEMORY
        return (self.url.database or "") if in_file else ""

    @property
    def place(self) -> str:
        """Where the database is, for people to read; without the password."""
        if self.dialect.is_file:
            return self.url.database or MEMORY
        port = f":{self.url.port}" if self.url.port else ""
        return f"{self.url.host or 'localhost'}{port}/{self.url.database or ''}"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that sees one state of the database."""
        if (joined := self._joined.get()) is not None:
            yield joined
            return
        self.file.follow()
        self.access.follow()
        with (
            self._translated(),
            deferred(),
            self.engine.connect() as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def write(self, *, references: bool = True) -> Iterator[Connection]:
        """Open a transaction that writes everything or, on an exception, nothing.

        Without ``references``, SQLite does not follow them: who replaces a table by a new one of its name
        does not mean to delete the rows that refer to it.
        """
        joined = self._joined.get()
        begun = self.file.follow() if joined is None else None
        self.check_writable()
        if joined is not None:
            assert joined.info.get("write")  # and not in read_together
            yield joined
            return
        until = time.monotonic() + left_s(BUSY_SECONDS)
        signals, endings = Signals(), Endings()
        with (
            self._translated(),
            # A handler may want to write, too (on SIGTERM, what is worth keeping): never with the lock
            # held by its own thread. Whoever waits for a turn may be interrupted.
            signals.delivered(),
            signals.wait(OTHERS),
            self._queue.alone(until) if self.dialect.is_file else nullcontext(),
            signals.wait(INTERRUPT),
            self.engine.connect() as connection,
            self.dialect.waiting(connection, until),
        ):
            connection.info["write"] = True
            try:
                # SQLite hears this only outside of a transaction.
                if not references:
                    self.dialect.follow_references(connection, on=False)
                with endings.noted(connection), connection.begin():
                    yield connection
                    self.file.check(begun)
            finally:
                connection.info.pop("write", None)
                if not references:
                    self.dialect.follow_references(connection, on=True)
        endings.run()

    @property
    def is_writable(self) -> bool:
        """Whether anything may be written: to this file, and to this schema."""
        return not (self.access.reason or self.only_read)

    def check_writable(self) -> None:
        """Raise ``StoreReadOnly`` or ``StoreTooNew`` if nothing may be written."""
        self.access.check()
        if self.only_read:
            raise StoreTooNew(self.only_read)

    @contextmanager
    def together(self) -> Iterator[Connection]:
        """Open a writing transaction that whatever is read and written in it, by this thread, is part of.

        Nothing of it stays if an exception leaves it; so none of what is done in it may be caught.
        """
        with self.write() as connection:
            token = self._joined.set(connection)
            try:
                yield connection
            finally:
                self._joined.reset(token)

    @contextmanager
    def read_together(self) -> Iterator[Connection]:
        """Open a transaction that whatever is read in it, by this thread, is part of: nothing is written."""
        with self.read() as connection:
            token = self._joined.set(connection)
            try:
                yield connection
            finally:
                self._joined.reset(token)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sa_exc.DBAPIError as error:
            found = translate(error, self.place, is_file=self.dialect.is_file)
            if self.only_read and type(found) in (StoreUnreadable, Unavailable):
                raise StoreTooNew(f"This cannot be read: {self.only_read}") from error
            if type(found) is StoreUnreadable and self.access.is_outdated:
                raise Unavailable(
                    f"{self.path} was changed while it was read: ask again."
                ) from error
            raise found from error
        except sa_exc.TimeoutError as error:
            raise Unavailable(f"All connections to {self.place} are in use.") from error

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()
        self.access.close()

    def rest(self) -> None:
        """Close the SQLite connections that nobody uses; the next transaction opens one.

        A child would take their locks for its own, which it has not: the last of the parent's connections
        would then delete the log that the child still writes to.
        """
        if self.path:
            self.engine.dispose()

    def forget(self) -> None:
        """Drop the connections without closing them: after a fork they belong to the parent."""
        self.engine.dispose(close=False)
        self.access.forget()
        self._queue = WriteQueue(self.path)
        self.file.forget()


_databases: weakref.WeakSet[Database] = weakref.WeakSet()


def _rest_all() -> None:
    for database in list(_databases):
        database.rest()


def _forget_all() -> None:
    for database in list(_databases):
        database.forget()


forks.at_fork(forks.Part.DATABASES, before=_rest_all, in_child=_forget_all)


def held(connection: Connection, query: Select[Any], *, share: bool = False) -> Select[Any]:
    """Return a query that, in a writing transaction, keeps other writers from the rows that it finds.

    They wait until the transaction ends; with ``share``, only those that do not share. Whoever looks
    for what it is about to change asks so.
    """
    return (
        dialect_of(connection).held(query, share=share) if connection.info.get("write") else query
    )


def known_keys(connection: Connection) -> dict[str, int]:
    """Return the numbers of metrics' names that this connection has met; a name keeps its number.

    Those of a transaction that is rolled back are forgotten with it.
    """
    known: dict[str, int] = connection.info.setdefault("metric_keys", {})
    if len(known) > _MOST_KEYS:
        known.clear()
    return known


def _forget_keys(connection: Connection) -> None:
    connection.info.pop("metric_keys", None)


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
