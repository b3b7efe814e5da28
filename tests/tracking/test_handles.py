"""Handles of runs: other processes log to a run by them, and end nothing."""

import pickle
import subprocess
import sys
import threading

import pytest
from conftest import clean_environment

from mltrack_jupyter.errors import InvalidParameter, NotFound, ServerUnreachable, Unauthenticated
from mltrack_jupyter.shown import without_password
from mltrack_jupyter.tracking import fluent, handles, session, stores

WORKERS = """
import multiprocessing, sys
import mltrack_jupyter as mltrack

def train(rate, handle):
    with handle.attach():
        mltrack.log_metric(f"loss {rate}", 1 / rate)
        with mltrack.start_run(run_name=f"child {rate}"):
            mltrack.log_param("rate", rate)
        if rate == 3:
            raise ValueError("diverged")

def by_process(method, handle):
    with multiprocessing.get_context(method).Pool(2) as pool:
        waiting = [pool.apply_async(train, (rate, handle)) for rate in (1, 2, 3)]
        return [type(result._value).__name__ for result in waiting if result.wait() or True]

def by_dask(_, handle):
    from dask.distributed import Client, LocalCluster
    with LocalCluster(n_workers=2, processes=True, dashboard_address=None) as cluster, Client(cluster) as client:
        waiting = client.map(train, (1, 2, 3), handle=handle)
        return [type(future.exception()).__name__ for future in waiting]

if __name__ == "__main__":
    with mltrack.start_run(run_name="ours") as run:
        mltrack.log_param("by", "us")
        handle = mltrack.run_handle()
        print(by_{way}({argument!r}, handle))
        print(mltrack.get_run(run.run_id).info.status.value)
    for each in mltrack.search_runs(output_format="list", order_by=["run_name"]):
        parent = each.data.tags.get("mlflow.parentRunId")
        print(each.info.run_name, each.info.status.value, parent == run.run_id, each.data.params, each.data.metrics)
"""


@pytest.mark.parametrize("way", ["process fork", "process spawn", "process forkserver", "dask"])
def test_workers_log_to_the_run_and_begin_children_of_it(run_script, way):
    way, _, argument = way.partition(" ")
    if way == "dask":
        pytest.importorskip("distributed")
    done = run_script(WORKERS.replace("{way}", way).replace("{argument!r}", repr(argument)))
    raised, status, *runs = done.stdout.splitlines()
    assert raised == "['NoneType', 'NoneType', 'ValueError']"
    assert status == "RUNNING"
    losses = "{'loss 1': 1.0, 'loss 2': 0.5, 'loss 3': 0.3333333333333333}"
    assert runs == [
        *(f"child {rate} FINISHED True {{'rate': '{rate}'}} {{}}" for rate in (1, 2, 3)),
        f"ours FINISHED False {{'by': 'us'}} {losses}",
    ]


ELSEWHERE = """
import pickle, sys, mltrack_jupyter as mltrack
handle = pickle.load(sys.stdin.buffer)
own = mltrack.get_tracking_uri()
with handle.attach() as run:
    assert mltrack.active_run() is run
    mltrack.log_metric("far", 2.0)
    mltrack.log_text("hello", "far.txt")
    with mltrack.start_run(run_name="child"):
        pass
    mltrack.end_run()  # the end is not ours to tell
assert mltrack.get_tracking_uri() == own
assert mltrack.active_run() is None
"""


def elsewhere(handle, folder, **settings):
    """Have a process log that shares nothing with this one but the handle."""
    folder.mkdir()
    return subprocess.run(
        [sys.executable, "-c", ELSEWHERE],
        input=pickle.dumps(handle),
        env=clean_environment() | settings,
        cwd=folder,
        capture_output=True,
        check=False,
    )


def test_a_process_that_knows_nothing_but_the_handle(mltrack, tmp_path):
    with mltrack.start_run() as run:
        done = elsewhere(mltrack.run_handle(), tmp_path / "far")
        assert done.returncode == 0, done.stderr.decode()
        found = mltrack.get_run(run.run_id)
        assert (found.info.status.value, found.data.metrics) == ("RUNNING", {"far": 2.0})
        (child,) = mltrack.search_runs(filter_string="run_name = 'child'", output_format="list")
        assert child.data.tags["mlflow.parentRunId"] == run.run_id
        assert [file.path for file in mltrack.Client().list_artifacts(run.run_id)] == ["far.txt"]
    assert mltrack.get_run(run.run_id).info.status.value == "FINISHED"
    assert list((tmp_path / "far").iterdir()) == []


