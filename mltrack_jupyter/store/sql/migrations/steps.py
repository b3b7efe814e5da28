"""Migrations on MySQL, which cannot take back a change of a table: steps that are counted.

Before a statement that changes tables, its number in the revision is noted, and MySQL commits the note as
it begins with the statement. Rows that are written are noted in the same transaction. So whoever comes after
a crash knows what was done, passes over it, and goes on; only one statement may have been done or not, and
of that one "there already" is no error. For this a revision has to issue the same statements every time: no
question to the database may decide which.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

from sqlalchemy import Connection, event, text

_BEGIN = (
    """CREATE TABLE IF NOT EXISTS mltrack_migration_steps
    (revision VARCHAR(32) PRIMARY KEY, step INTEGER NOT NULL, sure INTEGER NOT NULL)""",
    "CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL)",
)
_READ = "SELECT step, sure FROM mltrack_migration_steps WHERE revision = :revision"
_NOTE = "REPLACE INTO mltrack_migration_steps VALUES (%s, %s, %s)"
_END = "DROP TABLE IF EXISTS mltrack_migration_steps"
_CHANGES_TABLES = ("CREATE", "ALTER", "DROP", "RENAME", "TRUNCATE")
_WRITES_ROWS = ("INSERT", "UPDATE", "DELETE", "REPLACE")
# A table, column, key or constraint is there already, or is already gone.
_DONE = {1005, 1022, 1050, 1051, 1054, 1060, 1061, 1068, 1091, 1146, 1826}


class Steps:
    """Counts the statements of one revision on one connection, and passes over those that are done."""

    def __init__(self, connection: Connection, revision: str) -> None:
        self._connection = connection
        self._revision = revision
        self._count = 0
        self._reached, self._is_sure = 0, True

    def __enter__(self) -> None:
        for statement in _BEGIN:
            self._connection.execute(text(statement))
        row = self._connection.execute(text(_READ), {"revision": self._revision}).first()
        if row is not None:
            self._reached, self._is_sure = row.step, bool(row.sure)
        for name in ("do_execute", "do_executemany"):
            event.listen(self._connection.engine, name, getattr(self, name))

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        for name in ("do_execute", "do_executemany"):
            event.remove(self._connection.engine, name, getattr(self, name))

    def do_execute(self, cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
        """Execute a statement; ``False`` leaves it to SQLAlchemy."""
        return self._do(cursor, statement, parameters, context, cursor.execute)

    def do_executemany(self, cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
        """Execute a statement with many rows."""
        return self._do(cursor, statement, parameters, context, cursor.executemany)

    def _do(self, cursor: Any, statement: str, parameters: Any, context: Any, execute: Any) -> bool:
        word = statement.split(None, 1)[0].upper()
        changes_tables = word in _CHANGES_TABLES
        if context.root_connection is not self._connection:
            return False
        if not changes_tables and word not in _WRITES_ROWS:
            return False
        self._count += 1
        if self._count < self._reached or (self._count == self._reached and self._is_sure):
            return True
        if not changes_tables:
            execute(statement, parameters)
            self._note(cursor, sure=True)
            return True
        self._note(cursor, sure=False)
        try:
            execute(statement, parameters)
        except cursor.connection.Error as error:
            if self._count != self._reached or error.args[0] not in _DONE:
                raise
        return True

    def _note(self, cursor: Any, *, sure: bool) -> None:
        with cursor.connection.cursor() as own:  # Alembic asks the other one how many rows it wrote
            values = (self._revision, self._count, int(sure))
            own.execute(_NOTE, values)


def forget_steps(connection: Connection) -> None:
    """Remove the notes when everything is done."""
    connection.execute(text(_END))
