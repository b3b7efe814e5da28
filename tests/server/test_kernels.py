"""What becomes of a run when its kernel is gone: real kernels of a real server."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import clean_environment
from kernels import Kernel

from mltrack_jupyter.errors import NotFound
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.journal import journal_folder, recover

ROOT = Path(__file__).parents[2]
REASON = "mltrack.status_reason"
OPEN = "import mltrack_jupyter as mltrack; run = mltrack.start_run(); run.info.run_id"


@pytest.fixture(scope="module")
def server(own_server):
    return own_server


@pytest.fixture
def kernel(server):
    kernel = Kernel(server)
    yield kernel
    kernel.close()


@pytest.fixture(scope="module")
def services(server):
    services = server.services()
    yield services
    services.close()


def ended(services, run_id, seconds=10):
    """Wait until a run has ended; return its status, its reason, and how long that took."""
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        try:
            run = services.runs.get(run_id)
        except NotFound:  # it is in the journal of the kernel for a moment more
            continue
        if run.info.status.is_terminated():
            took = time.monotonic() - start
            print(f"{run.info.status.value} after {took:.2f} s")
            return run.info.status.value, run.data.tags.get(REASON), took
        time.sleep(0.02)
    raise AssertionError(f"the run is {run.info.status.value} after {seconds} s")


def test_a_notebook_that_is_renamed_while_its_kernel_runs(kernel, services):
    http = kernel.http
    notebook = {
        "type": "notebook",
        "content": {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5},
    }
    assert http.put("/api/contents/draft.ipynb", json=notebook).status_code == 201
    session = {"path": "draft.ipynb", "name": "", "type": "notebook", "kernel": {"id": kernel.id}}
    made = http.post("/api/sessions", json=session).json()
    kernel.run("%load_ext mltrack_jupyter")
    names = []
    for name in ("draft.ipynb", "final.ipynb"):
        if name != "draft.ipynb":  # as JupyterLab does it
            assert http.patch("/api/contents/draft.ipynb", json={"path": name}).status_code == 200
            assert http.patch(f"/api/sessions/{made['id']}", json={"path": name}).status_code == 200
        run_id = kernel.run(OPEN)
        kernel.run("mltrack.end_run()")
        ended(services, run_id)
        names.append(services.runs.get(run_id).data.tags["mlflow.source.name"])
    assert names == ["draft.ipynb", "final.ipynb"]


def test_a_kernel_that_is_killed(kernel, services):
    run_id = kernel.run(OPEN)
    pid = int(kernel.run("import os; os.getpid()"))
    os.kill(pid, signal.SIGKILL)
    status, reason, took = ended(services, run_id)
    assert (status, reason) == ("KILLED", "The kernel died.")
    assert took < 2


def test_a_kernel_that_is_restarted_while_its_cell_runs_and_will_not_stop(kernel, services):
    run_id = kernel.run(OPEN)
    kernel.start("import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass")
    time.sleep(1)
    kernel.ask("restart")
    status, reason, took = ended(services, run_id)
    assert (status, reason) == ("KILLED", "The kernel was restarted.")
    assert took < 2


def test_a_kernel_that_is_restarted_at_rest_and_its_next_run(kernel, services):
    run_id = kernel.run(OPEN)
    kernel.ask("restart")
    assert ended(services, run_id)[:2] == (
        "KILLED", "The kernel was restarted while the run was open.",
    )  # fmt: skip
    kernel.socket.close()
    kernel.connect()
    later = kernel.run(OPEN)
    time.sleep(1.5)
    assert services.runs.get(later).info.status.value == "RUNNING"


@pytest.mark.parametrize(
    ("cell", "status", "reason"),
    [
        ("1 + 1", "KILLED", "The kernel was shut down while the run was open."),
        (
            "1 / 0", "FAILED",
            ("The kernel was shut down while the run was open; its last cell had failed: "
            "ZeroDivisionError: division by zero"),
        ),
    ],
)  # fmt: skip
def test_a_kernel_that_is_shut_down(kernel, services, cell, status, reason):
    run_id = kernel.run(OPEN)
    kernel.run(cell)
    kernel.shut_down()
    found = ended(services, run_id)
    assert found[:2] == (status, reason)
    assert found[2] < 2
    assert ("1 / 0" in services.runs.get(run_id).data.tags.get("mltrack.error", "")) == (
        status == "FAILED"
    )


def test_a_run_that_goes_on_is_not_touched(kernel, services):
    run_id = kernel.run(OPEN)
    for _ in range(5):
        services.leases.reap()
    kernel.ask("interrupt")
    assert kernel.run("mltrack.log_metric('m', 1.0); mltrack.active_run().info.run_id") == run_id
    assert services.runs.get(run_id).info.status.value == "RUNNING"
    kernel.run("mltrack.end_run()")
    assert ended(services, run_id)[:2] == ("FINISHED", None)


def test_a_script_that_was_killed_while_no_server_ran(start_server, tmp_path):
    store = tmp_path / "server" / "work" / ".mltrack"
    code = "import mltrack_jupyter as m, time; print(m.start_run().info.run_id, flush=True); time.sleep(60)"
    environment = clean_environment() | {"MLTRACK_TRACKING_URI": str(store)}
    script = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
    )
    run_id = script.stdout.readline().strip()
    script.kill()
    script.wait()
    script.stdout.close()
    here = open_store(store)
    recover(journal_folder(here.uri), lambda: here, here.uri, reap=False)
    assert here.runs.get(run_id).info.status.value == "RUNNING"
    start_server()
    assert ended(here, run_id)[:2] == ("KILLED", "The process that wrote the run died.")
    here.close()


def test_a_kernel_that_is_culled(start_server):
    server = start_server(
        "--MappingKernelManager.cull_idle_timeout=6", "--MappingKernelManager.cull_interval=1",
        "--MappingKernelManager.cull_connected=True",
    )  # fmt: skip
    services, kernel = server.services(), Kernel(server)
    run_id = kernel.run(OPEN)
    status, reason, _ = ended(services, run_id, 30)
    assert (status, reason) == ("KILLED", "The kernel was shut down while the run was open.")
    services.close()
    kernel.close()


def test_kernels_write_to_the_store_of_their_server_whoever_started_that(start_server, tmp_path):
    """A server that a notebook starts inherits the choice of the notebook; its kernels get its own."""
    told = {"store": {"uri": f"sqlite:///{tmp_path / 'notebook.db'}", "over": {}}}
    server = start_server(env={"MLTRACK_INHERITED": json.dumps(told)})
    kernel = Kernel(server)
    assert kernel.run("import mltrack_jupyter as m; m.get_tracking_uri()") == (
        f"sqlite:///{server.store / 'mltrack.db'}"
    )
    kernel.close()
