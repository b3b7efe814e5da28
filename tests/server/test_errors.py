"""Wherever a request is refused, the answer has MLflow's format, and the log of the server no traceback."""

import httpx
import pytest

RUNS = "/api/2.0/mlflow/runs"


@pytest.mark.parametrize(
    ("method", "path", "request_", "status", "code"),
    [
        ("POST", f"{RUNS}/create", {"content": b"{}", "headers": {"Content-Type": "text/plain"}},
         400, "INVALID_PARAMETER_VALUE"),
        ("POST", f"{RUNS}/create", {"content": b"[]"}, 400, "INVALID_PARAMETER_VALUE"),
        ("POST", f"{RUNS}/create", {"json": {"experiment_id": "999"}}, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("POST", f"{RUNS}/search", {"content": b" " * (8 * 1024 * 1024 + 1)}, 413, "REQUEST_TOO_LARGE"),
        ("GET", f"{RUNS}/nothing", {}, 404, "ENDPOINT_NOT_FOUND"),
        ("POST", "/api/2.0/mlflow/traces", {"json": {}}, 501, "NOT_IMPLEMENTED"),
        ("DELETE", f"{RUNS}/get", {}, 405, "ENDPOINT_NOT_FOUND"),
    ],
)  # fmt: skip
def test_what_is_refused_is_answered_and_no_fault(server, method, path, request_, status, code):
    asked = {"headers": {}, **request_}
    asked["headers"] = {"Authorization": f"Bearer {server.token}", **asked["headers"]}
    before = len(server.log())
    answer = httpx.request(method, server.tracking_uri + path, timeout=60, **asked)
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/json"
    assert "Traceback" not in server.log()[before:]
