"""Upgrades that are killed at every statement, and several at once: the old schema or the new, and every row."""

import itertools
import multiprocessing
import os
import shutil
import signal
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from mltrack_jupyter.errors import StoreUnreadable, StoreUnwritable
from mltrack_jupyter.store.sql import migrations, schema
from mltrack_jupyter.store.sql.database import Database
from mltrack_jupyter.store.sql.dialects import dialect_of
from mltrack_jupyter.store.sql.migrations import backup, upgrade
from mltrack_jupyter.store.sql.migrations.steps import Steps

EXTRA = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "extra", {head!r}


def upgrade():
    colours = op.create_table("colours", sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=False),
                              sa.Column("name", sa.String(50), nullable=False))
    op.create_index("ix_colours_name", "colours", ["name"])
    op.bulk_insert(colours, [{{"id": 1, "name": "red"}}, {{"id": 2, "name": "blue"}}])
    op.execute("UPDATE colours SET id = id + 10")  # done twice, it would show
    op.add_column("runs", sa.Column("colour", sa.String(50), nullable=False, server_default="none"))
    op.execute("UPDATE runs SET colour = 'blue' WHERE id = 2")
    with op.batch_alter_table("experiments") as batch:  # which every run refers to
        batch.alter_column("name", type_=sa.String(501), existing_type=sa.String(500), existing_nullable=False)
    op.execute("INSERT INTO colours SELECT id + 20, name FROM colours")
    op.drop_index("ix_colours_name", table_name="colours")
"""
SOAK = bool(
    os.environ.get("SOAK")
)  # every statement on servers, too, whose databases take long to make
WRITES = {"CREATE", "ALTER", "DROP", "INSERT", "UPDATE", "DELETE"}
STEPS = [*itertools.pairwise(schema.VERSIONS), (schema.HEAD, "extra")]
KINDS = [
    "sqlite",
    pytest.param("postgresql", marks=pytest.mark.database),
    pytest.param("mysql", marks=pytest.mark.database),
]


@pytest.fixture(autouse=True)
def one_more_revision(tmp_path, monkeypatch):
    """Add to the real revisions one that does everything a revision may do."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "extra.py").write_text(EXTRA.format(head=schema.HEAD))
    monkeypatch.setattr(migrations, "LOCATIONS", [*migrations.LOCATIONS, tmp_path / "more"])


class Place:
    """Where databases of a kind are made, at a schema version and with rows in every table."""

    def __init__(self, kind, folder, server_of):
        self.kind, self.folder = kind, folder
        self.server = None if kind == "sqlite" else server_of(kind)
        self.numbers = itertools.count()
        self.models = {}

    def empty(self):
        if self.server is None:
            return f"sqlite:///{self.folder / f'{next(self.numbers)}.db'}"
        return self.server.new_database()

    def filled(self, version):
        """Return a new database at a version: a copy, where copies are cheap."""
        if version not in self.models:
            self.models[version] = self.make(version)
        if self.kind == "mysql":
            return self.make(version)
        url = self.empty()
        if self.kind == "sqlite":
            shutil.copy(self.models[version].removeprefix("sqlite:///"), url.removeprefix("sqlite:///"))  # fmt: skip
        else:
            new, old = (item.rpartition("/")[2] for item in (url, self.models[version]))
            self.server.execute(f"DROP DATABASE {new}")
            self.server.execute(f"CREATE DATABASE {new} TEMPLATE {old}")
        return url

    def make(self, version):
        url = self.empty()
        with opened(url) as database:
            with database.write() as connection:
                dialect_of(connection).compare_by_characters(connection)
            upgrade(database, version)
            with database.write() as connection:
                fill(connection)
        return url


@pytest.fixture
def place(request, tmp_path):
    kind = request.param
    server_of = None if kind == "sqlite" else request.getfixturevalue("database_server_of")
    return Place(kind, tmp_path, server_of)


