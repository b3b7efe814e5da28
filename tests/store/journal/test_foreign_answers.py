"""What stands before a server answers for it: nothing that was acknowledged is refused for that."""

import io
from types import SimpleNamespace

import pytest
from flaky import FlakyServer

from mltrack_jupyter.entities import Metric, ModelOutput, Run, RunEntry, RunInfo, RunStatus, Tag
from mltrack_jupyter.errors import (
    EndpointNotFound,
    InvalidParameter,
    MltrackError,
    NotFound,
    RequestTooLarge,
)
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.journal.draining import Drain
from mltrack_jupyter.store.journal.sinks import MlflowSink, StoreSink, is_away, sink_of

pytestmark = pytest.mark.server
HTML, JSON = {"Content-Type": "text/html"}, {"Content-Type": "application/json"}
PAGE = b"<html>somebody else</html>"
TOO_LARGE = (413, HTML, PAGE)
NOT_FOUND = (404, {"Content-Type": "text/plain"}, b"404 page not found\n")
ANSWERS = {
    "a proxy that knows no such path": NOT_FOUND,
    "a hub whose server was stopped": (424, JSON, b'{"message": "Your server is not running"}'),
    "a proxy that wants to know who": (400, HTML, PAGE),
    "a proxy that forbids": (403, HTML, PAGE),
    "a token that is not known any more": (
        403,
        JSON | {"WWW-Authenticate": "Bearer"},
        b'{"error_code": "PERMISSION_DENIED", "message": "who are you?"}',
    ),
    "a login page": (200, HTML, PAGE),
    "a way to one": (302, {"Location": "/login"}, b""),
    "nothing": (204, {}, b""),
    "a wrong method": (405, {}, b""),
    "gone": (410, HTML, PAGE),
    "an origin that is down": (530, HTML, PAGE),
    "a server without our extension": (404, JSON, b'{"message": "Not Found", "reason": null}'),
}


@pytest.fixture
def between(server, environment):
    environment.setenv("MLTRACK_TRACKING_TOKEN", server.token)
    between = FlakyServer(server.tracking_uri)
    yield between
    between.close()


@pytest.fixture
def desk(desk, between):
    """A store behind a server, behind another one that answers for it at times."""
    services = desk.services = open_store(between.url)
    yield desk
    services.close()


@pytest.fixture
def drain(desk, journal):
    drain = Drain(journal.journal_id, desk.folder, journal.segments)
    drain.run(StoreSink(desk.services))
    return drain


def refused(desk):
    return list(desk.folder.glob("*.refused.jsonl"))


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_it_is_handed_over_when_the_server_answers_itself(desk, journal, drain, between, answer):
    sink = StoreSink(desk.services)
    journal.point(desk.run_id, "m", 0, 1, 0.5)
    between.plan = [answer]
    with pytest.raises(MltrackError) as caught:
        drain.run(sink)
    assert is_away(caught.value)
    drain.run(sink)
    assert desk.steps() == [0]
    assert refused(desk) == []


def test_a_request_that_is_too_large_is_divided_and_its_last_record_kept(
    desk, journal, drain, between
):
    sink = StoreSink(desk.services)
    for step in range(4):
        journal.point(desk.run_id, "m", step, 1, 0.5)
    between.plan = [TOO_LARGE] * 3
    with pytest.raises(RequestTooLarge, match="raise its limit"):
        drain.run(sink)
    between.plan = [TOO_LARGE, TOO_LARGE]
    drain.run(sink)
    assert desk.steps() == [0, 1, 2, 3]
    assert refused(desk) == []


def test_a_file_is_not_taken_by_a_login_page(desk, journal, drain, between):
    sink = StoreSink(desk.services)
    journal.spool(desk.run_id, "a.txt", io.BytesIO(b"kept"))
    login = ANSWERS["a login page"]
    between.plan = ["ok", login, login]  # the run is asked for first, and again after the file
    with pytest.raises(MltrackError) as caught:
        drain.run(sink)
    assert is_away(caught.value)
    drain.run(sink)
    with desk.services.run_artifacts.read(desk.run_id, "a.txt").file as found:
        assert found.read() == b"kept"


FORBIDDEN = (403, JSON, b'{"error_code": "PERMISSION_DENIED", "message": "That run is not yours."}')


def test_what_the_server_itself_forbids_costs_only_that_run(desk, journal, drain, between, caplog):
    other = "e" * 32
    desk.begin(journal, other)
    drain.run(StoreSink(desk.services))
    journal.point(other, "m", 0, 1, 0.5)
    journal.point(desk.run_id, "m", 0, 1, 0.5)
    # The batch; a batch of nothing; the two runs, and the first of them.
    between.plan = [FORBIDDEN, "ok", FORBIDDEN, FORBIDDEN]
    drain.run(StoreSink(desk.services))
    assert desk.steps() == [0]
    assert len(refused(desk)) == 1
    assert caplog.text.count("That run is not yours.") == 1


