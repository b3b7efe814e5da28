"""A purge: rows and files go together or not at all, and what is gone comes back only if somebody wants it."""

import io
import os
import subprocess
import sys

import pytest

from mltrack_jupyter.cli import main
from mltrack_jupyter.entities import NewRun, Param, Run, RunEntry, RunInfo, RunStatus, Tag
from mltrack_jupyter.errors import (
    AlreadyExists,
    BadRequest,
    InvalidParameter,
    NotFound,
    StoreUnwritable,
)
from mltrack_jupyter.services.dispatch import answer, find
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.artifacts import ASIDE, LocalFiles, objects
from mltrack_jupyter.store.sql import purging


@pytest.fixture
def folder(tmp_path):
    return tmp_path / ".mltrack"


@pytest.fixture
def store(folder):
    services = open_store(folder)
    yield services
    services.close()


def in_trash(store, content=b"precious"):
    """Make a run with a file, and delete it."""
    run = store.runs.create("0").info
    store.files_at(run.artifact_uri, run.run_id).write("model.pkl", io.BytesIO(content))
    store.runs.delete(run.run_id)
    return run.run_id


def files_of(store, run_id):
    run = store.runs.get(run_id)
    return [item.path for item in store.files_at(run.info.artifact_uri, run_id).list()]


def aside(folder):
    place = folder / "artifacts" / ASIDE
    return os.listdir(place) if place.exists() else []


def test_a_run_whose_files_are_gone_is_never_restored(store, folder, monkeypatch):
    ids = [in_trash(store) for _ in range(3)]
    real = LocalFiles.remove

    def remove(self):
        if ids[1] in str(self.root):
            raise StoreUnwritable("a file is read-only")
        return real(self)

    monkeypatch.setattr(LocalFiles, "remove", remove)
    route, params = find("POST", "/api/1/trash/purge")
    body = f'{{"run_ids": ["{ids[0]}", "{ids[1]}"]}}'.encode()
    assert answer(route, store, params, {}, body, "key-1").status == 200
    for run_id in ids[:2]:
        with pytest.raises(NotFound):
            store.runs.restore(run_id)
    store.runs.restore(ids[2])
    assert files_of(store, ids[2]) == ["model.pkl"]
    assert len(aside(folder)) == 1
    monkeypatch.undo()
    assert main(["gc", str(folder), "--yes", "--run-ids", "none"]) == 0
    assert aside(folder) == []


def test_a_link_in_the_place_of_what_is_put_aside(store, folder, tmp_path):
    run_id = in_trash(store)
    (folder / "artifacts" / ASIDE).symlink_to(tmp_path)
    open_store(folder).close()
    (item,) = store.workspace.purge(run_ids=[run_id]).items
    assert "is a link" in item.kept_because
    store.runs.restore(run_id)
    assert files_of(store, run_id) == ["model.pkl"]


def test_asked_again_the_answer_is_that_it_is_done(store):
    run_id = in_trash(store)
    for files in (1, 0):
        (item,) = store.workspace.purge(run_ids=[run_id]).items
        assert (item.kept_because, item.files) == ("", files)


def test_files_come_back_with_their_rows(store, folder, monkeypatch):
    run_id = in_trash(store)

    def fail(*_, **__):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(purging, "record_change", fail)
    with pytest.raises(RuntimeError):
        store.workspace.purge(run_ids=[run_id])
    monkeypatch.undo()
    store.runs.restore(run_id)
    assert files_of(store, run_id) == ["model.pkl"]
    assert aside(folder) == []


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may do anything")
def test_what_cannot_be_put_aside_stays_whole(store, folder):
    run_id = in_trash(store)
    above = folder / "artifacts" / "0" / run_id
    above.chmod(0o500)
    try:
        (item,) = store.workspace.purge(run_ids=[run_id]).items
    finally:
        above.chmod(0o700)
    assert "cannot be moved" in item.kept_because
    store.runs.restore(run_id)


def test_one_that_cannot_be_put_aside_costs_no_other(store, monkeypatch):
    ids = [in_trash(store) for _ in range(2)]
    real = LocalFiles.move_to

    def move(self, other):
        if ids[0] in str(self.root):
            raise StoreUnwritable("it is on another disk")
        return real(self, other)

    monkeypatch.setattr(LocalFiles, "move_to", move)
    left, gone = store.workspace.purge(run_ids=ids).items
    assert (left.kept_because, gone.kept_because) == ("it is on another disk", "")
    store.runs.restore(ids[0])
    assert files_of(store, ids[0]) == ["model.pkl"]


