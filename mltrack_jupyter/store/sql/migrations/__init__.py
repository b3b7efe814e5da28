"""Migrations of the schema with Alembic: each in one transaction, under a lock, after a backup."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import nullcontext, suppress
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from mltrack_jupyter.errors import StoreUnreadable, StoreUnwritable
from mltrack_jupyter.store.rights import make_folder
from mltrack_jupyter.store.sql.database import Database, now_ms
from mltrack_jupyter.store.sql.migrations.steps import Steps, forget_steps

LOCATIONS = [Path(__file__).parent / "versions"]
"""The folders of the revisions."""


def upgrade(database: Database, revision: str = "head") -> Path | None:
    """Bring a database to a schema version, revision by revision; return the copy made before.

    Every revision is a transaction of its own: whoever is killed leaves the schema before or after one.
    (MySQL cannot take back a change of a table; there the next process goes on where this one stopped.)
    Of several processes one does it, the others wait. An SQLite file is copied beside itself first, if
    there is anything to do. Nothing is ever downgraded.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("version_locations", os.pathsep.join(map(str, LOCATIONS)))
    for name in ("path_separator", "version_path_separator"):  # the second before Alembic 1.16
        config.set_main_option(name, "os")
    script = ScriptDirectory.from_config(config)
    wanted = [item.revision for item in script.walk_revisions("base", revision)][::-1]
    takes_back = database.dialect.takes_tables_back
    copy: Path | None = None
    while True:
        with database.write(references=False) as connection, database.dialect.only_one(connection):
            found = MigrationContext.configure(connection).get_current_revision()
            following = _after(found, wanted)
            if following is None:
                if not takes_back:
                    forget_steps(connection)
                return copy
            if copy is None and found and database.path:
                copy = backup(database)
            config.attributes["connection"] = connection
            with nullcontext() if takes_back else Steps(connection, following):
                command.upgrade(config, following)
            _check_references(database, connection)


def _after(found: str | None, wanted: list[str]) -> str | None:
    if found is None:
        return wanted[0]
    position = wanted.index(found) + 1 if found in wanted else len(wanted)
    return wanted[position] if position < len(wanted) else None


def _check_references(database: Database, connection: Connection) -> None:
    """Refuse a migration after which more rows than before refer to what is not there."""
    query = text("PRAGMA foreign_key_check")
    if not database.dialect.is_file or not (now := len(connection.execute(query).all())):
        return
    before = 0
    if database.path:
        with database.read() as committed:
            before = len(committed.execute(query).all())
    if now > before:
        raise StoreUnreadable(
            f"The schema of {database.place} is left as it was: upgraded, {now - before} of its rows would "
            "refer to what is not there. Please report this."
        )


def backup(database: Database, target: Path | None = None) -> Path:
    """Copy an SQLite store while others use it; return the copy's path.

    It has its name when it is whole. Without ``target`` it goes beside the store, as
    ``<name>.before-<time>``. Raises ``StoreUnwritable``.
    """
    target = target or Path(f"{database.path}.before-{now_ms()}")
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        make_folder(target.parent)
        # Who may not read the store may not read its copy, at no moment.
        os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with database.engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.execute("VACUUM INTO ?", (str(unfinished),))
        with unfinished.open("rb+") as file:
            os.fsync(file.fileno())
        shutil.copymode(database.path, unfinished)
        unfinished.replace(target)
    except (sqlite3.Error, OSError) as error:
        with suppress(OSError):
            unfinished.unlink()
        raise StoreUnwritable(
            f"{database.place} cannot be copied to {target}: {error}. Nothing was changed."
        ) from error
    return target