class opened(Database):  # noqa: N801 - reads like a function
    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def fill(connection):
    """Write three rows into every table, whatever its columns are."""
    metadata = sa.MetaData()
    metadata.reflect(connection)
    for table in metadata.sorted_tables:
        if table.name != "alembic_version":
            rows = [{column.name: value(column, n) for column in table.columns} for n in (1, 2, 3)]
            connection.execute(table.insert(), rows)


def value(column, number):
    if isinstance(column.type, sa.LargeBinary):
        return bytes([number])
    if isinstance(column.type, sa.Boolean):
        return number == 1
    if isinstance(column.type, sa.String):
        return f"{column.name} é{number}"[: column.type.length]
    return number + 0.5 if isinstance(column.type, sa.Float) else number


def state(database, *, rows=True):
    """Return the version of a database, and its tables with columns, indexes and rows."""
    with database.read() as connection:
        metadata = sa.MetaData()
        metadata.reflect(connection)
        found = {}
        for table in metadata.sorted_tables:
            columns = sorted((column.name, str(column.type)) for column in table.columns)
            indexes = sorted(str(index.name) for index in table.indexes)
            content = connection.execute(table.select()).mappings().all() if rows else []
            said = sorted(repr(sorted(row.items())) for row in content)
            found[table.name] = (columns, indexes, said)
        found.pop("mltrack_migration_steps", None)
        query = sa.text("SELECT version_num FROM alembic_version")
        known = "alembic_version" in found
        return (connection.execute(query).scalar() if known else None), found


def killed_at(count, note, url, work):
    """Do some work in this process, and kill it before its n-th write (or after the n-th note of a step)."""
    left = itertools.count(1)

    def die(word="INSERT"):
        if word.upper() in WRITES and next(left) == count:
            os.kill(os.getpid(), signal.SIGKILL)

    database = Database(url)
    if note:
        real = Steps._note
        Steps._note = lambda self, cursor, sure: (real(self, cursor, sure=sure), die())
    else:
        event.listen(database.engine, "commit", lambda _: die())
        event.listen(
            database.engine, "before_cursor_execute",
            lambda *given: die(given[2].split(None, 1)[0]),
        )  # fmt: skip
    work(database)


def forked(*arguments):
    process = multiprocessing.get_context("fork").Process(target=killed_at, args=arguments)
    process.start()
    process.join(60)
    return process.exitcode


@pytest.mark.parametrize("place", KINDS, indirect=True)
@pytest.mark.parametrize(("old", "new"), STEPS)
def test_an_upgrade_that_is_killed_at_any_statement(place, old, new):
    with opened(place.filled(old)) as database:
        before = state(database)
        upgrade(database, new)
        after = state(database)
    assert (before[0], after[0]) == (old, new)
    for note in (False, True) if place.kind == "mysql" else (False,):
        for count in itertools.count(1, 1 if SOAK or place.kind == "sqlite" else 3):
            url = place.filled(old)
            code = forked(count, note, url, lambda database: upgrade(database, new))
            with opened(url) as database:
                found = state(database)
                if place.kind == "mysql":  # where a change of a table cannot be taken back
                    assert found[0] in (old, new)
                else:
                    assert found in (before, after)
                upgrade(database, new)
                assert state(database) == after
            assert code in (0, -signal.SIGKILL)
            if code == 0:
                break
        assert count > 2
    for copy in place.folder.glob("*.before-*"):
        with opened(f"sqlite:///{copy}") as database:
            copied = state(database)
            # What led to the old schema was copied, too.
            assert copied == before or copied[0] < old


@pytest.mark.parametrize("place", KINDS, indirect=True)
def test_making_the_tables_is_killed_and_taken_up_again(place):
    with opened(place.empty()) as database:
        schema.ensure_schema(database)
        wanted = state(database, rows=False)
    for count in itertools.count(1, 1 if SOAK else 7):
        url = place.empty()
        code = forked(count, False, url, schema.ensure_schema)
        with opened(url) as database:
            schema.ensure_schema(database)
            assert state(database, rows=False) == wanted
            with database.read() as connection:
                query = sa.text("SELECT count(*) FROM experiments WHERE name = 'Default'")
                assert connection.execute(query).scalar() == 1
        assert code in (0, -signal.SIGKILL)
        if code == 0 or place.kind == "sqlite":  # a file is made elsewhere, and whole
            break


