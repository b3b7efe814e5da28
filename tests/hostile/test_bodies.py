"""Bodies of those who may not send them, and bodies that are too large: answered unread, and kept nowhere.

Everything is told by counts and by memory; how long a machine takes is no part of it.
"""

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from conftest import clean_environment

from mltrack_jupyter.services.dispatch import AJAX, routes
from mltrack_jupyter.services.operation import LARGE_BODY, SMALL_BODY, USUAL_BODY
from mltrack_jupyter.testing.making import new_run

MB = 1_000_000
HUGE = 10**11
CREATE = "/api/2.0/mlflow/runs/create"
FILE = "/api/2.0/mlflow-artifacts/artifacts/x"
READERS = """
from jupyter_server.auth import Authorizer

class Readers(Authorizer):
    def is_authorized(self, handler, user, action, resource):
        return action == "read"
"""
AUTHORIZATION = {
    "nobody": None, "nobody's token": "Bearer nobody's", "an empty token": "Bearer ", "a wrong password": "Basic YTpi",
    "no scheme that is known": "Digest x",
}  # fmt: skip
# How a body is announced that does not come, or not to its end.
ANNOUNCED = {
    "a length": f"Content-Length: {HUGE}",
    "a length and a wait": f"Content-Length: {HUGE}\r\nExpect: 100-continue",
    "chunks": "Transfer-Encoding: chunked",
    "a form": f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {HUGE}",
    "parts of a form": f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {HUGE}",
    "a packed one": f"Content-Encoding: gzip\r\nContent-Length: {HUGE}",
}
PLACES = {
    "an operation": ("POST", CREATE), "its other spelling": ("POST", CREATE.replace("/api/", AJAX)),
    "a journal": ("POST", "/api/1/journals/append"), "an import": ("POST", "/api/1/runs/import"),
    "a file": ("PUT", FILE), "a file to delete": ("DELETE", FILE), "a question": ("GET", "/api/1/info"),
    "a change": ("PATCH", "/api/2.0/mlflow/registered-models/update"), "another method": ("PUT", CREATE),
    "no operation": ("POST", "/api/1/nothing"), "a part that is left out": ("POST", "/api/3.0/mlflow/traces"),
    "nothing at all": ("POST", "/mltrack-nothing"), "no path": ("POST", ""), "the version": ("POST", "/version"),
    "the health": ("GET", "/health"), "the page": ("POST", "/docs"), "the document": ("PUT", "/openapi.json"),
    "a head": ("HEAD", "/api/1/info"), "what may be asked": ("OPTIONS", CREATE),
}  # fmt: skip


class Line:
    """A connection on which a request is sent by hand."""

    def __init__(self, url, method, path, *headers):
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=60)
        self.ask(url, method, path, *headers)

    def ask(self, url, method, path, *headers):
        """Send the first lines of a request."""
        parts = urlsplit(url)
        lines = [
            f"{method} {parts.path}{path or '/'} HTTP/1.1"
            if path
            else f"{method} {parts.path} HTTP/1.1"
        ]
        lines += [f"Host: {parts.netloc}", *(header for header in headers if header)]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.socket.close()

    def answer(self):
        """Return the status and the JSON of an answer."""
        got = b""
        while b"\r\n\r\n" not in got:
            more = self.socket.recv(65536)
            assert more, got
            got += more
        head, _, body = got.partition(b"\r\n\r\n")
        self.head = head.decode().lower()
        length = re.search(r"content-length: (\d+)", self.head)
        while length and len(body) < int(length[1]) and (more := self.socket.recv(65536)):
            body += more
        return int(head.split()[1]), json.loads(body) if body.startswith(b"{") else {}

    def pour(self, most, *, chunked=False):
        """Send a body until the server ends that; return how many bytes it took."""
        block, sent = b"x" * MB, 0
        if chunked:
            block = b"%x\r\n%s\r\n" % (len(block), block)
        try:
            while sent < most:
                self.socket.sendall(block)
                sent += MB
        except OSError:
            pass
        return sent


class Watched:
    """A server whose memory and temporary files are counted."""

    def __init__(self, pid, url, token):
        self.url, self.token = url, f"Authorization: Bearer {token}"
        self._process = psutil.Process(pid)
        httpx.get(f"{url}/api/1/info", headers={"Authorization": f"Bearer {token}"}, timeout=60)
        self._before = self.memory

    @property
    def memory(self):
        return self._process.memory_info().rss

    @property
    def grown(self):
        return self.memory - self._before

    @property
    def kept(self):
        """How many bytes are in files that have no name: what was put aside."""
        found = 0
        for item in Path(f"/proc/{self._process.pid}/fd").iterdir():
            try:
                if int(item.name) > 2 and "(deleted)" in str(item.readlink()):
                    found += item.stat().st_size
            except FileNotFoundError:
                pass
        return found


@pytest.fixture(scope="module")
def watched(own_server):
    return Watched(own_server.process.pid, own_server.tracking_uri, own_server.token)


