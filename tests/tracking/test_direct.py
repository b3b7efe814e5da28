"""Runs whose artifacts are on S3: the client reads and writes them there itself."""

import pytest

import mltrack_jupyter as mltrack
from mltrack_jupyter.errors import DamagedArtifact, InvalidParameter
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.remote import connect
from mltrack_jupyter.store.transport import LocalTransport
from mltrack_jupyter.testing.making import new_run


@pytest.fixture
def bucket(s3):
    return s3.bucket()


@pytest.fixture(params=["store", "server"])
def client(request, tmp_path):
    """A client of a store of its own, and of a server that has no keys."""
    if request.param == "store":
        client = mltrack.Client(tmp_path / "store")
        yield client
        client.services.close()
        return
    services = open_store(tmp_path / "store", local_paths=False)
    client = mltrack.Client(tmp_path / "unused")
    client.services = connect(LocalTransport(services), "http://in-this-process")
    yield client
    services.close()


@pytest.fixture
def run_id(client, bucket):
    experiment = client.create_experiment("far", artifact_location=f"s3://{bucket}/far")
    return client.create_run(experiment).info.run_id


def test_a_tree_there_and_back(client, run_id, s3, bucket, tmp_path):
    source = tmp_path / "data"
    (source / "deep").mkdir(parents=True)
    (source / "empty").touch()
    (source / "deep" / "x.bin").write_bytes(bytes(1000))
    client.log_artifact(run_id, source)
    client.log_text(run_id, "hello", "note.txt")
    top = f"far/{run_id}/artifacts"
    assert s3.keys(bucket) == {
        f"{top}/data/empty": 0,
        f"{top}/data/deep/x.bin": 1000,
        f"{top}/note.txt": 5,
    }
    listed = [(item.path, item.is_dir) for item in client.list_artifacts(run_id, "data")]
    assert listed == [("data/deep", True), ("data/empty", False)]
    place = client.download_artifacts(run_id, "data", tmp_path / "back")
    assert place == str(tmp_path / "back" / "data")
    assert (tmp_path / "back" / "data" / "deep" / "x.bin").read_bytes() == bytes(1000)
    assert (tmp_path / "back" / "data" / "empty").read_bytes() == b""
    assert client.download_artifacts(run_id, "note.txt", tmp_path / "back").endswith("note.txt")


def test_the_store_knows_what_it_wrote(bucket, s3, tmp_path):
    client = mltrack.Client(tmp_path / "store")
    experiment = client.create_experiment("far", artifact_location=f"s3://{bucket}/far")
    run_id = client.create_run(experiment).info.run_id
    client.log_text(run_id, "hello", "a.txt")
    s3.client.put_object(Bucket=bucket, Key=f"far/{run_id}/artifacts/a.txt", Body=b"hell0")
    with pytest.raises(DamagedArtifact):
        client.download_artifacts(run_id, "a.txt", tmp_path / "back")
    client.services.close()


def test_new_experiments_go_below_the_default_root(bucket, s3, tmp_path):
    services = open_store(tmp_path / "store", default_artifact_root=f"s3://{bucket}/root/")
    run = new_run(services)
    assert run.info.artifact_uri == f"s3://{bucket}/root/1/{run.info.run_id}/artifacts"
    assert services.experiments.get("0").artifact_location == f"s3://{bucket}/root/0"
    client = mltrack.Client(tmp_path / "unused")
    client.services = services
    client.log_text(run.info.run_id, "hello", "a.txt")
    # A server over the same store may read there: its owner has named the place.
    served = open_store(
        tmp_path / "store", default_artifact_root=f"s3://{bucket}/root", local_paths=False
    )
    assert [item.path for item in served.run_artifacts.list(run.info.run_id).files] == ["a.txt"]
    stranger = open_store(tmp_path / "store", local_paths=False)
    with pytest.raises(InvalidParameter, match="not read through this store"):
        stranger.run_artifacts.list(run.info.run_id)
    for each in (services, served, stranger):
        each.close()


def test_a_server_cannot_send_its_clients_to_a_folder_or_a_page(tmp_path):
    (tmp_path / "mine").write_text("mine")
    services = open_store(tmp_path / "store", local_paths=False)
    there = connect(LocalTransport(services), "http://in-this-process")
    for uri in (str(tmp_path), f"file://{tmp_path}", "http://127.0.0.1:1/x"):
        with pytest.raises(InvalidParameter, match="not reached from here"):
            there.files_at(uri, "")
        run = services.runs.create("0")
        files = there.files_at(uri, run.info.run_id)
        assert list(files.list()) == []  # of the run, as the server has it
        with pytest.raises(InvalidParameter, match="does not take"):
            files.write("planted", None)
        with pytest.raises(InvalidParameter, match="does not take"):
            files.delete("mine")
    services.close()