KILLED = """
import os, sys
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.artifacts import LocalFiles
from mltrack_jupyter.store.sql import purging
store = open_store(sys.argv[1])
die = lambda *_, **__: os._exit(9)
setattr(*((purging, "record_change") if sys.argv[3] == "before" else (LocalFiles, "remove")), die)
store.workspace.purge(run_ids=[sys.argv[2]])
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_purge_that_is_killed(store, folder, moment):
    run_id = in_trash(store)
    done = subprocess.run([sys.executable, "-c", KILLED, folder, run_id, moment], check=False)
    assert done.returncode == 9
    assert len(aside(folder)) == 1
    other = open_store(folder)
    if moment == "before":  # the commit
        other.runs.restore(run_id)
        assert files_of(other, run_id) == ["model.pkl"]
    else:
        with pytest.raises(NotFound):
            other.runs.restore(run_id)
        other.workspace.purge()
    assert aside(folder) == []
    other.close()


def test_what_was_written_meanwhile_stays_when_files_come_back(store, folder):
    run_id = in_trash(store)
    subprocess.run([sys.executable, "-c", KILLED, folder, run_id, "before"], check=False)
    place = folder / "artifacts" / "0" / run_id / "artifacts"
    place.mkdir(parents=True)
    (place / "new.txt").write_text("new")
    open_store(folder).close()
    assert sorted(os.listdir(place)) == ["model.pkl", "new.txt"]


def test_the_database_is_free_while_files_are_deleted(store, folder, monkeypatch):
    run_id, other = in_trash(store), store.runs.create("0").info.run_id
    real, wrote = LocalFiles.remove, []

    def remove(self):
        second = open_store(folder)
        second.runs.set_tag(other, "while", "deleting")
        second.close()
        wrote.append(self.root)
        return real(self)

    monkeypatch.setattr(LocalFiles, "remove", remove)
    store.workspace.purge(run_ids=[run_id])
    assert wrote
    assert store.runs.get(other).data.tags["while"] == "deleting"


def the_run(run_id):
    info = RunInfo(run_id=run_id, experiment_id="0", status=RunStatus.FINISHED, start_time=7)
    return Run(info=info)


def test_an_import_that_meets_a_purge_keeps_its_files(store, monkeypatch):
    run_id = in_trash(store)
    real = LocalFiles.remove

    def remove(self):
        if not store.runs.search(["0"]).items:
            uri = store.transfer.import_run(the_run(run_id)).artifact_uri
            store.files_at(uri, run_id).write("model.pkl", io.BytesIO(b"imported"))
        return real(self)

    monkeypatch.setattr(LocalFiles, "remove", remove)
    store.workspace.purge(run_ids=[run_id])
    download = store.run_artifacts.read(run_id, "model.pkl")
    with download.file as file:
        assert file.read() == b"imported"
    assert download.sha256


JOURNAL = "0123456789abcdef0123456789abcdef"


def told(run_id):
    return RunEntry(
        run_id=run_id,
        new=NewRun(experiment_id="0", start_time=5),
        params=[Param("a", "1")],
        tags=[Tag("late", "yes")],
        status=RunStatus.FINISHED,
        end_time=6,
    )


def test_a_journal_brings_nothing_back(store):
    run_id, alive = in_trash(store), "alive"
    store.workspace.purge(run_ids=[run_id])
    late = RunEntry(run_id=run_id, tags=[Tag("later", "yes")])
    for since, entries in enumerate(([told(run_id), told(alive)], [late])):
        found = store.journals.append(JOURNAL, since, since + 1, entries)
        (refusal,) = found.refused
        assert refusal.run_id == run_id
        assert "deleted for good" in refusal.reason
    with pytest.raises(NotFound):
        store.runs.get(run_id)
    assert store.runs.get(alive).data.tags["late"] == "yes"


@pytest.mark.parametrize("way", ["import", "register"])
def test_who_asks_for_a_run_gets_it_back(store, way):
    run_id = in_trash(store)
    store.workspace.purge(run_ids=[run_id])
    if way == "import":
        store.transfer.import_run(the_run(run_id))
    else:
        store.transfer.register_run(run_id=run_id)
        with pytest.raises(AlreadyExists):
            store.transfer.register_run(run_id=run_id)
    assert store.journals.append(JOURNAL, 0, 1, [told(run_id)]).refused == []
    assert store.runs.get(run_id).data.tags["late"] == "yes"


def test_in_an_object_store_a_tombstone_remembers_what_is_left(tmp_path, monkeypatch):
    store = open_store(tmp_path / ".mltrack", artifact_root=f"memory://{tmp_path.name}")
    run_id = in_trash(store)

    def fail(self):
        raise StoreUnwritable("the bucket is locked")

    monkeypatch.setattr(objects.ObjectFiles, "remove", fail)
    store.workspace.purge(run_ids=[run_id])
    monkeypatch.undo()
    with pytest.raises(BadRequest, match="mltrack gc"):
        store.transfer.import_run(the_run(run_id))
    store.workspace.purge()
    assert store.artifact_files.list(f"0/{run_id}/artifacts").files == []
    store.transfer.import_run(the_run(run_id))
    store.close()


@pytest.mark.parametrize("place", ["0", "0/neighbour/artifacts", "0/neighbour/artifacts/deep", ""])
def test_a_folder_that_is_not_the_runs_alone_stays(store, folder, place):
    neighbour = store.transfer.register_run(run_id="neighbour")
    files = store.files_at(neighbour.info.artifact_uri, "neighbour")
    files.write("deep/precious", io.BytesIO(b"x"))
    run_id = store.runs.create("0").info.run_id
    store.runs.delete(run_id)
    from mltrack_jupyter.store.sql.database import Database

    database = Database(f"sqlite:///{folder}/mltrack.db")
    with database.write() as connection:
        uri = f"mlflow-artifacts:/{place}" if place else str(folder / "artifacts")
        connection.exec_driver_sql(
            "UPDATE runs SET artifact_uri = ? WHERE run_id = ?", (uri, run_id)
        )
    database.close()
    (item,) = store.workspace.purge(run_ids=[run_id]).items
    assert (item.kept_because, item.files) == ("", 0)
    assert [item.path for item in files.list("deep")] == ["precious"]


@pytest.mark.parametrize(
    "path", [ASIDE, f"{ASIDE}/x", f"{ASIDE}/x/files/model.pkl"], ids=["folder", "inside", "deep"]
)
def test_nobody_reaches_what_was_put_aside(store, path):
    for call in (
        lambda: store.artifact_files.download(path),
        lambda: store.artifact_files.upload(path, io.BytesIO(b"x")),
        lambda: store.artifact_files.delete(path),
        lambda: store.artifact_files.list(path),
        lambda: store.files_at(f"mlflow-artifacts:/{path}", "").list(),
    ):
        with pytest.raises(InvalidParameter):
            call()
    store.artifact_files.upload("a", io.BytesIO(b"x"))
    assert [item.path for item in store.artifact_files.list().files] == ["a"]


@pytest.fixture(params=["postgresql", "mysql"])
def elsewhere(request, tmp_path):
    """A store whose database is on a server, and its artifacts here."""
    url = request.getfixturevalue("database_server_of")(request.param).new_database()
    services = open_store(url, artifact_root=tmp_path / ".mltrack" / "artifacts")
    yield services
    services.close()


@pytest.mark.database
def test_on_a_server_rows_and_files_go_together_too(elsewhere, folder, monkeypatch):
    ids = [in_trash(elsewhere) for _ in range(3)]
    real_move, real_record = LocalFiles.move_to, purging.record_change

    def move(self, other):
        if ids[0] in str(self.root):
            raise StoreUnwritable("it is on another disk")
        return real_move(self, other)

    def record(connection, entity, entity_id, *rest, **more):
        if entity_id == ids[1]:
            raise RuntimeError("the server was lost")
        real_record(connection, entity, entity_id, *rest, **more)

    monkeypatch.setattr(LocalFiles, "move_to", move)
    monkeypatch.setattr(purging, "record_change", record)
    (left,) = elsewhere.workspace.purge(run_ids=[ids[0]]).items
    assert left.kept_because == "it is on another disk"
    with pytest.raises(RuntimeError):
        elsewhere.workspace.purge(run_ids=[ids[1]])
    monkeypatch.undo()
    elsewhere.workspace.purge(run_ids=[ids[2]])
    for run_id in ids[:2]:
        elsewhere.runs.restore(run_id)
        assert files_of(elsewhere, run_id) == ["model.pkl"]
    with pytest.raises(NotFound):
        elsewhere.runs.restore(ids[2])
    (refusal,) = elsewhere.journals.append(JOURNAL, 0, 1, [told(ids[2])]).refused
    assert "deleted for good" in refusal.reason
    elsewhere.transfer.import_run(the_run(ids[2]))
    assert aside(folder) == []
