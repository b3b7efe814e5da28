"""A server under attack: what surrounds its artifact root, a trap on the loopback, and a watchman."""

import contextlib
import http.client
import http.server
import json
import os
import sqlite3
import threading
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest
from trust_scene import scene  # noqa: F401 - a fixture

from mltrack_jupyter.store import open_store
from mltrack_jupyter.testing.making import new_model, new_run, put
from mltrack_jupyter.transfer import Report, copy_source, open_source
from mltrack_jupyter.transfer.report import Progress

CANARY = "CANARY-7f3a91"
# What an answer holds only if it tells of the server's insides; looked for after what was sent is gone.
INSIDES = (
    CANARY, "root:x:0", "Traceback (most recent", "site-packages", 'File "/', "sqlalche.me", "(sqlite3.",
    "OperationalError", "IntegrityError", "[SQL:", "SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ",
    "SQLite format", "object at 0x",
)  # fmt: skip


@dataclass
class Request:
    """A request as it goes over the line; ``body`` is JSON unless it is bytes."""

    method: str
    path: str
    body: object = b""
    headers: dict = field(default_factory=dict)

    @property
    def content(self):
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")


class Trap(http.server.ThreadingHTTPServer):
    """A server on the loopback that nobody may call."""

    def __init__(self):
        self.calls = []
        trap = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def handle_one_request(self):
                trap.calls.append(self.client_address)
                self.close_connection = True

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Target:
    """The server, everything around it that must stay as it is, and things in it to aim at."""

    def __init__(self, server, trap, outside):
        self.server, self.trap, self.outside = server, trap, outside
        parts = urlsplit(server.tracking_uri)
        self.host, self.port, self.prefix = parts.hostname, parts.port, parts.path
        self.connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        self.sent = 0
        self.services = services = server.services()
        run = new_run(services, metrics={"m": 1.0}, params={"p": "1"}, tags={"t": "1"})
        self.values = {
            "run_id": run.info.run_id,
            "experiment_id": run.info.experiment_id,
            "model": new_model(services, versions=1),
            "model_id": services.logged_models.create(run.info.experiment_id).info.model_id,
            "outside": str(outside),
            "trap": f"127.0.0.1:{trap.server_address[1]}",
        }
        put(services, f"{run.info.artifact_uri.partition(':/')[2]}/model/MLmodel", b"{}")
        for place in self._canaries():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(CANARY)
        self.before = self._around()

    def _canaries(self):
        store = self.server.store
        near = (store, store.parent, store.parent.parent)
        beside = store / "artifacts-secret" / "secret.txt"  # begins as the root's own name does
        return [*(folder / "secret.txt" for folder in near), beside, self.outside / "secret.txt"]

    def _around(self):
        """Return every file outside the artifact root but for those that the server itself writes."""
        own = {self.server.store / "artifacts", self.server.folder / "runtime"}
        found = {}
        for top in (self.server.folder, self.outside):
            for folder, folders, files in os.walk(top):
                folders[:] = [name for name in folders if Path(folder, name) not in own]
                found[Path(folder)] = b""
                for name in files:
                    if not name.startswith(("mltrack.db", "server.log")):
                        found[Path(folder, name)] = Path(folder, name).read_bytes()
        return found

    def untouched(self):
        return self.before == self._around() and not self.trap.calls

    def fill(self, text):
        """Put the ids and places of this server into a template such as ``{run_id}``."""
        for name, value in (self.values | {"sent": str(self.sent)}).items():
            text = text.replace("{" + name + "}", value)
        return text

    def send(self, request, *, token=True):
        """Send a request with nothing corrected on the way, and return the reply."""
        path, headers = self.fill(request.path), dict(request.headers)
        content = self.fill(request.content.decode("latin-1")).encode("latin-1")
        if token and "Authorization" not in headers:
            headers["Authorization"] = f"Bearer {self.server.token}"
        if content and "Content-Type" not in headers:
            headers["Content-Type"] = "application/json"
        headers.setdefault("Content-Length", str(len(content)))
        headers.setdefault("Host", f"{self.host}:{self.port}")
        place = path if path.startswith("//") else self.prefix + path
        try:
            self.connection.putrequest(
                request.method, place, skip_host=True, skip_accept_encoding=True
            )
            for name, value in headers.items():
                self.connection.putheader(name, value)
            self.connection.endheaders(content)
            answer = self.connection.getresponse()
            reply = Reply(answer.status, answer.headers, answer.read())
        except (http.client.HTTPException, ConnectionError):
            self.connection.close()  # Tornado hangs up on what is no HTTP
            reply = Reply(400, http.client.HTTPMessage(), b"")
        self.sent += 1
        return reply

    def attack(self, request, *, token=True):
        """Send a request; whatever it is, the server answers in good order and tells nothing."""
        reply = self.send(request, token=token)
        said = reply.text
        sent = self.fill(request.path) + self.fill(request.content.decode("utf-8", "replace"))
        told = [
            word
            for word in (*INSIDES, str(self.server.folder))
            if word in said and word not in sent
        ]
        fine = reply.status < 500 or reply.status == 501
        assert (fine, told) == (True, []), (reply.status, said[:300], request.method, sent[:300])
        assert self.trap.calls == []
        return reply

    def log_in(self):
        """Return the cookies of a browser that is logged in, and its XSRF token."""
        with httpx.Client() as browser:
            browser.get(f"{self.server.url}/login")
            form = {"_xsrf": browser.cookies["_xsrf"], "password": self.server.token}
            assert browser.post(f"{self.server.url}/login", data=form).status_code == 302
            pairs = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies.jar)
            return pairs, browser.cookies["_xsrf"]

    def count(self):
        """Return how many rows the store has in all: a refused request leaves it as it was."""
        with contextlib.closing(sqlite3.connect(self.server.store / "mltrack.db")) as connection:
            query = "SELECT name FROM sqlite_master WHERE type = 'table'"
            tables = [name for (name,) in connection.execute(query)]
            return sum(
                connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables
            )

    def intact(self):
        with contextlib.closing(sqlite3.connect(self.server.store / "mltrack.db")) as connection:
            checks = ("integrity_check", "foreign_key_check")
            return [connection.execute(f"PRAGMA {check}").fetchall() for check in checks] == [
                [("ok",)],
                [],
            ]


