"""A server whose artifacts are on S3: clients speak HTTP with it, and S3 holds what they sent."""

import os
import subprocess
import sys

import httpx
import pytest
from conftest import JupyterServer, clean_environment

from mltrack_jupyter.errors import InvalidParameter, NotFound
from mltrack_jupyter.store.artifacts import save
from mltrack_jupyter.testing.making import content_of, new_run, put, root_of

FILES = "/api/2.0/mlflow-artifacts/artifacts"
MPU = "/api/2.0/mlflow-artifacts/mpu"
pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def bucket(s3):
    return s3.bucket()


@pytest.fixture(scope="module")
def server(s3, bucket, tmp_path_factory):
    """A server that keeps artifacts on S3, with keys of its own."""
    option = f"--MltrackApp.artifacts_destination=s3://{bucket}/kept"
    server = JupyterServer(tmp_path_factory.mktemp("s3"), option, env=s3.environment)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def services(server):
    services = server.services()
    yield services
    services.close()


def by_hand(server):
    headers = {"Authorization": f"Bearer {server.token}"}
    return httpx.Client(base_url=server.tracking_uri, headers=headers, timeout=60)


MLFLOW = """
import sys, mlflow
from pathlib import Path
folder = Path("big")
folder.mkdir()
(folder / "large.bin").write_bytes(bytes(range(256)) * 4 * 6000)
(folder / "small.txt").write_text("small")
(folder / "empty").touch()
mlflow.set_experiment("from mlflow")
with mlflow.start_run() as run:
    mlflow.log_artifacts("big", "data")
    mlflow.log_text("hello", "f.txt")
names = {item.path: item.file_size for item in mlflow.MlflowClient().list_artifacts(run.info.run_id, "data")}
assert names == {"data/large.bin": 6144000, "data/small.txt": 5, "data/empty": None}, names
back = Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, dst_path="back"))
for name in ("large.bin", "small.txt", "empty"):
    assert (back / "data" / name).read_bytes() == (folder / name).read_bytes()
print(run.info.artifact_uri)
"""
PARTS = {
    "MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE": "1000000",
    "MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE": str(5 << 20),
}


