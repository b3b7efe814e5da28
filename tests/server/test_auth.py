"""Who may ask: Jupyter's own credentials, in every form that MLflow's clients send."""

import base64
import re

import httpx
import pytest
import tornado.web
from jupyter_server.base.handlers import APIHandler

from mltrack_jupyter.server.handlers import derived_handlers
from mltrack_jupyter.services.dispatch import routes
from mltrack_jupyter.testing.making import unique

INFO = "/api/1/info"
CREATE = "/api/2.0/mlflow/experiments/create"


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "token", "basic", "query"])
def test_the_token_opens(server, stranger, scheme):
    if scheme == "query":
        answer = stranger.get(INFO, params={"token": server.token})
    else:
        name = "ada"
        header = basic(name, server.token) if scheme == "basic" else f"{scheme} {server.token}"
        answer = stranger.get(INFO, headers={"Authorization": header})
    assert (answer.status_code, answer.json()["store"]) == (200, "sqlite")


@pytest.mark.parametrize(
    "header",
    [
        None, "", "Bearer",  "Bearer wrong", "token wrong", basic("ada", "wrong"),
        basic("token-of-the-tests", ""), "Basic !!!", "Basic /w==", "Digest username=x",
        "Bearer token-of-the-test", "Bearer token-of-the-tests2", "Bearer TOKEN-OF-THE-TESTS",
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_anything_else_is_refused_in_mlflows_words(stranger, method, header):
    path = {"GET": INFO, "POST": CREATE, "PUT": "/api/2.0/mlflow-artifacts/artifacts/x"}[method]
    headers = {"Authorization": header} if header is not None else {}
    answer = stranger.request(
        method, path, headers=headers, content=b"{}" if method != "GET" else b""
    )
    assert answer.status_code == 403
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["error_code"] == "PERMISSION_DENIED"
    assert "MLFLOW_TRACKING_TOKEN" in answer.json()["message"]


@pytest.mark.parametrize(
    ("method", "path"),
    [(method, route.operation.path) for route in routes() for method in route.operation.methods],
)
def test_every_route_refuses_strangers(stranger, method, path):
    answer = stranger.request(method, re.sub(r"\{[^}]*\}", "x", path))
    assert answer.status_code == 403, answer.text
    assert "MLFLOW_TRACKING_TOKEN" in answer.json()["message"]


def test_every_route_is_an_api_handler_that_authenticates_every_method():
    rules = derived_handlers("/mltrack")
    patterns = {rule[0] for rule in rules}
    assert {"/mltrack" + route.operation.pattern for route in routes()} < patterns
    for _, handler, _ in rules:
        assert issubclass(handler, APIHandler)
        for method in ("get", "post", "put", "patch", "delete"):
            function = getattr(handler, method)
            assert function.__code__ is tornado.web.authenticated(lambda self: None).__code__


def test_a_cookie_may_read_but_writes_only_with_its_xsrf_token(server):
    with httpx.Client() as browser:
        page = browser.get(f"{server.url}/login")
        xsrf = browser.cookies["_xsrf"]
        form = {"_xsrf": xsrf, "password": server.token}
        assert page.status_code == 200
        assert browser.post(f"{server.url}/login", data=form).status_code == 302
        assert browser.get(server.tracking_uri + INFO).status_code == 200

        create = server.tracking_uri + CREATE
        name = unique("xsrf")
        answer = browser.post(create, json={"name": name})
        assert (answer.status_code, answer.json()["error_code"]) == (403, "PERMISSION_DENIED")
        upload = browser.put(
            f"{server.tracking_uri}/api/2.0/mlflow-artifacts/artifacts/{name}", content=b"x"
        )
        assert upload.status_code == 403
        xsrf = browser.cookies["_xsrf"]
        assert (
            browser.post(create, json={"name": name}, headers={"X-XSRFToken": xsrf}).status_code
            == 200
        )


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_a_form_of_another_page_changes_nothing(client, services, kind):
    name = unique("csrf")
    body = f'{{"name": "{name}"}}'.encode()
    answer = client.post(CREATE, content=body, headers={"Content-Type": kind})
    assert answer.status_code == 400
    assert answer.json()["error_code"] in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST")
    assert len(services.experiments.search(10, filter=f"name = '{name}'")) == 0


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1.evil.example", "null"])
def test_another_origin_with_a_cookie_is_refused(server, origin):
    with httpx.Client() as browser:
        browser.get(f"{server.url}/login")
        form = {"_xsrf": browser.cookies["_xsrf"], "password": server.token}
        browser.post(f"{server.url}/login", data=form)
        answer = browser.get(server.tracking_uri + INFO, headers={"Origin": origin})
        assert answer.status_code in (403, 404)
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_jupyters_authorizer_decides_between_reading_and_writing(start_server, tmp_path):
    (tmp_path / "readers.py").write_text(
        "from jupyter_server.auth import Authorizer\n\n"
        "class Readers(Authorizer):\n"
        "    def is_authorized(self, handler, user, action, resource):\n"
        "        return action == 'read' and resource in ('mltrack', 'events')\n"
    )
    server = start_server(
        "--ServerApp.authorizer_class=readers.Readers", env={"PYTHONPATH": str(tmp_path)}
    )
    headers = {"Authorization": f"Bearer {server.token}"}
    with httpx.Client(base_url=server.tracking_uri, headers=headers) as client:
        assert client.get(INFO).status_code == 200
        search = client.post("/api/2.0/mlflow/runs/search", json={"experiment_ids": ["0"]})
        assert search.status_code == 200
        answer = client.post(CREATE, json={"name": "x"})
        assert (answer.status_code, answer.json()["error_code"]) == (403, "PERMISSION_DENIED")
        upload = client.put("/api/2.0/mlflow-artifacts/artifacts/0/x", content=b"x")
        assert upload.status_code == 403


@pytest.mark.parametrize("size", [1, 1_000_000])
def test_a_refused_upload_is_told_why(stranger, size):
    answer = stranger.put("/api/2.0/mlflow-artifacts/artifacts/x", content=b"x" * size)
    assert (answer.status_code, answer.json()["error_code"]) == (403, "PERMISSION_DENIED")


def test_who_wrote_is_in_the_change_feed(client, services):
    cursor = services.workspace.changes().last
    number = client.post(CREATE, json={"name": unique()}).json()["experiment_id"]
    (change,) = [c for c in services.workspace.changes(cursor).changes if c.entity_id == number]
    assert change.actor != ""
