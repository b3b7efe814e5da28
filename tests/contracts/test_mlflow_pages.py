"""What MLflow's web pages ask for where a client may, too: the same requests to MLflow's own server and to ours."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest
from conftest import clean_environment

pytest.importorskip("mlflow")
pytestmark = pytest.mark.server

AJAX = "/ajax-api/2.0/mlflow"
API = "/api/2.0/mlflow"
FILES = (
    "MLmodel",
    "mlproject",
    "conda.yaml",
    "out.log",
    "log",
    "a.txt",
    "b.pkl",
    "c.png",
    "dir/x.py",
)
COMMANDS = {
    "mlflow": ("mlflow", "server", "--workers=1", "--serve-artifacts"),
    "ours": ("mltrack_jupyter.cli", "server", "--no-auth"),
}


@contextlib.contextmanager
def serving(name, folder):
    """Run a server over an empty database and folder; yield a client of it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder.mkdir()
    module, *options = COMMANDS[name]
    command = [
        sys.executable, "-m", module, *options, f"--port={port}", "--host=127.0.0.1",
        f"--backend-store-uri=sqlite:///{folder}/store.db",
        f"--artifacts-destination={folder / 'artifacts'}",
    ]  # fmt: skip
    environment = clean_environment() | {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX": "^(?!gs:)",
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=log, stderr=log, start_new_session=True
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
            for _ in range(1200):
                assert process.poll() is None, (folder / "log").read_text()
                with contextlib.suppress(httpx.TransportError):
                    if client.get("/health").status_code == 200:
                        break
                time.sleep(0.1)
            yield Server(client)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


class Server:
    """A server with two runs, a logged model and a version of it; names stand for their ids."""

    def __init__(self, client):
        self.client = client
        self.ids = {"experiment": self.post("experiments/create", name="e")["experiment_id"]}
        ids = [self.post("runs/create", experiment_id=self.ids["experiment"]) for _ in range(2)]
        # In the order of their ids, which is the order of a history in bulk.
        runs = sorted(item["run"]["info"]["run_id"] for item in ids)
        self.ids |= {"one": runs[0], "other": runs[1]}
        for number, run_id in enumerate(runs):
            points = [
                {"key": "m", "value": step / 2 + number, "timestamp": 1000 - step, "step": step}
                for step in range(7)
            ]
            self.post("runs/log-batch", run_id=run_id, metrics=points)
        data = {"name": "d", "digest": "1", "source_type": "local", "source": "{}"}
        context = [{"key": "mlflow.data.context", "value": "training"}]
        self.post("runs/log-inputs", run_id=runs[0], datasets=[{"dataset": data, "tags": context}])
        made = self.post("logged-models", experiment_id=self.ids["experiment"], name="m")
        info = made["model"]["info"]
        self.ids["model"] = info["model_id"]
        place = info["artifact_uri"].removeprefix("mlflow-artifacts:/")
        for name in FILES:
            path = f"/api/2.0/mlflow-artifacts/artifacts/{place}/{name}"
            assert client.put(path, content=b"flavors: {}\n").status_code == 200
        self.post("registered-models/create", name="r")
        version = {"name": "r", "source": info["artifact_uri"], "model_id": info["model_id"]}
        self.post("model-versions/create", **version)

    def post(self, path, **body):
        answer = self.client.post(f"{API}/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, method, path, query=(), **more):
        """Send a request in which names stand for ids, and return the answer with the names again."""
        pairs = [(key, str(value).format(**self.ids)) for key, value in query]
        answer = self.client.request(method, path.format(**self.ids), params=pairs, **more)
        text = answer.text
        for name, value in self.ids.items():
            if len(value) > 5:
                text = text.replace(value, name)
        if not answer.is_success:
            return answer.status_code, answer.json()["error_code"]
        kind = answer.headers["content-type"].split(";")[0] if answer.content else ""
        if kind == "application/json":
            found = httpx.Response(200, text=text).json()
            # Ours leaves an empty list out, as MLflow's other operations do.
            return answer.status_code, {key: value for key, value in found.items() if value != []}
        sent = {
            name: answer.headers.get(name)
            for name in ("Content-Disposition", "X-Content-Type-Options")
            if answer.content
        }
        return answer.status_code, kind, text, sent


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("both")
    with serving("mlflow", folder / "mlflow") as theirs, serving("ours", folder / "ours") as ours:
        yield theirs, ours


def many(name, count):
    return [(name, f"r{number}") for number in range(count)]


BULK, INTERVAL = f"{AJAX}/metrics/get-history-bulk", f"{AJAX}/metrics/get-history-bulk-interval"
UPLOAD, DATASETS = f"{AJAX}/upload-artifact", f"{AJAX}/experiments/search-datasets"
OF_MODEL = f"{AJAX}/logged-models/{{model}}/artifacts"
M, ONE, OTHER, R = ("metric_key", "m"), ("run_id", "{one}"), ("run_id", "{other}"), ("name", "r")
RUNS = [("run_ids", "{one}"), ("run_ids", "{other}")]
ASKED = {
    "bulk": [(BULK, [OTHER, ONE, M])],
    "bulk: at most": [(BULK, [OTHER, ONE, M, ("max_results", most)]) for most in (1, 7, 8, 99_999)],
    "bulk: of one": [(BULK, [OTHER, M]), (BULK, [OTHER, OTHER, M])],
    "bulk: nothing there": [(BULK, [ONE, ("metric_key", "x")]), (BULK, [("run_id", "0" * 32), M])],
    "bulk: wrong": [
        (BULK, [M]), (BULK, [ONE]), (BULK, [*many("run_id", 101), M]), (BULK, [*many("run_id", 1500), M]),
    ],
    "interval": [(INTERVAL, [*RUNS, M])],
    "interval: at most": [(INTERVAL, [*RUNS, M, ("max_results", most)]) for most in (1, 2, 3, 5, 7)],
    "interval: of steps": [(INTERVAL, [*RUNS, M, ("start_step", 2), ("end_step", 4)])],
    "interval: wrong": [
        (INTERVAL, [M]), (INTERVAL, RUNS), (INTERVAL, [*RUNS, M, ("max_results", 0)]),
        (INTERVAL, [*RUNS, M, ("max_results", 2501)]), (INTERVAL, [*RUNS, M, ("start_step", 1)]),
        (INTERVAL, [*RUNS, M, ("start_step", 2), ("end_step", 1)]),
        (INTERVAL, [*many("run_ids", 101), M]), (INTERVAL, [*many("run_ids", 1500), M]),
    ],
    "model: listed": [(f"{OF_MODEL}/directories", []), (f"{OF_MODEL}/directories", [("artifact_directory_path", "dir")])],
    "model: files": [(f"{OF_MODEL}/files", [("artifact_file_path", name)]) for name in FILES],
    "model: wrong": [
        (f"{OF_MODEL}/files", [("artifact_file_path", "../x")]),
        (f"{OF_MODEL}/files".replace("{model}", "m-" + "0" * 32), [("artifact_file_path", "MLmodel")]),
    ],
    "version: files": [("/model-versions/get-artifact", [R, ("version", 1), ("path", name)]) for name in FILES],
    "version: wrong": [
        ("/model-versions/get-artifact", [R, ("version", 2), ("path", "MLmodel")]),
        ("/model-versions/get-artifact", [("name", "x"), ("version", 1), ("path", "MLmodel")]),
        ("/model-versions/get-artifact", [R, ("version", 1), ("path", "../MLmodel")]),
    ],
}  # fmt: skip


@pytest.mark.parametrize("what", ASKED)
def test_the_same_is_answered(servers, what):
    theirs, ours = servers
    for path, query in ASKED[what]:
        assert ours.ask("GET", path, query) == theirs.ask("GET", path, query), (path, query)


WRONG_STEPS = [*RUNS, M, ("start_step", 2), ("end_step", 1)]
SAID = {
    "request must specify at least one run_id": ("GET", BULK, [M]),
    "request cannot specify more than 100": ("GET", BULK, [*many("run_id", 1500), M]),
    "request must specify a metric_key": ("GET", BULK, [ONE]),
    "Missing value for required parameter 'run_ids'.": ("GET", INTERVAL, [M]),
    "Missing value for required parameter 'metric_key'": ("GET", INTERVAL, RUNS),
    "must specify at most 100 run_ids.": ("GET", INTERVAL, [*many("run_ids", 1500), M]),
    "max_results must be between 1 and 2500": ("GET", INTERVAL, [*RUNS, M, ("max_results", 0)]),
    "both must be specified.": ("GET", INTERVAL, [*RUNS, M, ("start_step", 1)]),
    "end_step must be greater than start_step.": ("GET", INTERVAL, WRONG_STEPS),
    "Invalid path": ("GET", "/get-artifact", [("run_uuid", "{one}"), ("path", "../x")]),
    "No tag with key 'no'": ("DELETE", f"{API}/logged-models/{{model}}/tags/no", []),
}


@pytest.mark.parametrize("words", SAID)
def test_who_looks_for_words_in_an_error_finds_them(servers, words):
    method, path, query = SAID[words]
    for server in servers:
        pairs = [(key, str(value).format(**server.ids)) for key, value in query]
        body = {"json": {}} if method == "DELETE" else {}
        answer = server.client.request(method, path.format(**server.ids), params=pairs, **body)
        assert words in answer.json()["message"]


@pytest.mark.parametrize("name", ["a.txt", "plots/é b.csv", "MLproject.md"])
def test_a_file_that_is_sent(servers, name):
    query = [("run_uuid", "{one}"), ("path", name)]
    sent = [server.ask("POST", UPLOAD, query, content=b"hello") for server in servers]
    assert [answer[0] for answer in sent] == [200, 200]
    read = [server.ask("GET", "/get-artifact", query) for server in servers]
    assert (read[1][0], read[1][2]) == (200, "hello")
    assert read[0][:3] == read[1][:3]
    listed = [server.ask("GET", f"{API}/artifacts/list", query[:1]) for server in servers]
    assert listed[0] == listed[1]


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ([], b"x"),
        ([("run_uuid", "{one}")], b"x"),
        ([("run_uuid", "{one}"), ("path", "")], b"x"),
        ([("run_uuid", "{one}"), ("path", "../a")], b"x"),
        ([("run_uuid", "{one}"), ("path", "/etc/a")], b"x"),
        ([("run_uuid", "{one}"), ("path", "a")], b""),
        ([("run_uuid", "0" * 32), ("path", "a")], b"x"),
        ([("run_uuid", "{one}"), ("path", "a")], b"x" * (10 * 1024 * 1024 + 1)),
    ],
)
def test_a_file_that_is_refused(servers, query, body):
    theirs, ours = (server.ask("POST", UPLOAD, query, content=body) for server in servers)
    assert theirs == ours


def test_the_datasets_of_experiments(servers):
    for ids in (["{experiment}"], ["{experiment}", "0"], [], ["7"] * 21):
        asked = []
        for server in servers:
            wanted = [item.format(**server.ids) for item in ids]
            asked.append(server.ask("POST", DATASETS, json={"experiment_ids": wanted}))
        assert asked[0] == asked[1], ids


@pytest.mark.parametrize(("scheme", "status"), [("s3", 200), ("gs", 400)])
def test_the_sources_that_a_server_takes(servers, scheme, status):
    for server in servers:
        server.post("registered-models/create", name=scheme)
        body = {"name": scheme, "source": f"{scheme}://bucket/model"}
        assert server.ask("POST", f"{API}/model-versions/create", json=body)[0] == status