@pytest.mark.server
def test_a_handle_says_how_to_sign_in_and_holds_no_secret(server, mltrack, environment, tmp_path):
    environment.setenv("MLFLOW_TRACKING_TOKEN", server.token)
    mltrack.set_tracking_uri(server.tracking_uri)
    with mltrack.start_run() as run:
        handle = mltrack.run_handle(run)
        assert handle.sign_in == ("MLFLOW_TRACKING_TOKEN",)
        assert server.token.encode() not in pickle.dumps(handle)
        refused = elsewhere(handle, tmp_path / "refused")
        assert b"MLFLOW_TRACKING_TOKEN" in refused.stderr
        assert (
            elsewhere(handle, tmp_path / "far", MLTRACK_TRACKING_TOKEN=server.token).returncode == 0
        )
    assert mltrack.get_run(run.run_id).data.metrics == {"far": 2.0}


def test_a_process_with_other_credentials_is_told_which_it_needs(mltrack, environment):
    handle = handles.RunHandle("http://store:5000", info=made(mltrack).info, sign_in=("A", "B"))
    with pytest.raises(Unauthenticated, match="signs in by A and B"), handle.attach():
        pass
    environment.setenv("MLFLOW_TRACKING_TOKEN", "t")
    assert handle._uri_here() == "http://store:5000"


def made(mltrack):
    with mltrack.start_run():
        return mltrack.run_handle()


def test_a_file_of_another_machine_is_no_store_here(mltrack, tmp_path):
    handle = made(mltrack)
    mltrack.set_tracking_uri(tmp_path / "other")
    session.close()
    (tmp_path / "store").rename(tmp_path / "away")
    with pytest.raises(NotFound, match=r"not on this machine.*mltrack server"), handle.attach():
        pass
    assert not (tmp_path / "store").exists()


def test_there_is_no_handle_without_an_open_run(mltrack):
    for closed in (None, mltrack.start_run()):
        mltrack.end_run()
        with pytest.raises(InvalidParameter, match="none is open"):
            mltrack.run_handle(closed)


def test_a_block_in_a_thread_of_the_same_process_ends_nothing(mltrack):
    with mltrack.start_run() as run:
        handle = pickle.loads(pickle.dumps(mltrack.run_handle()))

        def work():
            with handle.attach():
                mltrack.log_metric("m", 1.0)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert mltrack.get_run(run.run_id).info.status.value == "RUNNING"
        assert mltrack.active_run() is run
    found = mltrack.get_run(run.run_id)
    assert (found.info.status.value, found.data.metrics) == ("FINISHED", {"m": 1.0})


def test_what_is_left_open_inside_ends_with_the_block(mltrack):
    handle = made(mltrack)

    def fail():
        with handle.attach():
            fluent.start_run(run_name="left")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    (left,) = mltrack.search_runs(filter_string="run_name = 'left'", output_format="list")
    assert left.info.status.value == "FAILED"
    assert mltrack.get_run(handle.run_id).info.status.value == "FINISHED"  # as its own process said


def test_a_handle_of_a_run_whose_store_is_away_tells_how_it_began(mltrack, tmp_path):
    def away(_):
        raise ServerUnreachable("nobody answers")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stores, "open_store", away)
        run = mltrack.start_run(run_name="ours")
        handle = mltrack.run_handle()
    assert handle.begin.new.start_time == run.started
    mltrack.search_runs()
    assert elsewhere(handle, tmp_path / "far").returncode == 0
    mltrack.end_run()
    found = mltrack.get_run(run.run_id)
    assert (found.info.run_name, found.data.metrics) == ("ours", {"far": 2.0})


@pytest.mark.parametrize(
    ("uri", "without"),
    [
        ("postgresql://u:p%40w@h:5/db?sslmode=require&sslpassword=x&options=a", "postgresql://u@h:5/db?sslmode=require&options=a"),
        ("mysql+pymysql://u:a/b?c@d@h/db", "mysql+pymysql://u@h/db"),
        ("postgresql:///db?password=abc", "postgresql:///db"),
        ("https://u:p@h/mltrack", "https://u@h/mltrack"),
        ("https://token@h/mltrack", "https://h/mltrack"),
        ("https://h/mltrack", "https://h/mltrack"),
        ("sqlite:////a?token=b/mltrack.db", "sqlite:////a?token=b/mltrack.db"),
    ],
)  # fmt: skip
def test_a_uri_without_its_password_leads_to_the_same_place(uri, without):
    assert without_password(uri) == without


def test_a_process_that_knows_the_password_of_the_store_uses_it(mltrack, environment):
    handle = handles.RunHandle("postgresql://u@h/db", info=made(mltrack).info)
    assert handle._uri_here() == handle.uri
    environment.setattr(session.default, "_uri", "postgresql://u:secret@h/db")
    assert handle._uri_here() == "postgresql://u:secret@h/db"
