"""The wire in its raw form: what clients in the field send, and what nobody should."""

import json

import httpx
import pytest

from mltrack_jupyter.services.openapi import document
from mltrack_jupyter.testing.making import new_experiment, new_run, unique

CREATE = "/api/2.0/mlflow/experiments/create"
SEARCH = "/api/2.0/mlflow/runs/search"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"


def test_unset_fields_and_empty_lists_are_absent(client, services):
    run = new_run(services)
    wire = client.get("/api/2.0/mlflow/runs/get", params={"run_uuid": run.info.run_id}).json()[
        "run"
    ]
    assert wire["info"]["run_uuid"] == run.info.run_id
    assert "end_time" not in wire["info"]
    assert set(wire["data"]) == {"tags"}
    assert (wire["inputs"], wire["outputs"]) == ({}, {})
    assert client.post(SEARCH, json={"experiment_ids": []}).json() == {}
    assert client.post("/api/2.0/mlflow/runs/delete", json={"run_id": run.info.run_id}).json() == {}


def test_integers_are_numbers_and_strange_floats_are_text(client, services):
    run_id = new_run(services).info.run_id
    metrics = [
        {"key": "nan", "value": "NaN", "timestamp": "1700000000123", "step": "3"},
        {"key": "inf", "value": "-Infinity", "timestamp": 0},
        {"key": "exp", "value": "1e-3", "timestamp": 1},
    ]
    body = {"run_id": run_id, "metrics": metrics, "unknown": 1, "params": None}
    assert client.post("/api/2.0/mlflow/runs/log-batch", json=body).json() == {}
    wire = client.get("/api/2.0/mlflow/runs/get", params={"run_id": run_id}).json()
    found = {item["key"]: item for item in wire["run"]["data"]["metrics"]}
    assert found["nan"] == {"key": "nan", "value": "NaN", "timestamp": 1700000000123, "step": 3}
    assert (found["inf"]["value"], found["exp"]["value"]) == ("-Infinity", 0.001)


def test_r_sends_every_scalar_as_text(client, services):
    name = unique("r")
    services.registered_models.create(name)
    services.model_versions.create(name, "s3://b/m")
    body = {"name": name, "version": "1", "stage": "Staging", "archive_existing_versions": "FALSE"}
    answer = client.post("/api/2.0/mlflow/model-versions/transition-stage", json=body)
    assert answer.json()["model_version"]["current_stage"] == "Staging"
    found = client.post(
        "/api/2.0/mlflow/registered-models/search",
        json={"max_results": "10", "filter": f"name = '{name}'"},
    )
    assert len(found.json()["registered_models"]) == 1


def test_enums_are_read_by_name_or_number_and_unknown_ones_ignored(client, services):
    run_id = new_run(services).info.run_id
    for status, stored in (
        ("FINISHED", "FINISHED"),
        (4, "FAILED"),
        ("5", "KILLED"),
        ("NONE", "KILLED"),
    ):
        body = {"run_id": run_id, "status": status}
        answer = client.post("/api/2.0/mlflow/runs/update", json=body)
        assert answer.json()["run_info"]["status"] == stored


def test_a_get_repeats_the_key_of_a_list(client, services):
    name = unique("list")
    services.registered_models.create(name)
    for _ in range(2):
        services.model_versions.create(name, "s3://b/m")
    services.model_versions.transition_stage(name, "1", "Staging")
    query = [("name", name), ("stages", "Staging"), ("stages", "Production")]
    answer = client.get("/api/2.0/mlflow/registered-models/get-latest-versions", params=query)
    assert [item["version"] for item in answer.json()["model_versions"]] == ["1"]


