"""What is particular to each kind of database: one object a kind, which has no state.

Nobody else asks what kind a database is; they ask what it does, of the object that :func:`dialect_of` returns.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine

from mltrack_jupyter.store.sql.dialects.base import BUSY_SECONDS, Dialect
from mltrack_jupyter.store.sql.dialects.servers import MySql, PostgreSql
from mltrack_jupyter.store.sql.dialects.sqlite import Sqlite

__all__ = ["BUSY_SECONDS", "DIALECTS", "Dialect", "dialect_of"]

DIALECTS: dict[str, Dialect] = {found.name: found for found in (Sqlite(), PostgreSql(), MySql())}
"""The kinds by the names that SQLAlchemy gives them."""


def dialect_of(bind: Connection | Engine) -> Dialect:
    """Return what is particular to the database behind a connection. It costs a look into a dictionary."""
    return DIALECTS[bind.dialect.name]
