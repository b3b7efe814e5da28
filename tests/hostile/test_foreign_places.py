"""Somebody's database names places: none of the reader's is followed, and nothing in or beside it is changed."""

import contextlib
import hashlib
import io
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import mltrack_jupyter as mltrack
from mltrack_jupyter.cli import main
from mltrack_jupyter.errors import InvalidParameter, MltrackError, StoreUnreadable
from mltrack_jupyter.store import open_store
from mltrack_jupyter.transfer import Report, open_source, write_archive
from mltrack_jupyter.transfer.report import Progress

GOOD, BAD = "g" * 32, "b" * 32
SECRET = "PRIVATE-KEY"
pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def home(tmp_path):
    """What the reader has, beside what is imported."""
    place = tmp_path / "home" / ".ssh"
    place.mkdir(parents=True)
    (place / "id_rsa").write_text(SECRET)
    return place


def leaked(folder):
    return [
        path for path in folder.rglob("*") if path.is_file() and SECRET in path.read_text("latin-1")
    ]


# --- places that a database names -------------------------------------------------------------------


@pytest.fixture
def mltrack_store(tmp_path):
    """A store of somebody, with a run that has a file."""
    folder = tmp_path / "theirs" / ".mltrack"
    services = open_store(folder)
    run = services.transfer.register_run(run_id=GOOD).info
    services.files_at(run.artifact_uri, GOOD).write("f", io.BytesIO(b"x"))
    services.transfer.register_run(run_id=BAD)
    services.close()
    return folder


MLFLOW = """
CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name TEXT, artifact_location TEXT, lifecycle_stage TEXT);
CREATE TABLE runs (run_uuid TEXT PRIMARY KEY, name TEXT, status TEXT, start_time INTEGER, end_time INTEGER,
                   experiment_id INTEGER, artifact_uri TEXT, lifecycle_stage TEXT);
CREATE TABLE metrics (key TEXT, value REAL, timestamp INTEGER, run_uuid TEXT, step INTEGER, is_nan INTEGER);
INSERT INTO experiments VALUES (1, 'e', '', 'active');
"""


@pytest.fixture
def mlflow_database(tmp_path):
    """A database of MLflow's with ``mlruns`` beside it, named by absolute paths, as it is."""
    place = tmp_path / "theirs" / "mlflow.db"
    place.parent.mkdir()
    files = place.parent / "mlruns" / "1" / GOOD / "artifacts"
    files.mkdir(parents=True)
    (files / "f").write_text("x")
    database = sqlite3.connect(place)
    database.executescript(MLFLOW)
    for run_id, uri in ((GOOD, str(files)), (BAD, "")):
        row = (run_id, "x", "FINISHED", 1, 2, 1, uri, "active")
        database.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    database.commit()
    database.close()
    return place


def point_at(source, uri):
    path = source / "mltrack.db" if source.is_dir() else source
    column = "run_id" if source.is_dir() else "run_uuid"
    with sqlite3.connect(path) as database:
        database.execute(f"UPDATE runs SET artifact_uri = ? WHERE {column} = ?", (uri, BAD))
    database.close()


SPELLINGS = {
    "absolute": lambda home, theirs: str(home),
    "a file: URI": lambda home, theirs: home.as_uri(),
    "up": lambda home, theirs: f"{theirs}/artifacts/../../../home/.ssh",
    "up, shaped as a run's": lambda home, theirs: f"{theirs}/x/../../home/.ssh/{BAD}/artifacts",
    "up from our own root": lambda home, theirs: "mlflow-artifacts:/../../../home/.ssh",
    "relative": lambda home, theirs: "../home/.ssh",
    "a link in its folder": lambda home, theirs: link(theirs / "mlruns" / "1" / BAD / "artifacts", home),
    "a link in the root": lambda home, theirs: link(theirs / "artifacts" / BAD / "artifacts", home),
    "a link above": lambda home, theirs: link(theirs / "artifacts" / "l", home) + f"/{BAD}/artifacts",
    "shaped as a run's": lambda home, theirs: shaped(home),
}  # fmt: skip


def link(place, to):
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(to)
    return str(place)


def shaped(home):
    place = home / BAD / "artifacts"
    place.mkdir(parents=True)
    (place / "id_rsa").write_text(SECRET)
    return str(place)


