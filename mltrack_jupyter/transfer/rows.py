"""Rows of a database whose tables and columns differ from version to version."""

from __future__ import annotations

import sqlite3
from typing import Any

from mltrack_jupyter.errors import StoreUnreadable
from mltrack_jupyter.transfer.reading import UnreadableError


class Rows:
    """Reads whole rows as mappings; a table or column that is absent has no rows and no value."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        found = self._whole("SELECT name FROM sqlite_master WHERE type = 'table'")
        # Names of tables and columns come from the database itself or from this package, never from a user.
        self.tables = {str(row["name"]): self._columns(str(row["name"])) for row in found}

    def _columns(self, table: str) -> set[str]:
        return {str(row["name"]) for row in self._whole(f'PRAGMA table_info("{table}")')}

    def all(self, table: str, order: str) -> list[dict[str, Any]]:
        """Return every row of a table. Raises ``StoreUnreadable``."""
        if table not in self.tables:
            return []
        return self._whole(f'SELECT * FROM "{table}" ORDER BY "{order}"')  # noqa: S608 - our names

    def where(self, table: str, **values: Any) -> list[dict[str, Any]]:
        """Return the rows whose columns have these values. Raises ``UnreadableError``: others may be whole."""
        if not values.keys() <= self.tables.get(table, set()):
            return []
        condition = " AND ".join(f'"{name}" = ?' for name in values)
        query = f'SELECT * FROM "{table}" WHERE {condition} ORDER BY rowid'  # noqa: S608 - our names
        return self._run(query, tuple(values.values()))

    def _whole(self, query: str) -> list[dict[str, Any]]:
        try:
            return self._run(query, ())
        except UnreadableError as error:
            raise StoreUnreadable(f"The database cannot be read: {error}.") from error

    def _run(self, query: str, values: tuple[Any, ...]) -> list[dict[str, Any]]:
        try:
            cursor = self._connection.execute(query, values)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]
        except sqlite3.Error as error:
            raise UnreadableError(f"its rows cannot be read: {error}") from error

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def text(row: dict[str, Any], name: str) -> str:
    """Return a value as text, ``""`` where it is absent."""
    value = row.get(name)
    return "" if value is None else str(value)


def number(row: dict[str, Any], name: str) -> int:
    """Return a value as a whole number, 0 where it is absent. Raises ``UnreadableError``."""
    try:
        return int(row.get(name) or 0)
    except (ValueError, OverflowError) as error:
        raise UnreadableError(f"{name} is no number: {row[name]!r}") from error
