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
    stop(process, signal.SIGINT)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--token", "short"], "8 characters"),
        (["--backend-store-uri", "http://127.0.0.1:1"], "is a server itself"),
        (["--default-artifact-root", "s3://bucket"], "no local folder"),
        (["--backend-store-uri", "mongodb://x"], "unknown scheme"),
    ],
)
def test_what_cannot_be_served_is_refused_before_anything_listens(options, reason, capsys):
    assert main(["server", "--port", "0", *options]) == 1
    assert reason in capsys.readouterr().err


def test_which_addresses_only_this_machine_reaches():
    assert [is_loopback(host) for host in ("127.0.0.1", "127.8.0.1", "::1", "localhost")] == [
        True
    ] * 4
    assert not any(is_loopback(host) for host in ("0.0.0.0", "::", "10.0.0.1", "example.org", ""))