def test_an_old_client_sends_json_in_a_json_string(client):
    body = json.dumps(json.dumps({"name": unique()}))
    answer = client.post(
        CREATE, content=body, headers={"Content-Type": "application/json; charset=utf-8"}
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Missing value for required parameter 'name'"),
        (b"{}", "Missing value for required parameter 'name'"),
        (b'{"name": null}', "Missing value for required parameter 'name'"),
        (b'{"name": 7}', "Invalid value 7 for parameter 'name'"),
        (b'{"name": ["x"]}', "for parameter 'name'"),
        (b'{"name": "x", "tags": [{"value": "1"}]}', "'tags[0].key'"),
        (b'{"name": "x", "tags": {"a": 1}}', "for parameter 'tags'"),
        (b'{"name": "x", "tags": [null]}', "tags"),
        (b"[]", "must be a JSON object"),
        (b"3", "must be a JSON object"),
        (b'"x"', "not valid JSON"),
        (b"{", "not valid JSON"),
        (b'{"name": NaN}', "not valid JSON"),
        (b"\xff\xfe", "not valid JSON"),
        (b'{"name": "\\ud800"}', ""),
        (b'{"name": "' + b"x" * 1_000_000 + b'"}', "500 characters"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"tags":' * 40 + b"1" + b"}" * 40, "nested deeper"),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_read_is_the_callers_mistake(client, body, message):
    answer = client.post(CREATE, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"
    assert message in answer.json()["message"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (SEARCH, {"filter": "metrics.a > 0'; DROP TABLE runs"}),
        (SEARCH, {"experiment_ids": ["0'"]}),
        (SEARCH, {"order_by": ["metrics.a; --"]}),
        (SEARCH, {"experiment_ids": ["0"] * 40_000}),
        (SEARCH, {"max_results": 2**63}),
        (SEARCH, {"max_results": [1]}),
        (SEARCH, {"page_token": "W3s="}),
        (CREATE, {"name": "a\x00b"}),
        ("/api/2.0/mlflow/experiments/search", {"filter": "experiment_id = '²'", "max_results": 1}),
        ("/api/2.0/mlflow/runs/create", {"experiment_id": "0", "start_time": 2**63}),
        ("/api/2.0/mlflow/runs/create", {"experiment_id": "99999999999999999999"}),
        ("/api/2.0/mlflow/runs/create", {"experiment_id": "0", "run_name": "a\x00b"}),
        ("/api/2.0/mlflow/runs/log-batch", {"run_id": "x" * 10_000}),
        ("/api/1/runs/table", {"run_ids": ["x"] * 40_000}),
    ],
)  # fmt: skip
def test_nothing_hostile_is_our_fault_and_no_sql_is_shown(client, path, body):
    answer = client.post(path, json=body)
    assert answer.status_code < 500, answer.text
    for word in ("SELECT", "INSERT", "sqlite3", "sqlalchemy", "Traceback", "parameters:"):
        assert word not in answer.text.replace(json.dumps(body), "")


@pytest.mark.parametrize("pattern", ["%_" * 9000, "漢" * 19_900])
def test_a_pattern_that_the_database_finds_too_long_is_the_callers_mistake(
    client, services, pattern
):
    run = new_run(services, params={"a": "x"})
    body = {"experiment_ids": [run.info.experiment_id], "filter": f"params.a LIKE '{pattern}'"}
    assert client.post(SEARCH, json=body).status_code in (200, 400)


def test_an_unknown_route_and_a_wrong_method_are_answered_in_json(client):
    answer = client.get("/api/2.0/nothing")
    assert (answer.status_code, answer.json()["error_code"]) == (404, "ENDPOINT_NOT_FOUND")
    answer = client.post("/api/3.0/mlflow/traces", json={})
    assert (answer.status_code, answer.json()["error_code"]) == (501, "NOT_IMPLEMENTED")
    answer = client.patch(CREATE, json={})
    assert (answer.status_code, answer.json()["error_code"]) == (405, "ENDPOINT_NOT_FOUND")


def test_an_artifact_is_downloaded_and_never_shown(client):
    name = 'Bericht über "x".html'
    path = f"{ARTIFACTS}/{unique()}/" + httpx.URL(f"http://x/{name}").raw_path.decode()[1:]
    body = b"<script>alert(1)</script>"
    assert client.put(path, content=body).content == b""
    answer = client.get(path)
    assert (answer.status_code, answer.content) == (200, body)
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename*=UTF-8''Bericht%20%C3%BCber%20%22x%22.html"
    )
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Content-Length"] == str(len(body))


@pytest.mark.parametrize(
    ("name", "kind"),
    [("MLmodel", "text/plain"), ("a.json", "text/plain"), ("a.png", "image/png"),
     ("a.unknown", "application/octet-stream")],
)  # fmt: skip
def test_an_artifact_has_the_type_of_its_name(client, name, kind):
    path = f"{ARTIFACTS}/{unique()}/{name}"
    client.put(path, content=b"{}", headers={"Content-Type": "<script>alert(1)</script>"})
    assert client.get(path).headers["Content-Type"].split(";")[0] == kind


def test_an_upload_may_come_in_chunks_and_be_large(client):
    path = f"{ARTIFACTS}/{unique()}/large"
    part = bytes(range(256)) * 1024
    assert client.put(path, content=(part for _ in range(80))).status_code == 200
    digest = client.get(path).content
    assert (len(digest), digest[: len(part)]) == (80 * len(part), part)
    assert client.put(f"{path}-empty", content=iter(())).status_code == 200
    assert client.get(f"{path}-empty").content == b""


@pytest.mark.parametrize(
    "path",
    ["%2e%2e/x", "..%2fx", "%2e%2e%2f%2e%2e%2fetc/passwd", "%252e%252e%252fx", "a%00b", "%5c..%5cx",
     "%2fetc%2fpasswd", "a%2f%2e%2e%2fb", "%c0%ae%c0%ae/x", "%ff", "..%c0%afx"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_encoded_way_out_is_refused(client, method, path):
    answer = client.request(method, f"{ARTIFACTS}/{path}", content=b"x" if method == "PUT" else b"")
    assert answer.status_code == 400, (answer.status_code, answer.text)


@pytest.mark.parametrize(
    "location",
    ["/etc", "//etc", "file:///etc", "FILE:///etc", " file:///etc", "relative", "file:relative",
     "file://host/etc", "http://127.0.0.1:9/x"],
)  # fmt: skip
def test_a_server_keeps_artifacts_below_its_own_root_only(client, location):
    answer = client.post(CREATE, json={"name": unique(), "artifact_location": location})
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize(
    "source",
    ["/etc", "//etc", "file:///etc", "FILE:///etc", " file:///etc", "file:etc", "../x", "x"],
)
def test_a_version_is_never_made_of_a_file_of_the_server(client, services, source):
    name, run = unique(), new_run(services)
    services.registered_models.create(name)
    body = {"name": name, "source": source, "run_id": run.info.run_id}
    tags = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
    for given in (body, {**body, "tags": tags}, {"name": name, "source": source}):
        answer = client.post("/api/2.0/mlflow/model-versions/create", json=given)
        assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_a_deleted_experiment_keeps_answering(client, services):
    number = new_experiment(services)
    services.experiments.delete(number)
    answer = client.get("/api/2.0/mlflow/experiments/get", params={"experiment_id": number})
    assert answer.json()["experiment"]["lifecycle_stage"] == "deleted"


def test_the_operations_are_described_for_people_and_for_programs(client):
    assert client.get("/openapi.json").json() == document()
    shown = client.get("/docs")
    assert shown.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
    assert "<script" not in shown.text
    assert all(path in shown.text for path in document()["paths"])
    assert client.post("/docs", json={}).status_code == 405
