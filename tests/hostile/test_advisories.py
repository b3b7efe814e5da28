"""What the advisories of other tools are about and the table of requests does not reach."""

import ast
import contextlib
import http.client
import json
import re
import sqlite3
import threading
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

import mltrack_jupyter

MLFLOW = "/api/2.0/mlflow"
FILES = "/api/2.0/mlflow-artifacts/artifacts"
CREATE = f"{MLFLOW}/experiments/create"
ABSENT = [  # what others have, and were attacked through
    ("POST", "/api/2.0/mlflow/webhooks", {"name": "w", "url": "http://{trap}/x", "events": []}),
    ("POST", "/api/2.0/mlflow/webhooks/create", {"name": "w", "url": "http://{trap}/x"}),
    ("GET", "/ajax-api/2.0/mlflow/gateway-proxy?gateway_path=http://{trap}/x", b""),
    ("POST", "/api/2.0/mlflow/gateway-proxy", {"gateway_path": "http://{trap}/x", "request_type": "POST"}),
    ("POST", "/api/2.0/endpoints/", {"api_base": "http://{trap}/x"}),
    ("POST", "/api/3.0/mlflow/gateway/endpoints/create", {"api_base": "http://{trap}/x"}),
    ("POST", "/graphql", {"query": "{" + "".join(f"a{i}: test " for i in range(500)) + "}"}),
    ("POST", "/ajax-api/2.0/mlflow/graphql", {"query": "{a: test b: test}"}),
    ("POST", "/ajax-api/3.0/jobs", {"function": "os.system", "params": {}}),
    ("GET", "/ajax-api/3.0/jobs/1", b""),
    ("POST", "/v1/traces", b"\x0a\x00"),
    ("POST", "/api/2.0/mlflow/users/create", {"username": "eve", "password": "password1234"}),
    ("POST", "/api/2.0/mlflow/experiments/permissions/create", {"experiment_id": "0", "username": "eve"}),
    ("GET", "/signup", b""),
    ("GET", "/static-files/%2e%2e/%2e%2e/secret.txt", b""),
    ("GET", "/static-files/..%2f..%2fsecret.txt", b""),
    ("GET", f"{MLFLOW}/model-versions/get-artifact?name={{model}}&version=1&path=../../secret.txt", b""),
    ("GET", "/model-versions/get-artifact?name={model}&version=1&path=/etc/passwd", b""),
    ("GET", f"{MLFLOW}/logged-models/{{model_id}}/artifacts/files?artifact_file_path=../../secret.txt", b""),
    ("POST", "/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run_id}&path=../../x", b"planted"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body"), ABSENT)
def test_what_is_not_here_answers_nobody(target, make, method, path, body):
    for token in (True, False):
        reply = target.attack(make(method, path, body), token=token)
        assert 400 <= reply.status < 500 or (token and reply.status == 501), reply.status
    assert target.untouched()


@pytest.mark.parametrize(
    "name", ["a/b", "a:b", "/", ":", "a%2fb", "a%2Fb", "..", "a/../b", "x" * 1_000_000]
)
def test_a_registered_model_has_a_name_that_no_path_can_mean(target, make, name):
    reply = target.attack(make("POST", f"{MLFLOW}/registered-models/create", {"name": name}))
    assert reply.status == 400


def test_names_that_look_alike_in_an_address_are_two(target, make):
    for name in ("a b", "a%20b", "a+b"):
        for path, body in (
            ("create", {"name": name}),
            ("update", {"name": name, "description": name}),
        ):
            method = "POST" if path == "create" else "PATCH"
            target.attack(make(method, f"{MLFLOW}/registered-models/{path}", body))
    for name in ("a b", "a%20b", "a+b"):
        reply = target.attack(make("GET", f"{MLFLOW}/registered-models/get?name={quote(name)}"))
        if reply.status == 200:
            found = json.loads(reply.body)["registered_model"]
            assert (found["name"], found["description"]) == (name, name)


@pytest.mark.parametrize("field", ["name", "artifact_location"])
def test_a_megabyte_is_no_name(target, make, field):
    body = {"name": "n", "artifact_location": "s3://b"} | {field: "s3://" + "x" * 1_000_000}
    assert target.attack(make("POST", CREATE, body)).status == 400


PLACES = ["{experiment_id}", "{experiment_id}/{run_id}", "{experiment_id}/{run_id}/artifacts", "{experiment_id}/models/{model_id}",
          "{experiment_id}/models/{model_id}/artifacts", "{experiment_id}/models"]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("method", ["DELETE", "PUT"])
def test_the_folder_of_a_run_or_model_stays(target, make, method, place):
    reply = target.attack(make(method, f"{FILES}/{place}", b"" if method == "DELETE" else b"x"))
    assert reply.status == 400
    kept = target.send(make("GET", "/get-artifact?run_id={run_id}&path=model/MLmodel"))
    assert (kept.status, kept.body) == (200, b"{}")


# --- pages, sites, sockets -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("origin", "more", "writes"),
    [
        ("http://127.0.0.1:{port}", {}, True),
        ("https://127.0.0.1:{port}", {}, False),
        ("ftp://127.0.0.1:{port}", {}, False),
        ("https://127.0.0.1:{port}", {"X-Forwarded-Proto": "https"}, True),
        ("https://127.0.0.1:{port}", {"X-Scheme": "https, http"}, True),
        ("http://127.0.0.1:{port}", {"X-Forwarded-Proto": "https"}, False),
        ("http://127.0.0.1:1", {"X-Forwarded-Host": "127.0.0.1:1"}, False),
    ],
)
def test_an_origin_is_scheme_host_and_port(target, make, origin, more, writes):
    cookies, xsrf = target.log_in()
    headers = {
        "Cookie": cookies,
        "X-XSRFToken": xsrf,
        "Origin": origin.replace("{port}", str(target.port)),
    }
    before = target.count()
    body = {"name": f"from {origin} {more} {writes}"}
    reply = target.attack(make("POST", CREATE, body, headers | more), token=False)
    assert (reply.status == 200, target.count() > before) == (writes, writes)


def test_a_file_is_for_this_site_only(target, make):
    reply = target.send(make("GET", "/get-artifact?run_id={run_id}&path=model/MLmodel"))
    assert reply.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    cookies, _ = target.log_in()
    path = "/get-artifact?run_id={run_id}&path=model/MLmodel"
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null", "Sec-Fetch-Mode": "no-cors"},
    ):
        reply = target.attack(make("GET", path, b"", {"Cookie": cookies, **headers}), token=False)
        assert 400 <= reply.status < 500