def test_a_role_that_may_write_nothing_loses_nothing(desk, journal, drain, between):
    journal.point(desk.run_id, "m", 0, 1, 0.5)
    between.plan = [FORBIDDEN, FORBIDDEN]
    with pytest.raises(MltrackError, match="That run is not yours") as caught:
        drain.run(StoreSink(desk.services))
    assert is_away(caught.value)
    drain.run(StoreSink(desk.services))
    assert desk.steps() == [0]
    assert refused(desk) == []


NEVER = {
    "no files": (501, JSON, b'{"error_code": "NOT_IMPLEMENTED", "message": "no files"}'),
    "a fault": (500, JSON, b'{"error_code": "INTERNAL_ERROR", "message": "a fault"}'),
    "a page of a fault": (500, {}, b"<html>Internal Server Error</html>"),
    "a proxy's limit": (413, {}, b"<html>Request Entity Too Large</html>"),
    "a proxy's rule": (403, {}, b"<html>Forbidden</html>"),
}


@pytest.mark.parametrize("answer", NEVER.values(), ids=NEVER)
def test_a_file_that_is_never_taken_keeps_nothing_waiting(desk, journal, drain, between, answer):
    """The store answers whatever else it is asked, so it is just this file that it refuses."""
    journal.spool(desk.run_id, "a.txt", io.BytesIO(b"kept"))
    journal.point(desk.run_id, "m", 0, 1, 0.5)
    asked = ["ok", answer]  # the run, and then to take the file
    between.plan = asked if answer[0] == 501 else [*asked, "ok", *asked]
    drain.run(StoreSink(desk.services))
    assert desk.steps() == [0]
    (kept,) = desk.folder.glob("*.files/*")
    assert kept.read_bytes() == b"kept"


class TestWhoIsThere:
    """A server of ours and MLflow's own are told apart, whatever a proxy says."""

    def test_a_proxy_in_between_makes_no_mlflow_server(self, desk, between):
        between.plan = [NOT_FOUND]
        assert isinstance(sink_of(desk.services, desk.folder), StoreSink)

    def test_a_proxy_with_nobody_behind_is_neither(self, desk, between):
        between.plan = [NOT_FOUND, NOT_FOUND]
        with pytest.raises(EndpointNotFound) as caught:
            sink_of(desk.services, desk.folder)
        assert is_away(caught.value)

    def test_an_mlflow_server_knows_its_own_operations(self, desk, between):
        between.plan = [NOT_FOUND, (200, JSON, b'{"experiments": []}'), NOT_FOUND]
        assert isinstance(sink_of(desk.services, desk.folder), MlflowSink)


class OldMlflow:
    """An MLflow server that knows no logged models, perhaps behind a proxy."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.runs = SimpleNamespace(
            get=lambda run_id: Run(
                info=RunInfo(run_id=run_id, experiment_id="0", status=RunStatus.RUNNING)
            ),
            log_batch=None,
            log_outputs=self.log_outputs,
        )

    def log_outputs(self, *_):
        if self.answers:
            raise self.answers.pop(0)


def test_what_an_old_mlflow_server_does_not_know_is_refused(tmp_path):
    entry = RunEntry(run_id="r", outputs=[ModelOutput("m-1", 0)])
    gone = EndpointNotFound("no such path")
    found = MlflowSink(OldMlflow(gone, gone), tmp_path).append("j", 0, 1, [entry])
    assert [item.reason for item in found] == ["no such path"]
    assert MlflowSink(OldMlflow(gone), tmp_path).append("j", 0, 1, [entry]) == []
    found = MlflowSink(OldMlflow(NotFound("no such model")), tmp_path).append("j", 0, 1, [entry])
    assert [item.reason for item in found] == ["no such model"]


class StrictMlflow(OldMlflow):
    """An MLflow server that refuses the whole batch for one tag that is too long, or one bad name."""

    def __init__(self):
        super().__init__()
        self.kept = {}
        self.runs.log_batch = self.log_batch

    def log_batch(self, _, metrics=(), params=(), tags=()):
        if any(len(item.value) > 5000 or item.key == "bad" for item in (*params, *tags)):
            raise InvalidParameter("no such tag")
        if any(item.key == "bad" for item in metrics):
            raise InvalidParameter("no such metric")
        self.kept |= {item.key: item.value for item in (*metrics, *params, *tags)}


def test_what_an_mlflow_server_refuses_loses_no_others_of_its_batch(tmp_path):
    server = StrictMlflow()
    tags = [Tag("a", "x"), Tag("long", "y" * 6000), Tag("bad", ""), Tag("b", "z")]
    points = [Metric("m", 1.0, 0), Metric("bad", 2.0, 0), Metric("n", 3.0, 0)]
    entry = RunEntry(run_id="r", noted=points, tags=tags)
    found = MlflowSink(server, tmp_path).append("j", 0, 1, [entry])
    assert [item.reason for item in found] == ["no such metric", "no such tag"]
    assert server.kept.pop("long") == "y" * 4999 + "…"
    assert server.kept == {"a": "x", "b": "z", "m": 1.0, "n": 3.0}
