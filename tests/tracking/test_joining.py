"""Runs that several processes and threads are in: how they end is for the one to say that owns them."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from mltrack_jupyter.store import open_store
from mltrack_jupyter.tracking import fluent

OWNER = """
import os, subprocess, sys, mltrack_jupyter as mltrack
run = mltrack.start_run(run_name="ours")
CHILD = "import sys, mltrack_jupyter as mltrack; mltrack.log_metric('child', 1)"
def child(end=""):
    subprocess.run([sys.executable, "-c", CHILD + end], env=os.environ | {"MLFLOW_RUN_ID": run.run_id})
def say():
    found = mltrack.get_run(run.run_id)
    print(found.info.status.value, found.data.tags.get("mltrack.status_reason"), found.info.end_time)
"""


def stored(store):
    services = open_store(store)
    services.leases.reap()
    (run,) = services.runs.search(["0"])
    services.close()
    return run.info.status.value, run.data.tags.get("mltrack.status_reason"), run.data.metrics


@pytest.mark.parametrize("end", ["", "; sys.exit(3)", "; 1 / 0", "; mltrack.end_run()"])
def test_a_script_that_joins_the_run_of_its_launcher_does_not_end_it(run_script, end):
    done = run_script(OWNER + f"child({end!r}); say(); mltrack.log_metric('own', 2)")
    assert done.stdout.split() == ["RUNNING", "None", "None"]
    assert stored(run_script.store) == ("FINISHED", None, {"child": 1.0, "own": 2.0})


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals")
def test_the_death_of_a_launcher_is_seen_after_a_script_that_joined_has_ended(run_script):
    run_script(OWNER + "child(); os.kill(os.getpid(), 9)", check=False)
    status, reason, metrics = stored(run_script.store)
    assert (status, reason) == ("KILLED", "The process that wrote the run died.")
    assert metrics == {"child": 1.0}


def test_a_script_ends_the_run_that_its_launcher_only_made(run_script):
    code = """
import os, subprocess, sys, mltrack_jupyter as mltrack
run = mltrack.Client().create_run("0")
code = "import mltrack_jupyter as mltrack; mltrack.start_run(); 1 / 0"
subprocess.run([sys.executable, "-c", code], env=os.environ | {"MLFLOW_RUN_ID": run.info.run_id})
print(mltrack.get_run(run.info.run_id).info.status.value)
"""
    assert run_script(code).stdout.split() == ["FAILED"]


def test_a_client_that_ends_a_run_ends_it(run_script):
    code = OWNER + "mltrack.Client().set_terminated(run.run_id, 'KILLED'); say()"
    assert run_script(code).stdout.split()[0] == "KILLED"


WORKERS = """
import multiprocessing, sys, mltrack_jupyter as mltrack
def join(run_id):
    with mltrack.start_run(run_id=run_id):
        mltrack.log_metric("joined", 1.0)
