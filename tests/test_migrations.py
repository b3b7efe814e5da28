"""The schema: what the tables declare is what the migrations make, and a backup comes first."""

import re
import sqlite3

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.sql import schema
from mltrack_jupyter.store.sql.database import Database
from mltrack_jupyter.store.sql.dialects import dialect_of
from mltrack_jupyter.store.sql.migrations import upgrade
from mltrack_jupyter.store.sql.tables import metadata


def statements(path):
    """Return the SQL of every table and index: its parts, in whatever order and with any blanks."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
        ).fetchall()
    connection.close()
    return {
        name: sorted(
            part.strip(" ,)") for part in re.split(r"CONSTRAINT|\) WITHOUT", " ".join(sql.split()))
        )
        for name, sql in rows
        if not name.startswith("sqlite_")
    }


@pytest.fixture
def migrated(tmp_path):
    """A database that only migrations have touched."""
    database = Database(f"sqlite:///{tmp_path / 'migrated.db'}")
    upgrade(database)
    yield database
    database.close()


def test_migrations_make_what_the_tables_declare(migrated, tmp_path):
    with migrated.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_both_ways_lead_to_the_same_sql(migrated, tmp_path):
    open_store(tmp_path / "created.db").close()
    created, other = statements(tmp_path / "created.db"), statements(migrated.path)
    # Alembic names the key of its own table; nobody else does.
    assert {name: sql for name, sql in created.items() if other.get(name) != sql}.keys() <= {
        "alembic_version"
    }
    assert created.keys() == other.keys()


def test_the_newest_migration_is_the_head_that_the_code_knows(tmp_path):
    folder = schema.__file__.replace("schema.py", "migrations")
    assert ScriptDirectory(folder).get_heads() == [schema.HEAD]
    services = open_store(tmp_path / "x.db")
    assert services.workspace.info().schema_version == schema.HEAD
    services.close()


def test_a_migrated_database_is_a_store(migrated):
    assert schema.read_version(migrated) == schema.HEAD


def test_a_migration_that_fails_changes_nothing(tmp_path):
    path = tmp_path / "x.db"
    open_store(path).close()
    before = statements(path)
    database = Database(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        connection.execute(
            "DELETE FROM alembic_version"
        )  # so that the first one runs into its tables
    connection.close()
    with pytest.raises(Exception, match="already exists"):
        upgrade(database)
    database.close()
    assert statements(path) == before


@pytest.mark.database
@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_on_servers_too_both_ways_lead_to_the_same_tables(kind, database_server_of, tmp_path):
    found = []
    for make in (upgrade, schema.ensure_schema):
        database = Database(database_server_of(kind).new_database())
        with database.write() as connection:
            dialect_of(connection).compare_by_characters(connection)
        make(database)
        with database.read() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            if kind == "postgresql":  # of MySQL, Alembic takes TEXT(4294967295) for no LONGTEXT
                assert compare_metadata(context, metadata) == []
            found.append(columns_of(connection))
        assert schema.read_version(database) == schema.HEAD
        database.close()
    assert found[0] == found[1]


def columns_of(connection):
    """Return the type of every column, with the order of its texts."""
    inspector = inspect(connection)
    return {
        (table, column["name"]): repr(column["type"])
        for table in metadata.tables
        for column in inspector.get_columns(table)
    }


def test_points_of_a_store_from_before_ordinals_keep_everything(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'old.db'}")
    upgrade(database, "0002")
    with database.write() as connection:
        for statement in (
            "INSERT INTO experiments VALUES (1, 'e', '', 'active', 0, 0)",
            "INSERT INTO runs VALUES (1, 'r', 1, '', '', 'FINISHED', 0, 0, '', 'active')",
            "INSERT INTO metric_keys VALUES (1, 'm')",
            "INSERT INTO metrics VALUES (1, 1, 0, 5, 7), (1, 1, 0, 5, 8), (1, 1, 0, 6, 7)",
            "INSERT INTO latest_metrics VALUES (1, 'm', 0, 6, 7, 3.5, 3.5, 4.0, 3)",
        ):
            connection.execute(text(statement))
    upgrade(database)
    with database.read() as connection:
        points = connection.execute(text("SELECT timestamp, ordinal, bits FROM metrics")).all()
        latest = connection.execute(
            text('SELECT ordinal, value, "count" FROM latest_metrics')
        ).all()
        left = inspect(connection).get_table_names()
    assert points == [(5, 0, 7), (5, 0, 8), (6, 0, 7)]
    assert latest == [(0, 3.5, 3)]
    assert not [name for name in left if name.endswith("_0002")]
    database.close()