def state(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


@pytest.mark.parametrize("way", ["import", "export"])
@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("kind", ["mltrack_store", "mlflow_database"])
def test_a_row_leads_to_nothing_of_the_readers(
    request, tmp_path, home, into, kind, spelling, way, bring
):
    source = request.getfixturevalue(kind)
    theirs = source if source.is_dir() else source.parent
    point_at(source, SPELLINGS[spelling](home, theirs))
    before = state(theirs)
    if way == "import":
        bring(source, into)
        assert into.run_artifacts.list(BAD).files == []
        assert [item.path for item in into.run_artifacts.list(GOOD).files] == ["f"]
    else:
        report, opened = Report(), open_source(str(source))
        write_archive(opened, tmp_path / "target" / "out", report, Progress(report))
        opened.close()
        assert report.there["runs"] == 2
    assert leaked(tmp_path / "target") == []
    assert state(theirs) == before


@pytest.mark.parametrize("kind", ["mltrack_store", "mlflow_database"])
def test_a_folder_that_the_user_names_is_read(request, home, into, kind, capsys, tmp_path, bring):
    source = request.getfixturevalue(kind)
    point_at(source, shaped(home))
    option = ["--into", str(tmp_path / "other" / ".mltrack")]
    assert main(["import", str(source), *option]) == 1
    said = capsys.readouterr().err
    assert f"left out: run {BAD}: its files are not copied" in said
    line = said.partition("--artifacts ")[2].split("\n")[0].strip()
    assert main(["import", str(source), *option, "--artifacts", line]) == 0
    bring(source, into, artifacts=[home])
    assert [item.path for item in into.run_artifacts.list(BAD).files] == ["id_rsa"]


@pytest.mark.parametrize("state_of_it", ["closed", "open", "killed"])
def test_a_source_is_the_same_afterwards(mltrack_store, into, state_of_it, bring):
    path = mltrack_store / "mltrack.db"
    if state_of_it != "closed":
        code = (
            "import sqlite3, sys, os\nd = sqlite3.connect(sys.argv[1])\n"
            "d.execute(\"UPDATE runs SET name = 'late'\")\nd.commit()\n"
            "print(1, flush=True)\nsys.stdin.read(1)\nos._exit(9)"
        )
        child = subprocess.Popen(
            [sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        child.stdout.readline()
        if state_of_it == "killed":
            child.kill()
            child.wait()
    before = state(mltrack_store)
    bring(mltrack_store, into)
    assert state(mltrack_store) == before
    name = into.runs.get(GOOD).info.run_name
    assert (name == "late") == (state_of_it != "closed")
    if state_of_it == "open":
        child.kill()
        child.wait()


def test_an_older_source_is_not_brought_to_our_schema(mltrack_store, into, bring):
    with sqlite3.connect(mltrack_store / "mltrack.db") as database:
        for table in (
            "tombstones", "model_paths", "run_shared_files", "shared_files", "step_models", "step_points",
        ):  # fmt: skip
            database.execute(f"DROP TABLE {table}")
        database.execute("DROP INDEX ix_model_versions_run_id")
        database.execute("DROP INDEX ix_model_versions_model_id")
        database.execute("UPDATE alembic_version SET version_num = '0003'")
    database.close()
    before = state(mltrack_store)
    assert bring(mltrack_store, into).there["runs"] == 2
    assert state(mltrack_store) == before


def test_a_store_with_programs_of_its_own_is_not_read(mltrack_store, into, bring):
    with sqlite3.connect(mltrack_store / "mltrack.db") as database:
        database.execute("ALTER TABLE runs RENAME TO kept")
        database.execute(
            "CREATE VIEW runs AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) "
            "SELECT kept.* FROM kept, n"
        )
    database.close()
    with pytest.raises(StoreUnreadable, match="views or triggers"):
        bring(mltrack_store, into)


def test_a_server_serves_no_place_that_only_a_row_names(mltrack_store, home):
    point_at(mltrack_store, str(home))
    services = open_store(mltrack_store, local_paths=False)
    for call in (
        services.run_artifacts.list,
        lambda run_id: services.run_artifacts.read(run_id, "id_rsa"),
    ):
        with pytest.raises(MltrackError, match="below its own root"):
            call(BAD)
    services.close()


@pytest.fixture
def handed_on(tmp_path):
    """A store that somebody handed on: its artifacts are a link to the reader's own folder, its rows lead there."""
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "id_rsa").write_text("KEY")
    store = tmp_path / "given" / ".mltrack"
    services = open_store(store)
    run_id = services.runs.create("0").info.run_id
    digest = hashlib.sha256(b"x").hexdigest()
    services.run_artifacts.put_shared(digest, io.BytesIO(b"x"))
    services.run_artifacts.share(run_id, {"shared": digest})
    services.close()
    shutil.rmtree(store / "artifacts")
    (store / "artifacts").symlink_to(home)
    with contextlib.closing(sqlite3.connect(store / "mltrack.db")) as database, database:
        database.execute("UPDATE runs SET artifact_uri = 'mlflow-artifacts:/.ssh'")
        database.execute("UPDATE shared_files SET place = '.ssh/id_rsa', used = 0")
    services = open_store(store)
    yield services, run_id, store, home
    services.close()
    assert [item.name for item in (home / ".ssh").iterdir()] == ["id_rsa"]
    assert (home / ".ssh" / "id_rsa").read_text() == "KEY"


@pytest.mark.skipif(sys.platform == "win32", reason="links")
class TestAStoreWithALink:
    def test_nothing_is_written(self, handed_on):
        services, run_id, *_ = handed_on
        files = services.files_at(services.runs.get(run_id).info.artifact_uri, run_id)
        for path in ("authorized_keys", "id_rsa", "a/artifacts/b"):
            with pytest.raises(InvalidParameter, match="no place of a run"):
                files.write(path, io.BytesIO(b"evil"))

    def test_a_purge_deletes_nothing(self, handed_on):
        services, run_id, *_ = handed_on
        services.runs.delete(run_id)
        (item,) = services.workspace.purge(run_ids=[run_id]).items
        assert "no place of a run" in item.kept_because

    def test_what_no_run_shares_is_collected_in_its_own_folder_only(self, handed_on):
        services, _, store, _ = handed_on
        with contextlib.closing(sqlite3.connect(store / "mltrack.db")) as database, database:
            database.execute("DELETE FROM run_shared_files")
        services.workspace.purge(run_ids=[])


# --- places that a script writes into by itself -------------------------------------------------------

AT_A_LINK = ["artifacts/0", "artifacts/data", "artifacts/data/deep"]


@pytest.mark.parametrize("link", AT_A_LINK)
def test_the_place_of_a_run_is_made_through_no_link(environment, tmp_path, home, link):
    """``get_artifact_uri()`` makes the folder: not where a link in a store that was handed on leads."""
    store = tmp_path / "theirs" / ".mltrack"
    mltrack.set_tracking_uri(store)
    client = mltrack.MlflowClient()
    name = link.removeprefix("artifacts/")
    if name != "0":
        client.create_experiment("E", artifact_location=f"mlflow-artifacts:/{name}/x")
    place = store / link
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(home)
    before = sorted(home.rglob("*"))
    try:
        with mltrack.start_run(experiment_id="0" if name == "0" else "1"):
            uri = mltrack.get_artifact_uri()
            assert sorted(home.rglob("*")) == before
            with pytest.raises(OSError):
                (Path(uri) / "weights.bin").write_bytes(b"x")
            with pytest.raises(MltrackError):
                mltrack.log_text("x", "a.txt")
    finally:
        mltrack.set_tracking_uri("")
    assert sorted(home.rglob("*")) == before


def test_the_place_of_a_run_is_made_where_the_user_keeps_the_store(environment, tmp_path):
    """Above the store, and at its own root, a link is the user's: their disk may be elsewhere."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "project").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / ".mltrack").mkdir()
    (tmp_path / "large").mkdir()
    (tmp_path / "disk" / ".mltrack" / "artifacts").symlink_to(tmp_path / "large")
    mltrack.set_tracking_uri(tmp_path / "project" / ".mltrack")
    try:
        with mltrack.start_run():
            uri = mltrack.get_artifact_uri("weights.bin")
            Path(uri).write_bytes(b"x")
            assert mltrack.artifacts.load_text(uri) == "x"
    finally:
        mltrack.set_tracking_uri("")
    assert len(list((tmp_path / "large").rglob("weights.bin"))) == 1
