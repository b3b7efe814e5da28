"""Stores that cannot be used: each says what is wrong, in one of our errors, and nothing is changed."""

import os
import sqlite3
import subprocess
import sys

import pytest
from sqlalchemy import exc as sa_exc

from mltrack_jupyter.errors import (
    InvalidParameter,
    MltrackError,
    ServerUnreachable,
    StoreTooNew,
    StoreUnreadable,
    StoreUnwritable,
    Unauthenticated,
    Unavailable,
)
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.sql.failures import translate
from mltrack_jupyter.testing.making import new_run, put


def text(path):
    path.write_text("# My notes\n" * 1000)


def binary(path):
    path.write_bytes(os.urandom(20_000))


def beginning(path):
    path.write_bytes(b"SQLite format 3\x00" + bytes(100))


def foreign(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE moz_places (id INTEGER)")
    connection.close()


def mlflow_store(path):
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE experiments (experiment_id INTEGER)")
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('abc')")
    connection.close()


def without_version(path):
    open_store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM alembic_version")
    connection.close()


def half_truncated(path):
    services = open_store(path)
    for _ in range(30):
        new_run(services, params={f"p{i}": "x" * 200 for i in range(50)})
    services.close()
    os.truncate(path, path.stat().st_size // 3)


@pytest.mark.parametrize(
    "spoil", [text, binary, beginning, foreign, mlflow_store, without_version, half_truncated]
)
def test_what_is_none_of_our_stores_is_not_touched(tmp_path, spoil):
    path = tmp_path / "x.db"
    spoil(path)
    before = path.read_bytes()
    with pytest.raises(StoreUnreadable) as caught:  # noqa: PT012 - a torn store may open
        services = open_store(path)
        try:
            services.runs.search(["0", *map(str, range(1, 40))])
        finally:
            services.close()
    assert str(path) in str(caught.value)
    assert path.read_bytes() == before


NEWER = "pip install --upgrade mltrack-jupyter"


@pytest.fixture
def newer(tmp_path):
    """A store that a later version of this package has changed; and a run in it."""
    services = open_store(tmp_path / "x.db")
    run_id = new_run(services, params={"kept": "yes"}).info.run_id
    services.close()
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("ALTER TABLE runs ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'")
        connection.execute("ALTER TABLE registered_models RENAME COLUMN description TO prose")
    connection.close()
    return tmp_path / "x.db", run_id


def test_a_store_of_a_newer_version_is_only_read(newer, caplog):
    path, run_id = newer
    before = path.read_bytes()
    services = open_store(path)
    assert NEWER in caplog.text
    assert services.runs.get(run_id).data.params == {"kept": "yes"}
    assert services.workspace.info().schema_version == "9999"
    for write in (
        lambda: services.runs.log_metric(run_id, "m", 1.0, 0),
        lambda: services.runs.create("0"),
        lambda: services.experiments.create("new"),
        lambda: services.workspace.purge(run_ids=[run_id]),
    ):
        with pytest.raises(StoreTooNew, match=NEWER):
            write()
    with pytest.raises(StoreTooNew, match="This cannot be read") as caught:
        services.registered_models.search()
    assert "SELECT" not in str(caught.value)
    services.close()
    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_store(tmp_path):
    (tmp_path / "x.db").touch()
    services = open_store(tmp_path / "x.db")
    assert services.experiments.get("0").name == "Default"
    services.close()


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("a file")
    with pytest.raises(StoreUnwritable, match="set_tracking_uri"):
        open_store(tmp_path / "file" / "below")


def test_a_folder_where_the_file_should_be(tmp_path):
    (tmp_path / "x.db").mkdir()
    with pytest.raises(StoreUnwritable, match="cannot be opened"):
        open_store(tmp_path / "x.db")


def test_a_file_that_one_may_not_read(tmp_path, monkeypatch):
    """Root may read everything, so both are played: SQLite's refusal, and the right that is missing."""
    path = tmp_path / "x.db"
    path.touch()
    with pytest.raises(sqlite3.OperationalError) as refused:
        sqlite3.connect(tmp_path)  # a folder
    error = sa_exc.OperationalError("", {}, refused.value)
    assert "its folder must exist" in translate(error, str(path)).message
    monkeypatch.setattr(os, "access", lambda *_: False)
    found = translate(error, str(path))
    assert isinstance(found, StoreUnwritable)
    assert "may not read this file" in found.message


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SQLITE_NOTADB", StoreUnreadable),
        ("SQLITE_CORRUPT_VTAB", StoreUnreadable),
        ("SQLITE_FULL", StoreUnwritable),
        ("SQLITE_IOERR_WRITE", StoreUnwritable),
        ("SQLITE_READONLY_DBMOVED", StoreUnwritable),
        ("SQLITE_CANTOPEN_ISDIR", StoreUnwritable),
        ("SQLITE_BUSY_SNAPSHOT", Unavailable),
        ("SQLITE_LOCKED_SHAREDCACHE", Unavailable),
    ],
)
@pytest.mark.parametrize("said", ["geht nicht", "database is locked: malformed, disk is full"])
def test_the_kind_of_an_error_is_told_by_its_name_and_not_by_its_text(name, expected, said):
    raised = sqlite3.OperationalError(said)
    raised.sqlite_errorname = name
    assert type(translate(sa_exc.OperationalError("", {}, raised), "/d/x.db")) is expected