def test_the_real_mlflow_sends_large_files_to_s3_in_parts(server, s3, bucket, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", MLFLOW],
        cwd=tmp_path,
        env={
            **{key: value for key, value in clean_environment().items() if "AWS" not in key},
            **PARTS,
            "MLFLOW_TRACKING_URI": server.tracking_uri,
            "MLFLOW_TRACKING_TOKEN": server.token,
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        },
        capture_output=True,
        check=False,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    root = done.stdout.split()[-1].removeprefix("mlflow-artifacts:/")
    keys = s3.keys(bucket)
    assert keys[f"kept/{root}/data/large.bin"] == 6_144_000
    found = s3.client.head_object(Bucket=bucket, Key=f"kept/{root}/data/large.bin")
    assert found["ETag"].strip('"').endswith("-2")  # it came in two parts
    assert keys[f"kept/{root}/f.txt"] == 5
    assert s3.unfinished(bucket) == []


def test_our_client_sends_and_fetches_through_the_server(services, s3, bucket, tmp_path):
    run = new_run(services)
    body = os.urandom(10_000_000)
    put(services, f"{root_of(run)}/a/large", body)
    assert s3.read(bucket, f"kept/{root_of(run)}/a/large") == body
    assert content_of(services, f"{root_of(run)}/a/large") == body
    assert [item.path for item in services.run_artifacts.list(run.info.run_id, "a").files] == [
        "a/large"
    ]
    save(services.run_artifacts.read(run.info.run_id, "a/large"), tmp_path / "large")
    assert (tmp_path / "large").read_bytes() == body


def test_the_digest_goes_along(services, server, s3, bucket):
    run = new_run(services)
    put(services, f"{root_of(run)}/a", b"what was logged")
    headers = {"Authorization": f"Bearer {server.token}"}
    address = f"{server.tracking_uri}{FILES}/{root_of(run)}/a"
    whole = httpx.get(address, headers=headers, timeout=60)
    expected = "sha-256=:2oC/NmRncmY3HlC28+qFt9fT8G2sIaKeNWfJGCI0UH0=:"
    assert whole.headers["Repr-Digest"].startswith("sha-256=:")
    assert len(whole.headers["Repr-Digest"]) == len(expected)
    part = httpx.get(address, headers={**headers, "Range": "bytes=0-3"}, timeout=60)
    assert (part.content, part.headers["Repr-Digest"]) == (b"what", whole.headers["Repr-Digest"])
    s3.client.put_object(Bucket=bucket, Key=f"kept/{root_of(run)}/b", Body=b"theirs")
    assert "Repr-Digest" not in httpx.get(address[:-1] + "b", headers=headers, timeout=60).headers


def test_an_upload_in_parts_forgets_what_the_file_was(services, server, s3, bucket):
    run = new_run(services)
    put(services, f"{root_of(run)}/a", b"before")
    with by_hand(server) as client:
        folder = root_of(run)
        made = client.post(
            f"{MPU}/create/{folder}", json={"path": "/of/the/client/a", "num_parts": 1}
        ).json()
        (credential,) = made["credentials"]
        etag = httpx.put(credential["url"], content=b"in parts").headers["ETag"]
        done = {
            "path": "a",
            "upload_id": made["upload_id"],
            "parts": [{"part_number": 1, "etag": etag, "url": ""}],
        }
        answer = client.post(f"{MPU}/complete/{folder}", json=done)
        assert (answer.status_code, answer.json()) == (200, {})
        again = client.get(f"{FILES}/{folder}/a")
        assert (again.content, "Repr-Digest" in again.headers) == (b"in parts", False)
        signed = client.get(f"/api/2.0/mlflow-artifacts/presigned/{folder}/a").json()
        assert (httpx.get(signed["url"]).content, signed["file_size"]) == (b"in parts", 8)
        assert client.get(f"/api/2.0/mlflow-artifacts/presigned/{folder}/none").status_code == 404


def test_an_upload_in_parts_that_is_given_up(services, server, s3, bucket):
    folder = root_of(new_run(services))
    with by_hand(server) as client:
        made = client.post(f"{MPU}/create/{folder}", json={"path": "a", "num_parts": 2}).json()
        assert len(s3.unfinished(bucket)) == 1
        given_up = {"path": "a", "upload_id": made["upload_id"]}
        wrong = {**given_up, "parts": [{"part_number": 1, "etag": "x"}]}
        assert client.post(f"{MPU}/complete/{folder}", json=wrong).status_code == 400
        assert client.post(f"{MPU}/abort/{folder}", json=given_up).status_code == 200
        assert s3.unfinished(bucket) == []
        for path, body in (
            (f"create/{folder}", {"path": "a", "num_parts": 0}),
            (f"create/{folder}", {"path": "a", "num_parts": 10_001}),
            (f"create/{folder}", {"path": "a/..", "num_parts": 1}),
            (f"create/{folder}/%2e%2e", {"path": "a", "num_parts": 1}),
            (f"abort/{folder}", given_up),
        ):
            assert client.post(f"{MPU}/{path}", json=body).status_code in (400, 404), (path, body)


def test_the_server_goes_nowhere_else_with_its_keys(services, server, s3, bucket):
    other = s3.bucket()
    s3.client.put_object(Bucket=other, Key="x/secret", Body=b"secret")
    s3.client.put_object(Bucket=bucket, Key="kept-secret/secret", Body=b"secret")
    for location in (
        f"s3://{other}/x",
        f"s3://{bucket}/kept-secret",
        f"s3://{bucket}",
        f"s3://{bucket}/kept/",
    ):
        experiment = services.experiments.create(f"at {location}", location)
        run = services.runs.create(experiment)
        for call in (
            lambda run=run: services.run_artifacts.list(run.info.run_id),
            lambda run=run: services.run_artifacts.read(run.info.run_id, "secret"),
        ):
            if location.endswith("/kept/"):
                assert services.run_artifacts.list(run.info.run_id).files == []
                break
            with pytest.raises(InvalidParameter, match="not read through this store"):
                call()
    with pytest.raises(NotFound):
        services.artifact_files.download("none/../../x".replace("/..", ""))


def test_the_trash_takes_files_from_s3(services, s3, bucket):
    run = new_run(services)
    put(services, f"{root_of(run)}/a/b", b"12345")
    services.runs.delete(run.info.run_id)
    (item,) = services.workspace.purge(run_ids=[run.info.run_id]).items
    assert (item.files, item.size) == (1, 5)
    assert not [key for key in s3.keys(bucket) if run.info.run_id in key]
