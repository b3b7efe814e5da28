"""Migrations of the schema with Alembic: each in one transaction, under a lock, after a backup."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

from mltrack_jupyter.store.sql import on_servers
from mltrack_jupyter.store.sql.database import Database


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring a database to a schema version in one transaction; an SQLite file is copied beside itself first."""
    if database.path and database.path != ":memory:":
        backup(database)
    with database.write() as connection, on_servers.only_one(connection):
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def backup(database: Database) -> Path:
    """Copy an SQLite store beside itself, as ``<name>.before-<time>``, and return the copy's path."""
    from mltrack_jupyter.store.sql.database import now_ms

    target = Path(f"{database.path}.before-{now_ms()}")
    with database.engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("VACUUM INTO ?", (str(target),))
    return target