FULL = """
import resource, sys
from pathlib import Path
from mltrack_jupyter.errors import StoreUnwritable
from mltrack_jupyter.store import open_store
from mltrack_jupyter.testing.making import new_run, put
import mltrack_jupyter.store.sql

folder = Path(sys.argv[1])
new = sys.argv[2] == "new"
if not new:
    services = open_store(folder)
    run_id = new_run(services, params={"kept": "yes"}).info.run_id
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << (14 if new else 20), resource.RLIM_INFINITY))
try:
    if new:
        open_store(folder)
    for index in range(100_000):
        services.runs.log_param(run_id, f"p{index}", "x" * 10_000)
except StoreUnwritable as error:
    print(error)
if not new:
    try:
        put(services, "0/large", bytes(4_000_000))
    except StoreUnwritable as error:
        print(error)
    print(services.runs.get(run_id).data.params["kept"], services.artifact_files.list("0").files)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits on files")
@pytest.mark.parametrize("state", ["new", "used"])
def test_a_disk_that_is_full(tmp_path, state):
    (tmp_path / "full.py").write_text(FULL)
    done = subprocess.run(
        [sys.executable, tmp_path / "full.py", tmp_path / "store", state],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert "cannot be written" in said[0] or "disk is full" in said[0]
    if state == "new":
        assert os.listdir(tmp_path / "store") == []
        return
    assert "large" in said[1]
    assert said[2] == "yes []"
    services = open_store(tmp_path / "store")
    (run,) = services.runs.search(["0", "1"])
    assert run.data.params["kept"] == "yes"
    services.close()


def test_artifacts_below_a_file_cannot_be_written(store, tmp_path):
    (tmp_path / ".mltrack" / "artifacts").write_text("a file")
    with pytest.raises(MltrackError):
        put(store, "0/x")


@pytest.mark.parametrize(
    "uri",
    ["sqlite://user@/x", "postgresql+nothing://host/db", "postgresql+psycopg://host:port/db"],
)
def test_a_url_that_cannot_be_right(uri):
    with pytest.raises(InvalidParameter):
        open_store(uri)


def test_a_server_that_is_not_there(environment):
    services = open_store("http://user:secret@127.0.0.1:1/mltrack")
    with pytest.raises(ServerUnreachable, match="Is it running") as caught:
        services.experiments.get("0")
    assert "secret" not in str(caught.value)
    services.close()


def test_a_server_that_refuses(server, environment):
    environment.setenv("MLTRACK_TRACKING_TOKEN", "wrong")
    services = open_store(server.tracking_uri)
    with pytest.raises(Unauthenticated, match="MLTRACK_TRACKING_TOKEN"):
        services.experiments.get("0")
    services.close()


@pytest.mark.parametrize("variable", ["MLTRACK_TRACKING_TOKEN", "MLFLOW_TRACKING_TOKEN"])
def test_the_environment_has_the_token(server, environment, variable):
    environment.setenv(variable, server.token)
    services = open_store(server.tracking_uri)
    assert services.experiments.get("0").name == "Default"
    services.close()


def test_or_a_user_and_a_password(server, environment):
    environment.setenv("MLFLOW_TRACKING_USERNAME", "ada")
    environment.setenv("MLFLOW_TRACKING_PASSWORD", server.token)
    services = open_store(server.tracking_uri)
    assert services.experiments.get("0").name == "Default"
    services.close()