@pytest.mark.parametrize("place", KINDS, indirect=True)
def test_of_several_processes_one_upgrades(place):
    with opened(place.filled(schema.HEAD)) as database:
        upgrade(database)
        after = state(database)
    url = place.filled(schema.HEAD)
    context = multiprocessing.get_context("fork")
    meet = context.Barrier(6)

    def work():
        with opened(url) as database:
            meet.wait(30)
            upgrade(database)

    processes = [context.Process(target=work) for _ in range(6)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 6
    with opened(url) as database:
        assert state(database) == after
    if place.kind == "sqlite":
        assert len(list(place.folder.glob(f"{Path(url).name}.before-*"))) == 1


@pytest.fixture
def store(tmp_path):
    """An SQLite store with rows, one revision behind."""
    return Place("sqlite", tmp_path, None).filled(schema.HEAD)


def test_nothing_to_do_makes_no_copy(store, tmp_path):
    copies = len(list(tmp_path.glob("*.before-*")))
    with opened(store) as database:
        assert upgrade(database) is not None
        assert upgrade(database) is None
        assert upgrade(database, schema.HEAD) is None  # nothing is downgraded
        assert state(database)[0] == "extra"
    assert len(list(tmp_path.glob("*.before-*"))) == copies + 1


def test_without_a_copy_nothing_is_upgraded(store, tmp_path, monkeypatch):
    monkeypatch.setattr(migrations, "now_ms", lambda: "1")
    (tmp_path / f"{Path(store).name}.before-1").mkdir()  # in the way
    with opened(store) as database:
        before = state(database)
        with pytest.raises(StoreUnwritable, match="cannot be copied to"):
            upgrade(database)
        assert state(database) == before


def test_a_copy_has_its_name_when_it_is_whole(store, tmp_path):
    Path(store.removeprefix("sqlite:///")).chmod(0o640)
    with opened(store) as database:
        copy = backup(database, tmp_path / "copies" / "a.db")
        assert copy.stat().st_mode & 0o777 == 0o640
        with opened(f"sqlite:///{copy}") as other:
            assert state(other) == state(database)
    assert os.listdir(tmp_path / "copies") == ["a.db"]


def test_a_migration_that_would_leave_rows_without_what_they_name(store, tmp_path):
    (tmp_path / "more" / "extra.py").write_text(
        f'from alembic import op\nrevision, down_revision = "extra", {schema.HEAD!r}\n'
        'def upgrade():\n    op.execute("DELETE FROM experiments WHERE id = 2")\n'
    )
    with opened(store) as database:
        before = state(database)
        with pytest.raises(StoreUnreadable, match="left as it was"):
            upgrade(database)
        assert state(database) == before
        with pytest.raises(Exception, match="FOREIGN KEY"), database.write() as connection:
            connection.execute(
                sa.text("UPDATE runs SET experiment = 99")
            )  # and they are followed again


def test_a_store_in_use_is_upgraded_whole(store):
    """A reader in another process sees the schema before or after, and is not in the way."""
    reader = sqlite3.connect(store.removeprefix("sqlite:///"), isolation_level=None)
    reader.execute("PRAGMA journal_mode=WAL")
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM runs").fetchone() == (3,)
    with opened(store) as database:
        upgrade(database)
    with pytest.raises(sqlite3.OperationalError, match="no such column"):
        reader.execute("SELECT colour FROM runs")
    reader.execute("COMMIT")
    assert reader.execute("SELECT colour FROM runs WHERE id = 2").fetchone() == ("blue",)
    reader.close()
