"""Small things that MLflow's own server does, each seen beside it: clients may lean on any of them."""

import json

import pytest

from mltrack_jupyter.testing.making import new_experiment, new_model, new_run, unique

API = "/api/2.0/mlflow"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"


def refusal(answer):
    return answer.status_code, answer.json()["error_code"]


@pytest.mark.parametrize(
    ("method", "path", "given"),
    [
        ("GET", "experiments/get-by-name", {"experiment_name": ""}),
        ("GET", "runs/get", {"run_id": ""}),
        ("GET", "metrics/get-history", {"run_id": "{run}", "metric_key": ""}),
        ("POST", "experiments/update", {"experiment_id": "0"}),
        ("POST", "experiments/update", {"experiment_id": "0", "new_name": ""}),
        ("POST", "runs/set-tag", {"run_id": "", "run_uuid": "{run}", "key": "a", "value": "b"}),
        ("POST", "runs/outputs", {"run_id": "{run}"}),
        ("POST", "model-versions/create", {"name": "{model}", "source": ""}),
    ],
)
def test_what_is_required_is_not_empty(client, services, method, path, given):
    names = {"run": new_run(services).info.run_id, "model": new_model(services)}
    given = {key: value.format(**names) for key, value in given.items()}
    extra = {"params": given} if method == "GET" else {"json": given}
    answer = client.request(method, f"{API}/{path}", **extra)
    assert refusal(answer) == (400, "INVALID_PARAMETER_VALUE")
    assert "Missing value for required parameter" in answer.json()["message"]


def test_one_spelling_at_a_time(client, services):
    run_id = new_run(services).info.run_id
    body = {"run_id": run_id, "runId": run_id, "key": "a", "value": "b"}
    assert refusal(client.post(f"{API}/runs/set-tag", json=body)) == (
        400,
        "INVALID_PARAMETER_VALUE",
    )
    asked = [("run_id", run_id), ("run_id", "other"), ("run_uuid", "third")]
    assert client.get(f"{API}/runs/get", params=asked).json()["run"]["info"]["run_id"] == run_id


def test_the_body_repeats_the_id_where_mlflow_s_does(client, services):
    model_id = services.logged_models.create(new_experiment(services), "model").info.model_id
    path = f"{API}/logged-models/{model_id}"
    status = {"status": "LOGGED_MODEL_READY"}
    params = {"params": [{"key": "a", "value": "1"}]}
    for method, place, body in (("PATCH", path, status), ("POST", f"{path}/params", params)):
        assert refusal(client.request(method, place, json=body)) == (400, "INVALID_PARAMETER_VALUE")
        assert client.request(method, place, json={**body, "model_id": model_id}).status_code == 200
    tags = {"tags": [{"key": "a", "value": "1"}]}
    assert client.patch(f"{path}/tags", json=tags).json() == {}


def test_methods_without_an_answer(client):
    assert client.head(f"{API}/experiments/get", params={"experiment_id": "0"}).status_code == 400
    answer = client.options(f"{API}/experiments/get")
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/2.0/mlflow/experiments/get/", 404),
        ("/api/2.0/mlflow/logged-models/", 404),
        ("/api/2.0/mlflow/experiments/tracesome", 404),
        ("/api/2.0/mlflow/tracesome", 404),
        ("/api/3.0/mlflow/traces/search", 501),
        ("/api/3.0/mlflow/scorers/list", 501),
        ("/api/2.0/mlflow/webhooks", 501),
        ("/ajax-api/3.0/mlflow/gateway/endpoints/list", 501),
    ],
)
def test_unknown_and_left_out_are_told_apart(client, path, status):
    assert client.get(path).status_code == status


def test_a_run_keeps_its_name(client, services):
    run_id = new_run(services, name="first").info.run_id
    body = {"run_id": run_id, "key": "mlflow.runName", "value": ""}
    assert client.post(f"{API}/runs/set-tag", json=body).json() == {}
    run = services.runs.get(run_id)
    assert (run.info.run_name, run.data.tags["mlflow.runName"]) == ("first", "first")


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a.txt", "attachment; filename=a.txt"),
        ("a b.txt", 'attachment; filename="a b.txt"'),
        ('a"b.txt', 'attachment; filename="a\\"b.txt"'),
        ("ü.txt", "attachment; filename*=UTF-8''%C3%BC.txt"),
    ],
)
def test_a_file_is_saved_under_its_name(client, name, header):
    path = f"{ARTIFACTS}/{unique()}/{name}"
    client.put(path, content=b"x")
    assert client.get(path).headers["Content-Disposition"] == header


def test_a_folder_may_be_listed_with_a_slash(client):
    folder = unique()
    client.put(f"{ARTIFACTS}/{folder}/a/b.txt", content=b"x")
    listed = client.get(ARTIFACTS, params={"path": f"{folder}/a/"}).json()
    assert listed == {"files": [{"path": "b.txt", "is_dir": False, "file_size": 1}]}


def test_what_mlflow_s_clients_ask_a_server_about_itself(client):
    info = client.get("/api/3.0/mlflow/server-info").json()
    assert info["features_enabled"] == {"gateway": False, "scheduled_issue_detection": False}
    assert not any(value for name, value in info.items() if "presigned" in name)
    assert client.get(f"{API}/experiments/get", params={"experiment_id": "0"}).json()["experiment"][
        "workspace"
    ] == ("default")


def test_a_version_tells_the_logged_model(client, services):
    name = new_model(services)
    model_id = services.logged_models.create(new_experiment(services), "model").info.model_id
    body = {"name": name, "source": f"models:/{model_id}", "model_id": model_id}
    client.post(f"{API}/model-versions/create", json=body)
    tags = services.logged_models.get(model_id).info.tags
    assert json.loads(tags["mlflow.modelVersions"]) == [{"name": name, "version": 1}]


@pytest.mark.parametrize(
    ("given", "shown"),
    [("foo", '"foo"'), (7, "7"), ({"a": None}, '{"a": null}'), ([], "[]"), ('a"b', r'"a\"b"')],
)
def test_a_wrong_value_is_shown_as_it_was_sent(client, given, shown):
    field = "timestamp" if isinstance(given, str) else "key"
    body = {"run_id": "r", "key": "m", "value": 1, "timestamp": 1} | {field: given}
    answer = client.post(f"{API}/runs/log-metric", json=body)
    assert refusal(answer) == (400, "INVALID_PARAMETER_VALUE")
    start = f"Invalid value {shown} for parameter '{field}' supplied"
    assert answer.json()["message"].startswith(start)