@pytest.mark.parametrize("place", ["//evil.example", "/\\evil.example", "https://evil.example", "///evil.example/%2e%2e", "http:evil.example"])  # fmt: skip
def test_nobody_is_sent_to_another_site(target, place):
    base = urlsplit(target.server.url).path
    paths = [
        f"{base}/login?next={quote(place)}",
        f"{base}/logout?next={quote(place)}",
        f"{base}/mltrack/{place}",
        *([] if "\\" in place else [f"{base}{place}/"]),  # a browser sends "/" for it
    ]
    for path in paths:
        connection = http.client.HTTPConnection(target.host, target.port, timeout=10)
        cookies, _ = target.log_in()
        with contextlib.closing(connection):
            connection.request("GET", path, headers={"Cookie": cookies})
            answer = connection.getresponse()
            there = urlsplit(answer.headers.get("Location", "/").replace("\\", "/"))
            assert there.netloc in ("", f"{target.host}:{target.port}")
            assert there.scheme in ("", "http")


@pytest.mark.parametrize(
    "path", ["/api/events/subscribe", "/mltrack/api/1/events", "/mltrack/feed"]
)
def test_no_socket_opens_without_the_token(target, path):
    connection = http.client.HTTPConnection(target.host, target.port, timeout=10)
    headers = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "x" * 22 + "==",
    }
    with contextlib.closing(connection):
        connection.request("GET", urlsplit(target.server.url).path + path, headers=headers)
        assert connection.getresponse().status in (401, 403, 404)


# --- the house stays open ------------------------------------------------------------------------