class Watchman:
    """Asks for Lab's status all the time, as its page does."""

    def __init__(self, server):
        self.statuses, self._url, self._token = [], urlsplit(server.url), server.token
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self):
        while not self._over.wait(0.05):
            connection = http.client.HTTPConnection(self._url.hostname, self._url.port, timeout=10)
            try:
                connection.request("GET", f"{self._url.path}/api/status?token={quote(self._token)}")
                self.statuses.append(connection.getresponse().status)
            except OSError as error:
                self.statuses.append(str(error))
            finally:
                connection.close()

    def stop(self):
        self._over.set()
        self._thread.join()


@pytest.fixture(scope="module")
def target(own_server, tmp_path_factory):
    trap = Trap()
    target = Target(own_server, trap, tmp_path_factory.mktemp("outside"))
    target.watchman = Watchman(own_server)
    yield target
    target.watchman.stop()
    target.services.close()
    target.connection.close()
    trap.shutdown()
    trap.server_close()


@pytest.fixture
def make():
    """Requests, for tests that cannot import this file."""
    return Request


@pytest.fixture
def into(tmp_path):
    """A store into which something is imported."""
    services = open_store(tmp_path / "target" / ".mltrack")
    yield services
    services.close()


@pytest.fixture
def bring():
    """Copy what a user names into a store; return the report."""

    def copy(source, target, **options):
        report, opened = Report(), open_source(str(source), **options)
        try:
            copy_source(opened, target, report, Progress(report))
        finally:
            opened.close()
        return report

    return copy
