"""What this process has open: each store is opened once, and only who needs it waits for that."""

import socket
import threading

import pytest

from mltrack_jupyter.tracking import session, stores


@pytest.fixture
def silent_server():
    """Return the URI of a server that takes connections and answers none."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/mltrack"


@pytest.fixture
def slow_store(tmp_path, monkeypatch):
    """Return the URI of a store that is being opened in a thread, until the fixture is told to go on."""
    uri = session.normalise_uri(tmp_path / "slow")
    begun, go_on, opened = threading.Event(), threading.Event(), []
    real = stores.open_store

    def slowly(of):
        if of == uri:
            opened.append(of)
            begun.set()
            assert go_on.wait(30)
        return real(of)

    monkeypatch.setattr(stores, "open_store", slowly)
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(session.services(uri))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    assert begun.wait(30)
    yield uri
    go_on.set()
    for thread in threads:
        thread.join(30)
    assert opened == [uri], "three who needed it opened it once"
    assert len(set(map(id, found))) == 1
    found[0].close()


def _in_time(action):
    """Do something in a thread, and fail if it waits for something."""
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive(), "it waits for the store of somebody else"


@pytest.mark.usefixtures("slow_store")
def test_a_store_that_is_being_opened_keeps_nobody_from_choosing_another(mltrack, tmp_path):
    _in_time(lambda: mltrack.set_tracking_uri(tmp_path / "other"))
    assert mltrack.get_tracking_uri().endswith("other/mltrack.db")


@pytest.mark.usefixtures("slow_store")
def test_a_store_that_is_being_opened_keeps_nobody_from_logging_to_another(mltrack):
    found = []

    def log():
        with mltrack.start_run():
            mltrack.log_metric("loss", 1.0)
        found.extend(mltrack.search_runs(output_format="list"))

    _in_time(log)
    assert [run.data.metrics for run in found] == [{"loss": 1.0}]


def test_a_store_that_is_being_opened_takes_what_is_logged_meanwhile(mltrack, slow_store):
    mltrack.set_tracking_uri(slow_store)

    def log():
        with mltrack.start_run():
            mltrack.log_metric("loss", 1.0)

    _in_time(log)


@pytest.mark.usefixtures("slow_store")
def test_a_store_that_is_being_opened_keeps_nobody_from_closing_the_others(mltrack):
    mltrack.search_runs(output_format="list")
    uri = mltrack.get_tracking_uri()
    assert session.is_open(uri)
    _in_time(session.close)
    assert not session.is_open(uri)


def test_a_server_that_does_not_answer_keeps_only_those_waiting_who_ask_it(
    mltrack, silent_server, tmp_path
):
    asking = threading.Thread(target=lambda: session.services(silent_server), daemon=True)
    asking.start()
    _in_time(lambda: mltrack.set_tracking_uri(tmp_path / "other"))
    _in_time(lambda: mltrack.create_experiment("there"))
    assert mltrack.get_experiment_by_name("there") is not None
