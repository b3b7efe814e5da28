"""MLflow's paths beside its REST 2.0: those of its own pages, of launchers, and those left out."""

import pytest

from mltrack_jupyter.services.dispatch import find
from mltrack_jupyter.testing.making import new_experiment, new_run, unique

AJAX = "/ajax-api/2.0/mlflow"


def test_the_pages_paths_answer_as_the_clients_do(client, services):
    name = unique()
    number = client.post(f"{AJAX}/experiments/create", json={"name": name}).json()["experiment_id"]
    assert services.experiments.get(number).name == name
    for base in ("/api/2.0/mlflow", AJAX):
        answer = client.get(f"{base}/experiments/get", params={"experiment_id": number})
        assert answer.json()["experiment"]["name"] == name
        answer = client.post(
            f"{base}/experiments/search-datasets", json={"experiment_ids": [number]}
        )
        assert (answer.status_code, answer.json()) == (200, {})
    path = f"/ajax-api/2.0/mlflow-artifacts/artifacts/{unique()}/x"
    assert client.put(path, content=b"x").status_code == 200
    assert client.get(path.replace("ajax-api", "api")).content == b"x"
    assert find("GET", f"{AJAX}/experiments/get")[0].operation.name == "get"


@pytest.mark.parametrize("path", ["/ajax-api/2.0/nothing", "/api/2.0/preview/mlflow/runs/search"])
def test_what_mlflow_does_not_have_is_not_found(client, path):
    answer = client.post(path, json={})
    assert (answer.status_code, answer.json()["error_code"]) == (404, "ENDPOINT_NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/2.0/mlflow-artifacts/mpu/create/0/r/artifacts/x"),
        ("POST", "/api/2.0/mlflow-artifacts/mpu/complete/0/r/artifacts/x"),
        ("POST", "/api/2.0/mlflow-artifacts/mpu/abort/0/r/artifacts/x"),
        ("GET", "/api/2.0/mlflow-artifacts/presigned/0/r/artifacts/x"),
        ("POST", "/api/2.0/mlflow/artifacts/presigned-upload-url"),
        ("POST", "/api/2.0/mlflow/artifacts/presigned-download-url"),
        ("POST", "/ajax-api/2.0/mlflow/artifacts/presigned-download-url"),
        ("GET", "/ajax-api/3.0/mlflow/traces"),
    ],
)
def test_what_is_left_out_says_so_in_a_sentence(client, method, path):
    body = {"path": "x", "num_parts": 1, "upload_id": "u", "parts": []}
    answer = client.request(method, path, json=body if method == "POST" else None)
    assert (answer.status_code, answer.json()["error_code"]) == (501, "NOT_IMPLEMENTED")
    assert answer.json()["message"].endswith(".")
    assert answer.headers["Content-Type"] == "application/json"


def test_files_on_the_disk_are_not_sent_in_parts(client):
    info = client.get("/api/3.0/mlflow/server-info").json()
    assert (info["multipart_uploads_enabled"], info["multipart_downloads_enabled"]) == (
        False,
        False,
    )


@pytest.mark.parametrize(("path", "text"), [("/version", "3.18.0"), ("/health", "OK")])
def test_launchers_are_answered_in_plain_text(client, stranger, path, text):
    answer = client.get(path)
    assert (answer.status_code, answer.text) == (200, text)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert client.post(path, json={}).status_code == 405
    assert stranger.get(path).status_code == 403


def test_an_interval_of_several_histories(client, services):
    number = new_experiment(services)
    ids = [new_run(services, number, metrics={"m": 0.5}).info.run_id for _ in range(2)]
    query = [("run_ids", run_id) for run_id in ids] + [("metric_key", "m")]
    query += [("start_step", "0"), ("end_step", "9"), ("max_results", "10")]
    answer = client.get("/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval", params=query)
    assert [point["run_id"] for point in answer.json()["metrics"]] == ids
    assert {point["step"] for point in answer.json()["metrics"]} == {0}
