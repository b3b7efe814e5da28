"""Digests: noted when a file is written through the store, and true whatever is done to the file."""

import hashlib
import io
import threading

import pytest

from mltrack_jupyter.entities import InlineFile
from mltrack_jupyter.errors import DamagedArtifact, MltrackError
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.artifacts import save
from mltrack_jupyter.store.remote import connect
from mltrack_jupyter.store.transport import LocalTransport
from mltrack_jupyter.testing.making import new_run, put, root_of


def sha256(body):
    return hashlib.sha256(body).hexdigest()


def known(services, path):
    download = services.artifact_files.download(path)
    download.file.close()
    return download.sha256


@pytest.fixture
def run(store):
    return new_run(store)


@pytest.fixture
def place(store, run, tmp_path):
    put(store, f"{root_of(run)}/a.txt", b"what was logged")
    return tmp_path / ".mltrack" / "artifacts" / root_of(run) / "a.txt"


def test_a_file_is_known_by_both_ways(store, run, place):
    assert known(store, f"{root_of(run)}/a.txt") == sha256(b"what was logged")
    found = store.run_artifacts.read(run.info.run_id, "a.txt")
    found.file.close()
    assert found.sha256 == sha256(b"what was logged")


@pytest.mark.parametrize("how", ["store", "wire"])
def test_a_file_that_was_changed_is_told_from_what_was_logged(store, run, place, how, tmp_path):
    services = store if how == "store" else connect(LocalTransport(store), "http://here")
    save(services.run_artifacts.read(run.info.run_id, "a.txt"), tmp_path / "out" / "a.txt")
    place.write_bytes(b"what was l0gged")
    for download in (
        services.run_artifacts.read(run.info.run_id, "a.txt"),
        services.artifact_files.download(f"{root_of(run)}/a.txt"),
    ):
        with pytest.raises(DamagedArtifact, match="is not what was written"):
            save(download, tmp_path / "out" / "a.txt")
    # What was there before is there still, and nothing else.
    assert [path.read_bytes() for path in (tmp_path / "out").iterdir()] == [b"what was logged"]


def test_what_the_store_has_not_written_has_no_digest(store, run, place):
    place.with_name("theirs").write_bytes(b"x")
    assert known(store, f"{root_of(run)}/theirs") == ""


def test_overwritten_deleted_and_put_back(store, run, place):
    path = f"{root_of(run)}/a.txt"
    put(store, path, b"again")
    assert known(store, path) == sha256(b"again")
    store.artifact_files.delete(path)
    place.write_bytes(b"theirs")
    assert known(store, path) == ""


def test_a_tree_takes_its_records_along(store, run, place):
    put(store, f"{root_of(run)}/t/x/y", b"1")
    store.artifact_files.delete(f"{root_of(run)}/t")
    (place.parent / "t" / "x").mkdir(parents=True)
    (place.parent / "t" / "x" / "y").write_bytes(b"theirs")
    assert known(store, f"{root_of(run)}/t/x/y") == ""


def count(folder):
    services = open_store(folder)
    database = services.artifact_files._reach.records._database
    with database.read() as connection:
        found = connection.exec_driver_sql("SELECT count(*) FROM artifact_digests").scalar()
    services.close()
    return found


def test_a_purge_leaves_no_record(store, run, place, tmp_path):
    put(store, f"{root_of(run)}/b/c", b"1")
    kept = new_run(store, run.info.experiment_id)
    put(store, f"{root_of(kept)}/kept", b"1")
    assert count(tmp_path / ".mltrack") == 3
    store.runs.delete(run.info.run_id)
    (item,) = store.workspace.purge(run_ids=[run.info.run_id]).items
    assert (item.files, item.size) == (2, 16)
    assert count(tmp_path / ".mltrack") == 1
    assert not place.parent.exists()


def test_a_run_that_is_registered_with_its_files(store):
    files = [InlineFile(path="a/b.txt", text="hello")]
    run = store.transfer.register_run(experiment="e", artifacts=files)
    assert known(store, f"{root_of(run)}/a/b.txt") == sha256(b"hello")


def test_a_file_that_could_not_be_written_is_the_one_before(store, run, place):
    class Broken(io.BytesIO):
        def read(self, size=-1):
            raise OSError("cut")

    path = f"{root_of(run)}/a.txt"
    with pytest.raises(MltrackError):
        store.artifact_files.upload(path, Broken())
    with store.artifact_files.download(path).file as file:
        assert file.read() == b"what was logged"


def test_many_at_one_path_leave_a_file_that_is_as_it_was_noted(store, run):
    path = f"{root_of(run)}/contested"

    def write(number):
        for turn in range(5):
            put(store, path, f"{number} {turn}".encode() * 1000)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    download = store.artifact_files.download(path)
    with download.file as file:
        assert download.sha256 in ("", sha256(file.read()))