if __name__ == "__main__":
    with mltrack.start_run() as run:
        worker = multiprocessing.get_context(sys.argv[1]).Process(target=join, args=(run.run_id,))
        worker.start()
        worker.join()
        found = mltrack.get_run(run.run_id)
        print(found.info.status.value, found.data.metrics)
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_worker_that_joins_the_run_around_it_does_not_end_it(run_script, method):
    assert run_script(WORKERS, method).stdout.strip() == "RUNNING {'joined': 1.0}"
    assert stored(run_script.store) == ("FINISHED", None, {"joined": 1.0})


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals")
def test_a_process_that_joined_goes_on_with_the_run_of_one_that_was_killed(tmp_path):
    store = tmp_path / "store"
    begin = "import sys, time, mltrack_jupyter as mltrack\n"
    beats = (
        "from mltrack_jupyter.store.journal import pulse\npulse.SECONDS = 0.2\n"
        "with mltrack.start_run(run_id=sys.argv[1]) as run:\n"
        "    print('in', flush=True)\n    sys.stdin.readline()\n"
    )

    def start(code, *arguments):
        return subprocess.Popen(
            [sys.executable, "-c", begin + code, *arguments],
            env=os.environ | {"MLTRACK_TRACKING_URI": str(store)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    owner = start("print(mltrack.start_run().run_id, flush=True)\ntime.sleep(60)")
    joined = start(beats, owner.stdout.readline().strip())
    assert joined.stdout.readline() == "in\n"
    owner.kill()
    owner.communicate()
    until = time.monotonic() + 20
    while stored(store)[0] != "RUNNING" and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(0.5)
    assert stored(store)[:2] == ("RUNNING", None)
    joined.communicate("\n")
    assert stored(store)[:2] == ("FINISHED", None)


def test_a_thread_that_joins_the_run_of_its_process_does_not_end_it(mltrack):
    def work(run_id):
        with mltrack.start_run(run_id=run_id):
            mltrack.log_metric("joined", 1.0)

    with mltrack.start_run() as run:
        thread = threading.Thread(target=work, args=(run.run_id,))
        thread.start()
        thread.join()
        assert mltrack.get_run(run.run_id).info.status == "RUNNING"
        with mltrack.start_run(run_id=run.run_id, nested=True):
            pass
        assert mltrack.active_run() is run
        assert mltrack.get_run(run.run_id).info.status == "RUNNING"
    found = mltrack.get_run(run.run_id)
    assert (found.info.status, found.data.metrics) == ("FINISHED", {"joined": 1.0})


def test_who_ends_a_run_in_a_thread_that_joined_it_only_leaves_it(mltrack):
    def work(run_id):
        mltrack.start_run(run_id=run_id)
        mltrack.end_run()

    run = mltrack.start_run()
    thread = threading.Thread(target=work, args=(run.run_id,))
    thread.start()
    thread.join()
    assert mltrack.get_run(run.run_id).info.status == "RUNNING"
    mltrack.end_run("FAILED")
    assert mltrack.get_run(run.run_id).info.status == "FAILED"


def test_an_owner_ends_its_run_while_a_thread_is_in_it(mltrack):
    with mltrack.start_run() as run:
        thread = threading.Thread(target=mltrack.start_run, kwargs={"run_id": run.run_id})
        thread.start()
        thread.join()
    assert mltrack.get_run(run.run_id).info.status == "FINISHED"
    fluent.finish_run(run.run_id, "KILLED")
    assert mltrack.get_run(run.run_id).info.status == "KILLED"


def test_a_run_that_goes_on_after_its_machine_was_lost_has_its_own_end(run_script):
    """As in a pod that is restarted elsewhere, which nobody can ask after the process of the first."""
    lost = (
        "import os, mltrack_jupyter as mltrack\n"
        "from mltrack_jupyter.store import process\n"
        "process._boot_id = lambda: 'another'\n"
        "process._host = lambda: 'pod-1'\n"
        "run = mltrack.start_run(); mltrack.get_run(run.run_id)\n"
        "print(run.run_id, flush=True); os.kill(os.getpid(), 9)"
    )
    run_id = run_script(lost, check=False).stdout.strip()
    services = open_store(run_script.store)
    with sqlite3.connect(run_script.store / "mltrack.db") as connection:
        connection.execute("UPDATE run_leases SET heartbeat = heartbeat - 40000")
    connection.close()
    resumed = f"with mltrack.start_run(run_id={run_id!r}): mltrack.log_metric('b', 2)"
    run_script("import mltrack_jupyter as mltrack\n" + resumed)
    assert services.runs.get(run_id).info.status == "FINISHED"
    services.close()


def test_a_thread_that_leaves_later_does_not_change_how_its_owner_ended(mltrack):
    inside, go = threading.Event(), threading.Event()

    def join(run_id):
        with mltrack.start_run(run_id=run_id):
            inside.set()
            go.wait()

    def own():
        with mltrack.start_run() as run:
            threads.append(threading.Thread(target=join, args=(run.run_id,)))
            threads[0].start()
            inside.wait()
            owned.append(run.run_id)
            raise ValueError("wrong")

    threads, owned = [], []
    with pytest.raises(ValueError, match="wrong"):
        own()
    go.set()
    threads[0].join()
    found = mltrack.get_run(owned[0])
    assert found.info.status == "FAILED"
    assert found.data.tags["mltrack.status_reason"] == "ValueError: wrong"


def test_two_blocks_of_one_run_count_its_points_together(mltrack, environment):
    environment.setattr("mltrack_jupyter.tracking.logging.time_ns", lambda: 10**18)
    with mltrack.start_run() as run:
        with mltrack.start_run(run_id=run.run_id, nested=True):
            mltrack.log_metric("m", 5.0)
        mltrack.log_metric("m", 1.0)
    assert mltrack.get_run(run.run_id).data.metrics == {"m": 1.0}


def test_a_run_that_is_left_open_ends_without_the_block_of_a_thread_in_it(mltrack):
    inside, go = threading.Event(), threading.Event()

    def work():
        with mltrack.start_run(run_name="child", nested=True) as child:
            children.append(child.run_id)
            inside.set()
            go.wait()
            mltrack.log_metric("c", 2.0)

    children = []
    mltrack.start_run(run_name="first")
    thread = threading.Thread(target=work)
    thread.start()
    inside.wait()
    with pytest.warns(UserWarning, match="still open"):
        mltrack.start_run(run_name="second")
    go.set()
    thread.join()
    mltrack.end_run()
    assert mltrack.get_run(children[0]).data.metrics == {"c": 2.0}


def test_an_interrupt_of_what_watches_a_run_ends_it_no_less(mltrack):
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), mltrack.start_run() as run:
        run.on_end.append(interrupt)
    assert mltrack.active_run() is None


def test_a_worker_logs_to_the_run_around_it_after_one_of_its_own(run_script):
    code = """
import multiprocessing, mltrack_jupyter as mltrack
def work():
    with mltrack.start_run(run_name="own"): pass
    mltrack.log_metric("around", 1)
with mltrack.start_run(run_name="outer") as outer:
    worker = multiprocessing.get_context("fork").Process(target=work); worker.start(); worker.join()
print(mltrack.get_run(outer.run_id).data.metrics, len(mltrack.search_runs()))
"""
    assert run_script(code).stdout.strip() == "{'around': 1.0} 2"
