"""What MLflow's R and Java clients send and read, replayed as they send it."""

import pytest

from mltrack_jupyter.testing.making import new_experiment, new_model, new_run, unique

BASE = "/api/2.0/mlflow"


@pytest.fixture
def send(client):
    """Send a request that must be answered with 200, and return its JSON."""

    def send(method, path, **options):
        answer = client.request(method, f"{BASE}/{path}", **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return send


# --- R: every scalar of a body is text, and runs have both ids ---------------------------------


def test_r_tracks_a_run(send, services):
    number = send("POST", "experiments/create", json={"name": unique("r")})["experiment_id"]
    run = send("POST", "runs/create", json={
        "experiment_id": number, "user_id": "ada", "start_time": "1700000000123",
        "tags": [{"key": "mlflow.source.type", "value": "LOCAL"}],
    })["run"]  # fmt: skip
    run_id = run["info"]["run_uuid"]
    assert (run["info"]["run_id"], run["info"]["start_time"]) == (run_id, 1700000000123)
    both = {"run_uuid": run_id, "run_id": run_id}

    send("POST", "runs/log-parameter", json={**both, "key": "depth", "value": "3"})
    for step, value in (("0", "0.25"), ("1", "1e-3"), ("2", "NaN")):
        point = {"key": "loss", "value": value, "timestamp": "1700000000124", "step": step}
        send("POST", "runs/log-metric", json={**both, **point})
    send("POST", "runs/set-tag", json={**both, "key": "who", "value": "ada"})
    ended = send("POST", "runs/update", json={
        **both, "status": "FINISHED", "end_time": "1700000000999",
    })  # fmt: skip
    assert ended["run_info"]["run_uuid"] == run_id

    found = send("GET", "runs/get", params=both)["run"]
    assert found["info"]["end_time"] == 1700000000999
    assert found["data"]["params"] == [{"key": "depth", "value": "3"}]
    (loss,) = found["data"]["metrics"]
    assert (loss["value"], loss["step"]) == ("NaN", 2)
    history = send("GET", "metrics/get-history", params={**both, "metric_key": "loss"})
    assert [point["value"] for point in history["metrics"]] == [0.25, 0.001, "NaN"]
    assert services.runs.get(run_id).data.params == {"depth": "3"}


def test_r_searches_runs_and_experiments(send, services):
    number = new_experiment(services)
    for accuracy in (0.5, 0.75):
        new_run(services, number, metrics={"acc": accuracy})
    page = send("POST", "runs/search", json={
        "experiment_ids": [number], "filter": "metrics.acc > 0", "run_view_type": "ACTIVE_ONLY",
        "order_by": ["metrics.acc DESC"], "max_results": "1",
    })  # fmt: skip
    (run,) = page["runs"]
    assert run["info"]["run_uuid"] == run["info"]["run_id"]
    assert run["data"]["metrics"][0]["value"] == 0.75
    assert page["next_page_token"]
    found = send("POST", "experiments/search", json={"max_results": "5", "view_type": "ALL"})
    assert len(found["experiments"]) <= 5


def test_r_lists_artifacts_by_either_id(send, client, services):
    run = new_run(services)
    path = f"{run.info.experiment_id}/{run.info.run_id}/artifacts/plots/roc.txt"
    client.put(f"/api/2.0/mlflow-artifacts/artifacts/{path}", content=b"x")
    for name in ("run_id", "run_uuid"):
        listed = send("GET", "artifacts/list", params={name: run.info.run_id, "path": "plots"})
        assert listed["root_uri"] == run.info.artifact_uri
        assert listed["files"] == [{"path": "plots/roc.txt", "is_dir": False, "file_size": 1}]


@pytest.mark.parametrize(
    ("text", "stages"),
    [("TRUE", ["Archived", "Production"]), ("true", ["Archived", "Production"]),
     ("FALSE", ["Production", "Production"]), ("false", ["Production", "Production"]),
     (True, ["Archived", "Production"]), (False, ["Production", "Production"])],
)  # fmt: skip
def test_r_moves_a_version_to_a_stage(send, services, text, stages):
    name = new_model(services, versions=2)
    for version, archive in (("1", "FALSE"), ("2", text)):
        moved = send("POST", "model-versions/transition-stage", json={
            "name": name, "version": version, "stage": "Production",
            "archive_existing_versions": archive,
        })["model_version"]  # fmt: skip
        assert (moved["version"], moved["current_stage"]) == (version, "Production")
    found = [services.model_versions.get(name, number).current_stage for number in ("1", "2")]
    assert found == stages


def test_a_flag_that_is_none_is_refused(client, services):
    body = {"name": new_model(services, versions=1), "version": "1", "stage": "Production"}
    answer = client.post(
        f"{BASE}/model-versions/transition-stage",
        json={**body, "archive_existing_versions": "perhaps"},
    )
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_r_searches_registered_models_by_post(send, services):
    name = new_model(services, versions=1)
    found = send("POST", "registered-models/search", json={
        "filter": f"name = '{name}'", "max_results": "100", "order_by": ["name"],
    })  # fmt: skip
    (model,) = found["registered_models"]
    assert (model["name"], model["latest_versions"][0]["version"]) == (name, "1")
    assert send("POST", "registered-models/search", json={}).get("registered_models")


def test_r_changes_and_deletes_with_bodies(send, services):
    name = new_model(services, versions=1)
    send("PATCH", "registered-models/update", json={"name": name, "description": "new"})
    both = {"name": name, "version": "1"}
    send("PATCH", "model-versions/update", json={**both, "description": "better"})
    send("DELETE", "model-versions/delete", json=both)
    send("DELETE", "registered-models/delete", json={"name": name})
    assert len(services.registered_models.search(f"name = '{name}'")) == 0


# --- R and Java: what is missing, and the newest versions --------------------------------------


def test_an_experiment_of_no_such_name_is_404_with_the_code_in_the_body(client):
    query = {"experiment_name": unique("none")}
    answer = client.get(f"{BASE}/experiments/get-by-name", params=query)
    assert answer.status_code == 404
    assert answer.json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    assert "RESOURCE_DOES_NOT_EXIST" in answer.text  # R searches the text for it


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_newest_version_of_each_stage(send, services, method):
    name = new_model(services, versions=3)
    services.model_versions.transition_stage(name, "2", "Staging")

    def newest(**asked):
        options = {"params" if method == "GET" else "json": {"name": name, **asked}}
        found = send(method, "registered-models/get-latest-versions", **options)
        return {item["current_stage"]: item["version"] for item in found["model_versions"]}

    assert newest() == {"None": "3", "Staging": "2"}
    assert newest(stages=["Staging"]) == {"Staging": "2"}


# --- Java: protobuf's JSON, in which 64-bit integers are text ----------------------------------


def test_java_logs_a_batch_and_pages_through_a_history(send, services):
    run = new_run(services)
    points = [
        {"key": "m", "value": value, "timestamp": "1700000000000", "step": str(step)}
        for step, value in enumerate([0.5, "Infinity", "-Infinity"])
    ]
    send("POST", "runs/log-batch", json={
        "run_id": run.info.run_id, "metrics": points, "params": [{"key": "p", "value": "1"}],
        "tags": [{"key": "t", "value": "2"}],
    })  # fmt: skip
    values, token = [], ""
    while True:
        query = {"run_uuid": run.info.run_id, "metric_key": "m", "max_results": "2"}
        page = send("GET", "metrics/get-history", params={**query, "page_token": token})
        values += [point["value"] for point in page["metrics"]]
        token = page.get("next_page_token")
        if not token:
            break
    assert values == [0.5, "Infinity", "-Infinity"]


def test_java_searches_versions_by_get(send, services):
    name = new_model(services, versions=2)
    query = {"filter": f"name='{name}'", "max_results": "1", "order_by": ["version_number DESC"]}
    page = send("GET", "model-versions/search", params=query)
    assert [item["version"] for item in page["model_versions"]] == ["2"]
    query["page_token"] = page["next_page_token"]
    page = send("GET", "model-versions/search", params=query)
    assert [item["version"] for item in page["model_versions"]] == ["1"]
    assert "next_page_token" not in page
