"""The connection to a server when something goes wrong: nothing is done twice, and nothing is given away."""

import io
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import httpx
import pytest
from flaky import FlakyServer

from mltrack_jupyter.entities import ModelOutput
from mltrack_jupyter.errors import NotFound, ServerUnreachable, TooManyRequests, Unauthenticated
from mltrack_jupyter.store import open_store, patience
from mltrack_jupyter.store.transport import HttpTransport
from mltrack_jupyter.testing.making import new_run, unique

EXPERIMENTS = "/api/2.0/mlflow/experiments/create"
FOUND = (200, {"Content-Type": "application/json"}, b'{"experiment_id": "7"}')


@pytest.fixture
def client(server):
    headers = {"Authorization": f"Bearer {server.token}"}
    with httpx.Client(base_url=server.tracking_uri, headers=headers, timeout=30) as client:
        yield client


@pytest.fixture
def alone(request, environment):
    """A server with nobody behind it, and services that ask it."""
    environment.setenv("MLTRACK_TRACKING_TOKEN", "secret")
    server = FlakyServer()
    services = open_store(server.url)
    yield server, services
    services.close()
    server.close()


@pytest.fixture
def flaky(server, environment):
    """Services of the real server, behind one that loses answers."""
    environment.setenv("MLTRACK_TRACKING_TOKEN", server.token)
    between = FlakyServer(server.tracking_uri)
    services = open_store(between.url)
    services.experiments.get("0")  # by now it is known that the server knows keys
    between.seen.clear()
    yield between, services
    services.close()
    between.close()


@pytest.mark.server
class TestLostAnswers:
    """What was carried out although its answer was lost is not carried out again."""

    def test_things_are_made_once(self, flaky):
        between, services = flaky
        between.plan = ["drop", "drop"]
        number = services.experiments.create(unique())  # a second one would be refused
        between.plan = ["drop"]
        run = services.runs.create(number, run_name="one")
        assert [found.info.run_id for found in services.runs.search([number])] == [run.info.run_id]
        name = unique()
        between.plan = ["drop"]
        services.registered_models.create(name)
        between.plan = ["drop"]
        assert services.model_versions.create(name, "s3://bucket/model").version == "1"
        assert len(services.model_versions.search(f"name = '{name}'")) == 1

    def test_things_are_removed_once(self, flaky):
        between, services = flaky
        run_id = new_run(services, tags={"a": "1"}).info.run_id
        between.plan = ["drop"]
        services.runs.delete_tag(run_id, "a")  # the second would not find it
        between.plan = ["drop"]
        services.runs.log_outputs(run_id, [ModelOutput("m-1", 0)])
        assert len(services.runs.get(run_id).outputs.model_outputs) == 1

    def test_a_new_call_is_no_repetition(self, flaky):
        between, services = flaky
        run_id = new_run(services, tags={"a": "1"}).info.run_id
        services.runs.delete_tag(run_id, "a")
        with pytest.raises(NotFound):
            services.runs.delete_tag(run_id, "a")
        keys = [
            headers["Idempotency-Key"] for _, path, headers in between.seen if "delete-tag" in path
        ]
        assert len(set(keys)) == 2

    def test_what_may_be_done_twice_needs_no_key(self, flaky):
        between, services = flaky
        run_id = new_run(services).info.run_id
        between.plan = ["drop", (503, {}, b"{}"), (502, {}, b"")]
        services.runs.set_tag(run_id, "a", "1")
        sent = [headers for _, path, headers in between.seen if path.endswith("set-tag")]
        assert len(sent) == 4
        assert not any("Idempotency-Key" in headers for headers in sent)

    def test_files(self, flaky):
        between, services = flaky
        content = bytes(range(256)) * 40_000
        between.plan = ["drop"]
        services.artifact_files.upload("lost/file.bin", io.BytesIO(content))
        between.plan = ["drop"]
        with services.artifact_files.download("lost/file.bin").file as file:
            assert file.read() == content

    def test_whoever_does_not_know_keys_is_not_asked_twice(self, server, environment):
        environment.setenv("MLTRACK_TRACKING_TOKEN", server.token)
        between = FlakyServer(server.tracking_uri)
        between.hidden = {"Accept-Idempotency-Key"}
        services = open_store(between.url)
        between.plan = ["drop"]
        name = unique()
        with pytest.raises(ServerUnreachable, match=r"lost .* may or may not"):
            services.experiments.create(name)
        assert [path for _, path, _ in between.seen].count(EXPERIMENTS) == 1
        assert services.experiments.get_by_name(name).name == name
        services.close()
        between.close()

    def test_two_at_once(self, client):
        body, headers = {"name": unique()}, {"Idempotency-Key": unique()}
        with ThreadPoolExecutor(8) as pool:
            sent = [
                pool.submit(client.post, EXPERIMENTS, json=body, headers=headers) for _ in range(8)
            ]
        answers = {(answer.result().status_code, answer.result().text) for answer in sent}
        assert len(answers) == 1
        assert answers.pop()[0] == 200

    def test_a_key_belongs_to_one_request(self, client):
        headers = {"Idempotency-Key": unique()}
        assert client.post(EXPERIMENTS, json={"name": unique()}, headers=headers).status_code == 200
        other = client.post(EXPERIMENTS, json={"name": unique()}, headers=headers)
        assert other.json()["error_code"] == "INVALID_PARAMETER_VALUE"
        assert "another request" in other.json()["message"]
        long = client.post(
            EXPERIMENTS, json={"name": unique()}, headers={"Idempotency-Key": "k" * 129}
        )
        assert long.status_code == 400


