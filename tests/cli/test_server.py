"""``mltrack server`` as a process, with a real MLflow client and with hand-made requests."""

import os
import signal
import subprocess
import sys

import httpx
import pytest

pytestmark = pytest.mark.server


@pytest.fixture(scope="module", params=["token", "no-auth"])
def server(request, tmp_path_factory, start, stop):
    folder = tmp_path_factory.mktemp("server")
    options = ["--no-auth"] if request.param == "no-auth" else []
    process, url, token = start(folder, *options)
    yield url, "" if options else token
    stop(process, signal.SIGINT if options else signal.SIGTERM)


def ask(server, method, path, **headers):
    url, token = server
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return httpx.request(method, url + path, headers=headers, timeout=30)


CLIENT = """
import mlflow
mlflow.set_experiment("e")
with mlflow.start_run() as run:
    mlflow.log_metric("a", 1.5)
    mlflow.log_text("hello", "f.txt")
assert mlflow.get_run(run.info.run_id).data.metrics == {"a": 1.5}
assert mlflow.artifacts.load_text(run.info.artifact_uri + "/f.txt") == "hello"
"""


def test_an_unmodified_mlflow_client(server, tmp_path):
    pytest.importorskip("mlflow")
    url, token = server
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ML")}
    variables = {"MLFLOW_TRACKING_URI": url, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    if token:
        variables["MLFLOW_TRACKING_TOKEN"] = token
    done = subprocess.run(
        [sys.executable, "-c", CLIENT],
        cwd=tmp_path,
        env={**clean, **variables},
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_kernels_terminals_and_files_are_not_there(server):
    for path in ("/api/kernels", "/api/terminals", "/api/contents", "/api/sessions", "/files/x"):
        assert ask(server, "GET", path).status_code == 404, path
    for path in ("/lab", "/tree", "/api/status", "/nbconvert/html/x", "/api/me", "/api/config/x"):
        assert ask(server, "GET", path).status_code == 404, path


def test_both_prefixes_and_the_page(server):
    assert ask(server, "GET", "/api/1/info").status_code == 200
    assert ask(server, "GET", "/mltrack/api/1/info").status_code == 200
    assert "MLFLOW_TRACKING_URI" in ask(server, "GET", "/").text


def test_strangers_are_refused(server):
    url, token = server
    answer = httpx.get(f"{url}/api/1/info")
    assert answer.status_code == (403 if token else 200)
    create = "/api/2.0/mlflow/experiments/create?name="
    for name, headers in (
        ("origin", {"Origin": "http://evil.example"}),
        ("site", {"Sec-Fetch-Site": "cross-site"}),
        ("null", {"Origin": "null"}),
        ("referer", {"Referer": "http://evil.example/"}),
        ("host", {"Host": "evil.example"}),
        ("agent", {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)"}),
    ):
        answer = httpx.post(url + create + name, headers=headers)
        assert answer.status_code >= 400, name
        found = ask(
            server, "GET", f"/api/2.0/mlflow/experiments/get-by-name?experiment_name={name}"
        )
        assert found.status_code == 404


def run_server(*options):
    return subprocess.run(
        [sys.executable, "-m", "mltrack_jupyter.cli", "server", *options],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )


def test_no_auth_is_refused_where_others_reach_it():
    done = run_server("--host", "0.0.0.0", "--no-auth")
    assert done.returncode == 1
    assert "--no-auth is refused" in done.stderr


def test_a_taken_port_is_an_error(server, tmp_path):
    done = run_server("--port", server[0].rpartition(":")[2], "--backend-store-uri", str(tmp_path))
    assert done.returncode == 1
    assert "is in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_transfer_over_http(server, tmp_path, monkeypatch):
    url, token = server
    from mltrack_jupyter.cli import main
    from mltrack_jupyter.store import open_store

    if token:
        monkeypatch.setenv("MLTRACK_TRACKING_TOKEN", token)
    place = tmp_path / "t.csv"
    place.write_text("run_id,acc\nremote-1,0.5\n")
    assert main(["import", str(place), "--into", url]) == 0
    assert main(["import", url, "--into", str(tmp_path / "copy")]) == 0
    services = open_store(tmp_path / "copy")
    assert services.runs.get("remote-1").data.metrics == {"acc": 0.5}
    services.close()