@pytest.fixture(scope="module")
def standalone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("standalone")
    process = subprocess.Popen(
        [sys.executable, "-m", "mltrack_jupyter.cli", "server", "--port", "0"],
        cwd=folder, env=clean_environment() | {"HOME": str(folder)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    said = "".join(process.stdout.readline() for _ in range(3))
    url = re.search(r"server at (\S+)", said)[1]
    yield Watched(process.pid, url, re.search(r"TRACKING_TOKEN=(\S+)", said)[1])
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    process.stdout.close()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("announced", ANNOUNCED)
def test_a_stranger_is_answered_before_a_byte_is_sent(watched, place, announced):
    method, path = PLACES[place]
    with Line(watched.url, method, path, ANNOUNCED[announced]) as line:
        status, _ = line.answer()
        assert status in ((403, 404) if place == "nothing at all" else (403, 413))
        assert "connection: close" in line.head


@pytest.mark.parametrize("who", AUTHORIZATION)
def test_whoever_has_no_right_token_is_told_so_unread(watched, who):
    header = AUTHORIZATION[who] and f"Authorization: {AUTHORIZATION[who]}"
    with Line(watched.url, "PUT", FILE, header, f"Content-Length: {HUGE}") as line:
        status, told = line.answer()
    assert (status, told["error_code"]) == (403, "PERMISSION_DENIED")


@pytest.mark.parametrize("place", ["an operation", "a file", "no operation", "no path"])
@pytest.mark.parametrize("chunked", [False, True], ids=["a length", "chunks"])
def test_what_a_stranger_sends_nevertheless_is_kept_nowhere(watched, place, chunked):
    method, path = PLACES[place]
    lines = [
        Line(watched.url, method, path, ANNOUNCED["chunks" if chunked else "a length"])
        for _ in range(4)
    ]
    taken = [line.pour(100 * MB, chunked=chunked) for line in lines]
    assert max(taken) < 60 * MB  # what is thrown away, and what the system itself holds
    assert watched.kept == 0
    assert watched.grown < 30 * MB
    for line in lines:
        assert line.answer()[0] == 403  # it is there, also after a connection that broke
        line.socket.close()


def test_many_strangers_who_withhold_the_last_byte_cost_nothing(watched):
    """They are let go one after the other; none keeps a part of a body, or a place."""
    lines = [Line(watched.url, "POST", CREATE, f"Content-Length: {MB + 1}") for _ in range(40)]
    for line in lines:
        line.pour(MB)
    assert watched.grown < 30 * MB
    assert httpx.get(f"{watched.url}/health", headers=bearer(watched), timeout=60).text == "OK"
    for line in lines:
        assert line.answer()[0] == 403
        assert line.socket.recv(1) == b""  # the server hangs up by itself
        line.socket.close()


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
def test_who_may_only_read_sends_nothing(start_server, tmp_path, method):
    (tmp_path / "readers.py").write_text(READERS)
    search = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    server = start_server(
        "--ServerApp.authorizer_class=readers.Readers", env={"PYTHONPATH": search}
    )
    reader = Watched(server.process.pid, server.tracking_uri, server.token)
    path = {"POST": CREATE, "PATCH": PLACES["a change"][1]}.get(method, FILE)
    with Line(reader.url, method, path, reader.token, f"Content-Length: {HUGE}") as line:
        assert line.answer()[0] == 403
        assert line.pour(100 * MB) < 60 * MB
        assert (reader.kept, reader.grown < 30 * MB) == (0, True)


OPERATIONS = [(method, route.operation) for route in routes() for method in route.operation.methods]


@pytest.mark.parametrize(
    ("method", "operation"), OPERATIONS, ids=[f"{m} {o.path}" for m, o in OPERATIONS]
)
def test_every_operation_says_how_much_it_takes(watched, method, operation):
    most = operation.largest_body(method)
    path = re.sub(r"\{[^}]*\}", "x", operation.path)
    if most is None:
        # MLflow's words answer what is too large for the last one.
        assert (method, operation.name) in {
            ("PUT", "upload"), ("PUT", "put_shared"), ("POST", "upload"),
        }  # fmt: skip
        return
    assert most <= (SMALL_BODY if method in ("GET", "DELETE") else LARGE_BODY)
    with Line(watched.url, method, path, watched.token, f"Content-Length: {most + 1}") as line:
        status, told = line.answer()
    assert (status, told["error_code"]) == (413, "REQUEST_TOO_LARGE")
    assert f"at most {most:,}" in told["message"]


def test_tens_of_megabytes_travel_only_where_journals_and_files_do():
    large = {o.name for m, o in OPERATIONS if (o.largest_body(m) or 0) > USUAL_BODY}
    assert large == {"append", "import_run", "import_logged_model", "register_run", "log_inputs"}
    assert USUAL_BODY <= 8 * 1024 * 1024


@pytest.mark.parametrize(
    "told", ["9" * 5000, "9" * 19, "-1", "1e9", "+5", "0x10", "5;5", "²", "5, 6"], ids=ascii
)
def test_a_length_that_is_no_number_breaks_nothing(watched, told):
    """Refused by us, or by Tornado, which hangs up on what is no HTTP."""
    with Line(watched.url, "POST", CREATE, watched.token, f"Content-Length: {told}") as line:
        assert line.answer()[0] in (400, 413)
    assert httpx.get(f"{watched.url}/health", headers=bearer(watched), timeout=60).text == "OK"


def test_who_sends_no_body_keeps_the_connection(watched):
    """Also whoever is refused: a connection is only given up where a body would follow."""
    with Line(watched.url, "GET", "/api/1/info") as line:
        statuses = [line.answer()[0]]
        for method, path, *headers in [("GET", "/api/1/nothing", watched.token), ("DELETE", "/api/1/info", watched.token),
                                       ("GET", "/api/1/info", watched.token)]:  # fmt: skip
            line.ask(watched.url, method, path, *headers)
            statuses.append(line.answer()[0])
    assert statuses == [403, 404, 405, 200]


def test_chunks_are_counted(watched):
    """Their length is not announced: they are read up to the limit, and the rest is thrown away."""
    with Line(watched.url, "POST", CREATE, watched.token, "Transfer-Encoding: chunked") as line:
        taken = line.pour(200 * MB, chunked=True)
        status, told = line.answer()
    assert (status, told["error_code"]) == (413, "REQUEST_TOO_LARGE")
    assert taken < 70 * MB
    assert watched.grown < 40 * MB


def test_a_connection_goes_on_after_a_body_that_was_a_little_too_long(watched):
    with httpx.Client(base_url=watched.url, headers=bearer(watched), timeout=60) as client:
        for _ in range(3):
            answer = client.post(CREATE, content=iter([b"x" * MB] * 9))
            assert answer.status_code == 413, answer.text
            assert client.get("/api/1/info").status_code == 200


@pytest.mark.parametrize("text", ["x", "é", "漢", "\u2028"], ids=ascii)
def test_the_longest_text_fits_however_it_is_written(watched, own_server, text):
    services = own_server.services()
    run_id = new_run(services).info.run_id
    for ascii_only in (True, False):
        body = json.dumps(
            {"run_id": run_id, "key": "t", "value": text * MB}, ensure_ascii=ascii_only
        )
        answer = httpx.post(f"{watched.url}/api/2.0/mlflow/runs/set-tag", content=body.encode(),
                            headers=bearer(watched), timeout=60)  # fmt: skip
        assert answer.status_code == 200, answer.text
    assert services.runs.get(run_id).data.tags["t"] == text * MB
    services.close()


@pytest.mark.parametrize("chunked", [False, True], ids=["a length", "chunks"])
def test_an_honest_upload_goes_through_little_memory(watched, chunked):
    piece, count, before = os.urandom(MB), 120, watched.memory
    digest = hashlib.sha256()
    for _ in range(count):
        digest.update(piece)
    length = {} if chunked else {"Content-Length": str(count * MB)}
    url, headers = f"{watched.url}{FILE}-{chunked}", bearer(watched)
    answer = httpx.put(url, content=iter([piece] * count), headers=headers | length, timeout=120)
    assert answer.status_code == 200, answer.text
    assert watched.memory - before < 40 * MB
    assert watched.kept == 0
    with httpx.stream("GET", url, headers=headers, timeout=120) as found:
        come = hashlib.sha256()
        for part in found.iter_bytes():
            come.update(part)
    assert come.digest() == digest.digest()
    assert watched.memory - before < 40 * MB


def test_an_upload_that_breaks_off_leaves_nothing(watched):
    for _ in range(3):
        with Line(
            watched.url, "PUT", f"{FILE}-broken", watched.token, f"Content-Length: {HUGE}"
        ) as line:
            assert line.pour(20 * MB) == 20 * MB
    answer = httpx.get(f"{watched.url}{FILE}-broken", headers=bearer(watched), timeout=60)
    assert answer.status_code == 404
    for _ in range(600):
        if watched.kept == 0:
            break
        httpx.get(f"{watched.url}/health", headers=bearer(watched), timeout=60)
    assert watched.kept == 0


STANDALONE = {
    **PLACES,
    "its page": ("POST", "/"),
    "its login": ("POST", "/login"),
    "Jupyter's own": ("PUT", "/api/x"),
}


@pytest.mark.parametrize("place", STANDALONE)
@pytest.mark.parametrize("prefix", ["", "/mltrack"])
def test_a_server_of_its_own_keeps_nothing_of_strangers(standalone, place, prefix):
    method, path = STANDALONE[place]
    with Line(standalone.url, method, prefix + path or "/", f"Content-Length: {HUGE}") as line:
        line.pour(100 * MB)
        # Jupyter's own pages answer a body that is too long with 400 and nothing more.
        assert line.answer()[0] in (400, 403, 405, 413)
    assert (standalone.kept, standalone.grown < 30 * MB) == (0, True)


def bearer(watched):
    return {"Authorization": watched.token.partition(": ")[2], "Content-Type": "application/json"}