def test_lab_answers_while_every_writer_waits(target, make):
    """Writers that wait for the database wait in threads; what is asked of Lab meanwhile is answered."""
    database = sqlite3.connect(target.server.store / "mltrack.db", isolation_level=None)
    database.execute("BEGIN IMMEDIATE")  # nobody else writes until this ends
    replies = []

    def create(number):
        connection = http.client.HTTPConnection(target.host, target.port, timeout=60)
        headers = {
            "Authorization": f"Bearer {target.server.token}",
            "Content-Type": "application/json",
        }
        with contextlib.closing(connection):
            body = json.dumps({"name": f"waits {number}"})
            connection.request("POST", target.prefix + CREATE, body, headers)
            replies.append(connection.getresponse().status)

    writers = [threading.Thread(target=create, args=(number,)) for number in range(40)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(50):
            connection = http.client.HTTPConnection(target.host, target.port, timeout=20)
            with contextlib.closing(connection):
                path = f"{urlsplit(target.server.url).path}/api/status?token={target.server.token}"
                connection.request("GET", path)
                assert connection.getresponse().status == 200
        assert replies == []  # they are all still waiting
    finally:
        database.execute("ROLLBACK")
        database.close()
        for writer in writers:
            writer.join()
    assert replies == [200] * 40


# --- what is written about it --------------------------------------------------------------------


def test_the_token_is_nowhere(target, make):
    secret = "MARKER-3141592653"
    for request in (
        make("GET", "/api/1/info", b"", {"Authorization": f"Bearer {secret}"}),
        make("GET", f"/api/1/info?token={secret}"),
        make("POST", CREATE, {"name": "x"}, {"Authorization": f"Basic {secret}"}),
        make("POST", CREATE, b"[" * 100_000, {"Authorization": f"Bearer {target.server.token}"}),
        make("GET", f"{MLFLOW}/runs/get?run_id={{run_id}}&token={target.server.token}"),
    ):
        target.attack(request, token=False)
    log = target.server.log()
    for word in (secret, target.server.token):
        assert word not in re.sub(
            r"(http\S+/(lab|tree|\S*)\?token=\S+)", "", log
        )  # the address for its owner
        for place in target.server.store.rglob("*"):
            assert place.is_dir() or word.encode() not in place.read_bytes()
    command = Path(f"/proc/{target.server.process.pid}/cmdline")
    if command.exists():
        assert secret.encode() not in command.read_bytes()


# Who touches files of a store: paths of callers go through the resolver there, and nowhere else.
TOUCHERS = (
    "store/artifacts/",
    "store/journal/",
    "store/process.py",
    "store/rights.py",  # what others make files with
    "store/sql/migrations/",
    "store/sql/schema.py",
    "store/foreign.py",  # the first bytes of a file, which tell whether it is MLflow's
    "store/sql/turns.py",
    "store/sql/same_file.py",  # the log of a database that is gone
    "store/sql/lock_holders.py",  # what Linux tells of locks
    "server/bodies.py",  # reads from the stream of a connection
    "store/read_only_file.py",  # the copy of a database, in a folder of its own
)
METHODS = {
    "unlink",
    "mkdir",
    "rmdir",
    "write_bytes",
    "write_text",
    "read_bytes",
    "read_text",
    "iterdir",
    "symlink_to",
    "hardlink_to",
}


def test_files_of_a_store_are_touched_behind_the_resolver_only():
    top = Path(mltrack_jupyter.__file__).parent
    found = set()
    for room in ("services", "store", "server"):
        for place in (top / room).rglob("*.py"):
            name = place.relative_to(top).as_posix()
            for node in ast.walk(ast.parse(place.read_text())):
                if isinstance(node, ast.Call) and touches(node.func):
                    found.add(name)
    assert found - {name for name in found if name.startswith(TOUCHERS)} == set()
    assert "store/artifacts/files.py" in found


def touches(function):
    if isinstance(function, ast.Name):
        return function.id == "open"
    owner = getattr(getattr(function, "value", None), "id", "")
    known = function.attr in METHODS if isinstance(function, ast.Attribute) else False
    return known or (
        owner in ("os", "shutil")
        and function.attr
        in (
            "open",
            "remove",
            "rename",
            "replace",
            "rmtree",
            "listdir",
            "scandir",
            "walk",
            "copyfile",
            "move",
        )
    )
