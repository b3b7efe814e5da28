"""Options of ``mltrack server`` that change what it serves."""

import signal

import httpx
import pytest

from mltrack_jupyter.cli import main
from mltrack_jupyter.cli.server import is_loopback

pytestmark = pytest.mark.server


def test_without_artifacts_clients_are_told_what_to_do(tmp_path, start, stop):
    process, url, _ = start(tmp_path, "--no-serve-artifacts", "--token", "a-token-of-mine")
    headers = {"Authorization": "Bearer a-token-of-mine"}
    path = "/api/2.0/mlflow-artifacts/artifacts/0/r/artifacts/f"
    for method in ("GET", "PUT", "DELETE"):
        answer = httpx.request(method, url + path, headers=headers)
        assert answer.status_code == 501
        assert "--no-serve-artifacts" in answer.json()["message"]
    assert httpx.get(f"{url}/api/1/info", headers=headers).status_code == 200
    info = httpx.get(f"{url}/api/3.0/mlflow/server-info", headers=headers).json()
    assert info["artifact_serving_enabled"] is False
    # New experiments name a folder of this machine, as with MLflow's server.
    default = httpx.get(
        f"{url}/api/2.0/mlflow/experiments/get?experiment_id=0", headers=headers
    ).json()
    assert default["experiment"]["artifact_location"].endswith("/artifacts/0")
    stop(process, signal.SIGINT)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--token", "short"], "8 characters"),
        (["--backend-store-uri", "http://127.0.0.1:1"], "is a server itself"),
        (["--default-artifact-root", "http://host/x"], "no http: addresses"),
        (["--artifacts-destination", "dbfs:/x"], "Nothing here keeps artifacts at dbfs"),
        (["--backend-store-uri", "mongodb://x"], "unknown scheme"),
    ],
)
def test_what_cannot_be_served_is_refused_before_anything_listens(options, reason, capsys):
    assert main(["server", "--port", "0", *options]) == 1
    assert reason in capsys.readouterr().err


def test_where_artifacts_go_is_said_as_to_mlflow(tmp_path, start, stop, s3):
    """The experiments of clients that reach S3 themselves, and the files of those that do not."""
    bucket = s3.bucket()
    options = [
        "--default-artifact-root",
        f"s3://{bucket}/direct",
        "--artifacts-destination",
        f"s3://{bucket}/kept",
    ]
    process, url, _ = start(tmp_path, *options, "--token", "a-token-of-mine")
    with httpx.Client(
        base_url=url, headers={"Authorization": "Bearer a-token-of-mine"}, timeout=60
    ) as client:
        create = client.post("/api/2.0/mlflow/experiments/create", json={"name": "e"}).json()
        found = client.get("/api/2.0/mlflow/experiments/get", params=create).json()["experiment"]
        assert found["artifact_location"] == f"s3://{bucket}/direct/{create['experiment_id']}"
        client.put("/api/2.0/mlflow-artifacts/artifacts/0/x", content=b"kept")
        assert s3.read(bucket, "kept/0/x") == b"kept"
        info = client.get("/api/3.0/mlflow/server-info").json()
        assert (info["multipart_uploads_enabled"], info["artifact_serving_enabled"]) == (True, True)
    stop(process, signal.SIGINT)


def test_which_addresses_only_this_machine_reaches():
    assert [is_loopback(host) for host in ("127.0.0.1", "127.8.0.1", "::1", "localhost")] == [
        True
    ] * 4
    assert not any(is_loopback(host) for host in ("0.0.0.0", "::", "10.0.0.1", "example.org", ""))
