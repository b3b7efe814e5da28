"""From a request to an answer: errors, keys and times, the same for every operation."""

import json
import logging

import pytest

from mltrack_jupyter.config import user_name
from mltrack_jupyter.errors import InternalError, NotFound, Unavailable
from mltrack_jupyter.services.dispatch import answer, find
from mltrack_jupyter.services.operation import over_wire
from mltrack_jupyter.store.remote import connect
from mltrack_jupyter.store.transport import LocalTransport

SECRET = "postgresql://ada:word@host"


def ask(services, method, path, key="", author="", **fields):
    route, params = find(method, path)
    query = {name: [value] for name, value in fields.items()} if method == "GET" else {}
    body = b"" if method == "GET" else json.dumps(fields).encode()
    found = answer(route, services, params, query, body, key, author)
    return found.status, json.loads(found.body)


def failing(error):
    def call(*_arguments, **_named):
        raise error

    return call


@pytest.mark.parametrize(
    ("error", "status", "code", "message"),
    [
        (NotFound("no such run"), 404, "RESOURCE_DOES_NOT_EXIST", "no such run"),
        (Unavailable("busy"), 503, "TEMPORARILY_UNAVAILABLE", "busy"),
        (KeyError(SECRET), 500, "INTERNAL_ERROR", "An internal error."),
        (RecursionError(SECRET), 500, "INTERNAL_ERROR", "An internal error."),
        (MemoryError(), 500, "INTERNAL_ERROR", "An internal error."),
        (OSError(28, SECRET), 500, "INTERNAL_ERROR", "An internal error."),
    ],
)
def test_whatever_is_raised_is_an_answer(store, caplog, error, status, code, message):
    store.runs.get = failing(error)
    found = ask(store, "GET", "/api/2.0/mlflow/runs/get", run_id="0" * 32)
    assert found == (status, {"error_code": code, "message": message})
    assert not over_wire.get()
    # What nobody foresaw is in the log, with where it was raised.
    logged = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [record.getMessage() for record in logged] == (
        ["mltrack: Runs.get failed"] if status == 500 else []
    )
    assert all(record.exc_info[1] is error for record in logged)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit()])
def test_who_ends_the_process_is_not_answered(store, error):
    store.runs.get = failing(error)
    with pytest.raises(type(error)):
        ask(store, "GET", "/api/2.0/mlflow/runs/get", run_id="0" * 32)
    assert not over_wire.get()


def test_an_answer_that_cannot_be_written_is_a_fault_of_ours(store):
    store.runs.get = lambda run_id: object()
    assert ask(store, "GET", "/api/2.0/mlflow/runs/get", run_id="0" * 32)[0] == 500


def test_a_client_in_this_process_hears_the_same(store):
    store.runs.get = failing(ValueError(SECRET))
    with pytest.raises(InternalError, match=r"An internal error\."):
        connect(LocalTransport(store), "http://in-this-process").runs.get("0" * 32)


def test_a_key_counts_for_what_is_not_idempotent(store):
    create, delete = "/api/2.0/mlflow/experiments/create", "/api/2.0/mlflow/runs/delete"
    first = ask(store, "POST", create, "k", name="new")
    assert first[0] == 200
    assert ask(store, "POST", create, "k", name="new") == first
    assert ask(store, "POST", create, name="new")[0] == 400
    # The answer is kept for one request; what is idempotent is done again instead.
    assert "another request" in ask(store, "POST", create, "k", name="other")[1]["message"]
    run_id = store.runs.create("0").info.run_id
    assert ask(store, "POST", delete, "k", run_id=run_id) == (200, {})


def test_the_log_tells_who_asks_for_it_what_took_how_long(store, caplog):
    run_id = store.runs.create("0").info.run_id
    ask(store, "GET", "/api/2.0/mlflow/runs/get", run_id=run_id)
    assert "took" not in caplog.text
    with caplog.at_level(logging.DEBUG, "mltrack_jupyter"):
        ask(store, "GET", "/api/2.0/mlflow/runs/get", run_id=run_id)
        ask(store, "GET", "/api/2.0/mlflow/runs/get", run_id="\x1b[31m")
    told = [record.getMessage() for record in caplog.records]
    assert told[0].startswith(f"mltrack: Runs.get of {{'run_id': '{run_id}'}} took ")
    assert len(told) == 2
    assert "\x1b" not in told[1]


@pytest.mark.parametrize("path", ["runs/create", "runs/get"])
def test_the_author_of_a_request_is_told_and_is_not_the_next_ones(store, path):
    """Also where the request is refused."""
    before = store.workspace.changes().last
    method = "POST" if path == "runs/create" else "GET"
    ask(store, method, f"/api/2.0/mlflow/{path}", author="ada", experiment_id="0")
    ask(store, "POST", "/api/2.0/mlflow/runs/create", experiment_id="0")
    actors = [change.actor for change in store.workspace.changes(before).changes]
    assert actors == (["ada"] if path == "runs/create" else []) + [user_name()]
