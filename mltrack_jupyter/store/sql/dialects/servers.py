"""Database servers: PostgreSQL, MySQL and MariaDB. Their writers work side by side, and may conflict."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    MetaData,
    Table,
    create_engine,
    event,
    func,
    select,
    text,
)

from mltrack_jupyter.errors import Unavailable
from mltrack_jupyter.secret_words import DRIVER_SETTINGS
from mltrack_jupyter.store.sql.dialects.base import BUSY_SECONDS, Dialect

_SILENT_SECONDS = 30
_CONNECT_SECONDS = 10
_LOCK = "mltrack_jupyter.schema"
_TAKE_TURN = text("SELECT version_num FROM alembic_version FOR UPDATE")


class _Server(Dialect):
    arguments: ClassVar[dict[str, int]] = {}
    """What the driver is told."""
    settings: ClassVar[dict[str, int]] = {"connect_timeout": _CONNECT_SECONDS}
    """What the driver is told where the URL does not say it."""

    def engine(self, url: URL, synchronous: str) -> Engine:  # noqa: ARG002 - it is the server's to say
        # So that the text of the URL, which drivers and SQLAlchemy may show, has no secret in it.
        secret = {name: url.query[name] for name in DRIVER_SETTINGS if name in url.query}
        url = url.difference_update_query(secret)
        first = secret.pop("passwd", None)
        if isinstance(password := secret.pop("password", first), str):
            url = url.set(password=password)
        unsaid = {name: value for name, value in self.settings.items() if name not in url.query}
        engine = create_engine(
            url,
            connect_args={**secret, **unsaid, **self.arguments},
            pool_pre_ping=True,
            pool_recycle=3600,
            pool_timeout=BUSY_SECONDS,
            hide_parameters=True,
        )
        event.listen(engine, "connect", self.configure)
        event.listen(engine, "begin", _begin)
        return engine

    def configure(self, connection: Any, _record: Any) -> None:
        """Tell a new connection what it has to know."""
        raise NotImplementedError

    def take_turn(self, connection: Connection) -> None:
        connection.execute(_TAKE_TURN)


class PostgreSql(_Server):
    """PostgreSQL, by psycopg."""

    name = "postgresql"
    driver = "psycopg"
    extra = "postgresql"
    clock = "EXTRACT(EPOCH FROM clock_timestamp()) * 1000"

    # A machine that is gone without a word is noticed in this time, and not after a quarter of an hour.
    settings = {
        **_Server.settings,
        "tcp_user_timeout": _SILENT_SECONDS * 1000,
        "keepalives_idle": _SILENT_SECONDS,
    }

    def configure(self, connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{BUSY_SECONDS}s'")
            cursor.execute(
                "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED"
            )
        connection.commit()  # a setting of a transaction that is rolled back is rolled back too

    @contextmanager
    def only_one(self, connection: Connection) -> Iterator[None]:
        """Hold a lock that ends with the transaction."""
        connection.execute(select(func.pg_advisory_xact_lock(zlib.crc32(_LOCK.encode()))))
        yield

    def advance_sequence(self, connection: Connection, table: str, number: int) -> None:
        """Set the sequence, which SQLite and MySQL do by themselves."""
        query = (
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), "  # noqa: S608 - a table of ours
            f"GREATEST(:number, (SELECT max(id) FROM {table})))"
        )
        connection.execute(text(query), {"number": number})


class MySql(_Server):
    """MySQL and MariaDB, by PyMySQL. SQLAlchemy has one dialect for both, and asks the server which it is."""

    name = "mysql"
    driver = "pymysql"
    extra = "mysql"
    takes_tables_back = False
    clock = "UNIX_TIMESTAMP(SYSDATE(3)) * 1000"

    # SQLAlchemy asks for the rows that were found; we count those that were written.
    arguments = {"client_flag": 0}

    def configure(self, connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            # The experiment "Default" has the number 0, which MySQL otherwise takes for "the next one".
            cursor.execute("SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO'")
            cursor.execute(f"SET SESSION innodb_lock_wait_timeout = {BUSY_SECONDS}")
            # Writers lock rows by name and then read what is newest; gaps need no locks.
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        connection.commit()

    @contextmanager
    def only_one(self, connection: Connection) -> Iterator[None]:
        """Hold a lock, whose name is one for the whole server and not for the database."""
        database = connection.engine.url.database or ""
        name = f"mltrack:{zlib.crc32(database.encode())}"
        if connection.execute(select(func.get_lock(name, BUSY_SECONDS))).scalar() != 1:
            raise Unavailable(f"Another process has been making the tables for {BUSY_SECONDS} s.")
        try:
            yield
        finally:
            connection.execute(select(func.release_lock(name)))

    def upsert(self, into: Any, table: Table, columns: tuple[str, ...], *, replace: bool) -> Any:
        keys = [column.name for column in table.primary_key]
        rest = [name for name in columns if name not in keys]
        fresh = {column: into.inserted[column] for column in rest} if replace else {}
        # An update of a key to itself is MySQL's way of doing nothing.
        return into.on_duplicate_key_update(fresh or {keys[0]: table.c[keys[0]]})

    def compare_by_characters(self, connection: Connection) -> None:
        """Say so once of the database: the collations in which blanks at the end count have two names."""
        of_mariadb = getattr(connection.dialect, "is_mariadb", False)
        collation = "utf8mb4_nopad_bin" if of_mariadb else "utf8mb4_0900_bin"
        connection.execute(text(f"ALTER DATABASE CHARACTER SET utf8mb4 COLLATE {collation}"))

    def create_missing_indexes(self, connection: Connection, metadata: MetaData) -> None:
        """Go through all: a table that is there is passed over with its indexes."""
        for table in metadata.sorted_tables:
            for index in table.indexes:
                index.create(connection, checkfirst=True)


def _begin(connection: Connection) -> None:
    if not connection.info.get("write"):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