class TestPatience:
    """Who is asked to wait waits; who is refused for good says so at once."""

    def test_a_server_that_asks_to_wait(self, alone):
        server, services = alone
        server.plan = [(429, {"Retry-After": "0.3"}, b"{}"), (408, {}, b""), FOUND]
        before = time.monotonic()
        assert services.experiments.create("a") == "7"
        assert time.monotonic() - before > 0.3
        assert len({headers["Idempotency-Key"] for _, _, headers in server.seen}) == 1

    def test_patience_ends(self, alone, environment):
        server, services = alone
        environment.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        server.plan = [(429, {}, b"{}")] * 3
        with pytest.raises(TooManyRequests):
            services.experiments.create("a")
        assert len(server.seen) == 2

    def test_nobody_waits_for_an_hour(self, alone):
        server, services = alone
        server.plan = [(429, {"Retry-After": "3600"}, b"{}"), FOUND]
        with pytest.raises(TooManyRequests):
            services.experiments.create("a")

    def test_an_unknown_outcome_is_left_alone(self, alone):
        server, services = alone
        server.plan = [
            (503, {}, b'{"error_code": "TEMPORARILY_UNAVAILABLE", "message": "no"}'),
            FOUND,
        ]
        with pytest.raises(Exception, match="no"):
            services.experiments.create("a")
        assert len(server.seen) == 1

    def test_a_server_that_comes_back(self, environment):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]

        back = []

        def come_back(wait_s):
            assert 0 < wait_s < 1
            back.append(FlakyServer(port=port))
            back[0].plan = [FOUND]

        environment.setattr(patience, "time", SimpleNamespace(sleep=come_back))
        services = open_store(f"http://127.0.0.1:{port}")
        assert services.experiments.create("a") == "7"
        services.close()
        back[0].close()
        environment.setattr(patience, "time", time)
        with pytest.raises(ServerUnreachable, match="No tracking server answers"):
            open_store(f"http://127.0.0.1:{port}").experiments.get("0")


class TestCare:
    """Credentials stay with the server that was named, and files come whole."""

    def test_connections_are_kept(self, alone):
        server, services = alone
        server.plan = [FOUND] * 5
        for index in range(5):
            services.experiments.create(str(index))
        assert server.connections == 1

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_no_redirect_is_followed(self, alone, status):
        server, services = alone
        elsewhere = FlakyServer()
        server.plan = [(status, {"Location": elsewhere.url + EXPERIMENTS}, b"")]
        with pytest.raises(Unauthenticated):
            services.experiments.create("a")
        assert elsewhere.seen == []
        assert server.seen[0][2]["Authorization"] == "Bearer secret"
        elsewhere.close()

    def test_half_a_file_is_asked_for_again(self, alone):
        server, services = alone
        server.plan = [(200, {"Content-Length": "10"}, b"half"), (200, {}, b"the whole")]
        with services.artifact_files.download("a").file as file:
            assert file.read() == b"the whole"

    def test_a_large_file_is_read_in_parts(self, alone):
        server, services = alone

        class Counted(io.BytesIO):
            largest = 0

            def read(self, size=-1):
                Counted.largest = max(Counted.largest, size if size >= 0 else 10**9)
                return super().read(size)

        server.plan = [(200, {}, b"")]
        services.artifact_files.upload("a", Counted(b"x" * 5_000_000))
        assert 0 < Counted.largest <= 1024 * 1024
        assert server.seen[0][2]["Content-Length"] == "5000000"

    def test_a_timeout_is_a_number(self, environment):
        environment.setenv("MLTRACK_HTTP_REQUEST_TIMEOUT", "soon")
        with pytest.raises(Exception, match="HTTP_REQUEST_TIMEOUT is a number"):
            HttpTransport("http://127.0.0.1:9")
