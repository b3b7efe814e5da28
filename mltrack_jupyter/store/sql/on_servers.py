"""Making the tables of a store on a database server, where several processes may begin at once."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, func, inspect, select, text

from mltrack_jupyter.errors import Unavailable
from mltrack_jupyter.store.sql import tables
from mltrack_jupyter.store.sql.engines import BUSY_SECONDS

_LOCK = "mltrack_jupyter.schema"


@contextmanager
def only_one(connection: Connection) -> Iterator[None]:
    """Let no other process change the schema of the same database in the meantime."""
    kind = connection.dialect.name
    if kind == "postgresql":  # ends with the transaction
        number = zlib.crc32(_LOCK.encode())
        connection.execute(select(func.pg_advisory_xact_lock(number)))
        yield
    elif kind == "mysql":  # the lock's name is one for the whole server, not for the database
        database = connection.engine.url.database or ""
        name = f"mltrack:{zlib.crc32(database.encode())}"
        if connection.execute(select(func.get_lock(name, BUSY_SECONDS))).scalar() != 1:
            raise Unavailable(f"Another process has been making the tables for {BUSY_SECONDS} s.")
        try:
            yield
        finally:
            connection.execute(select(func.release_lock(name)))
    else:
        yield


def is_unfinished(names: list[str]) -> bool:
    """Tell whether the tables of a database are the beginning of a store, or none."""
    return set(names) <= {*tables.metadata.tables, "alembic_version"}


def compare_by_characters(connection: Connection) -> None:
    """Give MySQL's new tables an order in which ``a``, ``A`` and ``a `` are three names.

    Blanks at the end count only in collations that MariaDB and MySQL name differently, so this is said
    once of the database and not of every column.
    """
    if connection.dialect.name == "mysql":
        of_mariadb = getattr(connection.dialect, "is_mariadb", False)
        collation = "utf8mb4_nopad_bin" if of_mariadb else "utf8mb4_0900_bin"
        connection.execute(text(f"ALTER DATABASE CHARACTER SET utf8mb4 COLLATE {collation}"))


def create_missing_indexes(connection: Connection) -> None:
    """Create the indexes that a process did not come to which was killed while it made MySQL's tables.

    A table that is there is passed over with its indexes when the next process goes on.
    """
    if connection.dialect.name == "mysql":
        for table in tables.metadata.sorted_tables:
            for index in table.indexes:
                index.create(connection, checkfirst=True)


def has_version(connection: Connection) -> bool:
    """Tell whether the tables have been made, to the last step."""
    if "alembic_version" not in inspect(connection).get_table_names():
        return False
    return connection.execute(text("SELECT 1 FROM alembic_version")).first() is not None
