"""Making and opening a database: created whole or not at all, checked for its schema's version."""

from __future__ import annotations

import logging
import os
import sqlite3
import tempfile
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from mltrack_jupyter.errors import MltrackError, StoreUnreadable, StoreUnwritable
from mltrack_jupyter.store.read_only import may
from mltrack_jupyter.store.rights import give_rights, make_folder
from mltrack_jupyter.store.sql import tables
from mltrack_jupyter.store.sql.database import Database, now_ms
from mltrack_jupyter.store.sql.dialects import dialect_of
from mltrack_jupyter.store.sql.upserts import upsert
from mltrack_jupyter.store.uri import StoreUri

_log = logging.getLogger(__name__)
_FOLDER = Path(__file__).parent / "migrations" / "versions"
# By the names of the files: Alembic, which would tell, costs more than opening a store may.
VERSIONS = tuple(sorted(name[:4] for name in os.listdir(_FOLDER) if name[:4].isdigit()))
"""Every schema version that this package knows, oldest first."""
HEAD = VERSIONS[-1]
"""The newest schema version."""
DEFAULT_LOCATION = "mlflow-artifacts:/0"


def open_schema(database: Database, location: str) -> None:
    """Do what :func:`ensure_schema` does, now and whenever the file of the database is another one."""

    def renew() -> None:
        _log.warning(
            "mltrack: %s was deleted or replaced while it was open. What comes from now on goes into the "
            "store that is there now.",
            database.place,
        )
        database.close()
        database.newer_schema = database.only_read = ""
        database.access.look()
        ensure_schema(database, location)

    ensure_schema(database, location)
    database.file.watch(renew)


def ensure_schema(database: Database, location: str = DEFAULT_LOCATION) -> None:
    """Bring a database to the newest schema, creating it if it is new. Several processes may call it.

    ``location`` is where the artifacts of the experiment ``Default`` go if it is made now. A database with
    a newer schema is left as it is, and may only be read. Raises ``StoreUnreadable``.
    """
    path = database.path
    if path and not os.path.exists(path):
        create_file(Path(path), location)
    found = read_version(database)
    if found == "":
        database.check_writable()
        with database.write() as connection, database.dialect.only_one(connection):
            if not _has_version(connection):
                create_tables(connection, location)
        found = read_version(database)
    if found == HEAD:
        database.access.say()
        return
    if found not in VERSIONS:
        database.newer_schema = found
        database.only_read = too_new(database, found)
        _log.warning("%s Until then the store can only be read.", database.only_read)
        return
    from mltrack_jupyter.store.sql.migrations import upgrade

    if database.access.reason:  # it stays as it is
        database.access.read_from_copy(_upgrade_copy)
        database.access.say()
        return
    upgrade(database)


def _upgrade_copy(path: Path) -> None:
    from mltrack_jupyter.store.sql.migrations import upgrade

    copy = Database(StoreUri.of_file(path).text)
    try:
        upgrade(copy)
    finally:
        copy.close()


def too_new(database: Database, found: str) -> str:
    """Return what to say of a database that a newer version of this package wrote."""
    return (
        f"{database.place} has the schema {found!r}, which is newer than this package knows "
        f"(up to {HEAD!r}): pip install --upgrade mltrack-jupyter."
    )


def create_file(path: Path, location: str = DEFAULT_LOCATION) -> None:
    """Create an SQLite store whole in a temporary file, then give it its name.

    So no process ever sees half of it; the loser of a race uses the winner's.
    """
    try:
        make_folder(path.parent)
        handle, name = tempfile.mkstemp(prefix=".new-", suffix=".db", dir=path.parent)
    except OSError as error:
        raise _uncreated(path, error) from error
    give_rights(handle, path.parent)
    os.close(handle)
    fresh = Path(name)
    try:
        database = Database(StoreUri.of_file(fresh).text)
        try:
            with database.write() as connection:
                create_tables(connection, location)
        finally:
            database.close()
        _use_wal(fresh)
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            if not path.exists():
                os.replace(fresh, path)
    except (OSError, sqlite3.Error) as error:
        raise _uncreated(path, error) from error
    finally:
        for left in path.parent.glob(f"{fresh.name}*"):
            left.unlink(missing_ok=True)


def _uncreated(path: Path, error: OSError | sqlite3.Error) -> MltrackError:
    reason = getattr(error, "strerror", None) or error
    closed = next(
        (item for item in reversed(path.parents) if not may(os.fspath(item), os.X_OK)), None
    )
    if isinstance(error, PermissionError) and closed is not None:
        # There may be one: only nobody can see it from here.
        return StoreUnreadable(
            f"{path} cannot be reached: you may not enter {closed} ({reason}). Is it another user's?"
        )
    return StoreUnwritable(
        f"No store can be created in {path.parent}: {reason}. Choose a folder that you can write with "
        "set_tracking_uri(...) or MLTRACK_TRACKING_URI."
    )


def _use_wal(path: Path) -> None:
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()


def create_tables(connection: Connection, location: str = DEFAULT_LOCATION) -> None:
    """Create every table at the newest schema, and the experiment ``Default`` with the id 0.

    The version comes last: where a table cannot be taken back (MySQL), the next process goes on from here.
    """
    dialect = dialect_of(connection)
    dialect.compare_by_characters(connection)
    tables.metadata.create_all(connection)
    dialect.create_missing_indexes(connection, tables.metadata)
    now = now_ms()
    default = {
        "id": 0,
        "name": "Default",
        "artifact_location": location,
        "lifecycle_stage": "active",
        "creation_time": now,
        "last_update_time": now,
    }
    upsert(connection, tables.experiments, [default], replace=False)
    if "alembic_version" not in inspect(connection).get_table_names():
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
    connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})


def read_version(database: Database) -> str:
    """Return the schema version of a database, ``""`` if it has no tables yet."""
    with database.read() as connection:
        names = inspect(connection).get_table_names()
        if "alembic_version" in names and "changes" in names:
            version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            if version is not None:
                return str(version)
    if names and (database.dialect.is_file or not _is_unfinished(names)):
        raise StoreUnreadable(
            f"{database.place} is a database, but none of mltrack_jupyter's "
            f"(it has the tables {', '.join(sorted(names)[:5])}). Choose another file."
        )
    return ""


def _is_unfinished(names: list[str]) -> bool:
    """Tell whether the tables of a database are the beginning of a store, or none."""
    return set(names) <= {*tables.metadata.tables, "alembic_version"}


def _has_version(connection: Connection) -> bool:
    """Tell whether the tables have been made, to the last step."""
    if "alembic_version" not in inspect(connection).get_table_names():
        return False
    return connection.execute(text("SELECT 1 FROM alembic_version")).first() is not None
