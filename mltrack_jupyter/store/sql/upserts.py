"""Writing rows that may be there already: one statement for each kind of database, built once for a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Any

from sqlalchemy import Connection, Dialect, Table, insert

from mltrack_jupyter.store.sql.dialects import DIALECTS

_SIZES = (500, 50, 1)
"""How many rows a statement writes: many cost half of what they cost one by one.

Always one of these, so that SQLite's driver knows the statement: to read a new one takes as long as to write its
rows.
"""


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
    names = tuple(rows[0])
    return upsert_columns(
        connection, table, names, [[row[name] for row in rows] for name in names], replace=replace
    )


def upsert_columns(
    connection: Connection,
    table: Table,
    names: tuple[str, ...],
    columns: Sequence[Sequence[Any]],
    *,
    replace: bool = True,
) -> int:
    """Do what :func:`upsert` does with rows that are given as columns of these names."""
    if not columns or not columns[0]:
        return 0
    if not _is_plain(connection.dialect, table, names):
        statement = _upsert(connection.dialect.name, table, names, replace)
        rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
        return connection.execute(statement, rows).rowcount
    # No object is made for each row.
    width = len(names)
    values: list[Any] = [None] * (width * len(columns[0]))
    for place, index in enumerate(_order(table, names)):
        values[place::width] = columns[index]
    begin, written = 0, 0
    for count in _SIZES:
        size = width * count
        end = len(values) - (len(values) - begin) % size
        if some := [tuple(values[first : first + size]) for first in range(begin, end, size)]:
            statement = _upsert_many(table, names, count, replace)
            done = connection.exec_driver_sql(
                statement, some, execution_options={"preserve_rowcount": True}
            )
            written += done.rowcount
        begin = end
    return written


@lru_cache(maxsize=100)
def _is_plain(dialect: Dialect, table: Table, columns: tuple[str, ...]) -> bool:
    """Tell whether rows of these columns may go to SQLite's driver as they are."""
    if not DIALECTS[dialect.name].is_file:
        return False
    types = (table.c[name].type.dialect_impl(dialect) for name in columns)
    return all(kind.bind_processor(dialect) is None for kind in types)


@lru_cache(maxsize=100)
def _order(table: Table, names: tuple[str, ...]) -> list[int]:
    """Return the places of columns among these names in the order of the table, as statements have them."""
    return [names.index(column.name) for column in table.columns if column.name in names]


@lru_cache(maxsize=100)
def _upsert_many(table: Table, names: tuple[str, ...], count: int, replace: bool) -> str:
    begin, row, end = _upsert_one(table, names, replace)
    return begin + ", ".join([row] * count) + end


@lru_cache(maxsize=100)
def _upsert_one(table: Table, names: tuple[str, ...], replace: bool) -> tuple[str, str, str]:
    """Return SQLAlchemy's statement for one row in three parts, the middle one being the row."""
    from sqlalchemy.dialects import sqlite

    compiled = _upsert("sqlite", table, names, replace).compile(
        dialect=sqlite.dialect(), column_keys=list(names)
    )
    one = str(compiled)
    row = f"({', '.join('?' * len(names))})"
    begin, values, end = one.partition(f"VALUES {row}")
    assert values, one
    return f"{begin}VALUES ", row, end


@lru_cache(maxsize=100)
def _upsert(dialect: str, table: Table, columns: tuple[str, ...], replace: bool) -> Any:
    # Only the dialect in use is imported: the others cost a tenth of a second at every start.
    # `inline`: nobody asks what the database gave the columns that are left to it.
    into = import_module(f"sqlalchemy.dialects.{dialect}").insert(table).inline()
    statement = DIALECTS[dialect].upsert(into, table, columns, replace=replace)
    # Otherwise the number is asked of a cursor that is closed, which only SQLite's still knows.
    return statement.execution_options(preserve_rowcount=True)
