"""Several processes at one store: none fails, nothing is lost."""

import os
import sqlite3
import subprocess
import sys
import threading

import pytest

from mltrack_jupyter.store import open_store
from mltrack_jupyter.testing.making import NOW, new_run

soak = pytest.mark.skipif(not os.environ.get("SOAK"), reason="SOAK=1 runs it")
BEGIN = """
import sys, time
from pathlib import Path
from mltrack_jupyter.store import open_store
from mltrack_jupyter.errors import AlreadyExists
folder, index = Path(sys.argv[1]), sys.argv[2]
(folder / f"ready{index}").touch()
while not (folder / "go").exists():
    time.sleep(0.001)
services = open_store(folder / "store")
"""
RUN = """
run = services.runs.create(experiment_id="0", run_name=index)
services.runs.log_metric(run.info.run_id, "m", 1.0, 0)
"""
POINTS = """
run_id = sys.argv[3]
for step in range(int(sys.argv[4])):
    services.runs.log_metric(run_id, f"m{index}", 0.5, step, step)
"""
NAME = """
try:
    print(services.experiments.create("the same"))
except AlreadyExists:
    print(services.experiments.get_by_name("the same").experiment_id)
"""


def together(folder, count, code, *arguments):
    """Run a piece of code in processes that begin at the same moment; return what they said."""
    script = folder / "script.py"
    script.write_text(BEGIN + code)
    processes = [
        subprocess.Popen(
            [sys.executable, script, folder, str(index), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for index in range(count)
    ]  # fmt: skip
    while not all((folder / f"ready{index}").exists() or p.poll() is not None
                  for index, p in enumerate(processes)):  # fmt: skip
        threading.Event().wait(0.01)
    (folder / "go").touch()
    found = [process.communicate(timeout=900) for process in processes]
    assert [error for _, error in found] == [""] * count
    return [said.strip() for said, _ in found]


def intact(path):
    with sqlite3.connect(path) as connection:
        (said,) = connection.execute("PRAGMA integrity_check").fetchone()
    connection.close()
    return said == "ok"


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


def test_eight_processes_begin_with_an_empty_folder(tmp_path, store):
    together(tmp_path, 8, RUN)
    services = open_store(store)
    assert [item.name for item in services.experiments.search(10)] == ["Default"]
    names = sorted(run.info.run_name for run in services.runs.search(["0"]))
    services.close()
    assert names == [str(index) for index in range(8)]
    assert sorted(os.listdir(store)) == ["mltrack.db", "mltrack.db.turn"]
    assert intact(store / "mltrack.db")


@pytest.mark.parametrize("points", [200, pytest.param(1000, marks=soak)])
def test_eight_processes_write_points_into_one_run(tmp_path, store, points):
    services = open_store(store)
    run_id = new_run(services).info.run_id
    together(tmp_path, 8, POINTS, run_id, str(points))
    for index in range(8):
        steps = [point.step for point in services.metrics.history(run_id, f"m{index}")]
        assert steps == list(range(points))
    services.close()
    assert intact(store / "mltrack.db")


def test_processes_that_create_the_same_experiment_get_the_same(tmp_path, store):
    open_store(store).close()
    assert len(set(together(tmp_path, 4, NAME))) == 1


def test_threads_share_a_store(tmp_path, store):
    services = open_store(store)
    run_id = new_run(services).info.run_id
    errors = []

    def work(index):
        try:
            for step in range(50):
                services.runs.log_metric(run_id, f"m{index}", 0.5, NOW, step)
                services.runs.get(run_id)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [len(services.metrics.history(run_id, f"m{index}")) for index in range(8)]
    services.close()
    assert (errors, found) == ([], [50] * 8)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_with_an_open_store(run_script):
    done = run_script(
        """
import os
from pathlib import Path
from mltrack_jupyter.store import open_store
from mltrack_jupyter.testing.making import new_run
services = open_store(Path("forked"))
run_id = new_run(services, metrics={"before": 1.0}).info.run_id
children = []
for index in range(5):
    child = os.fork()
    if child == 0:
        for step in range(20):
            services.runs.log_metric(run_id, f"m{index}", 1.0, step, step)
        os._exit(0)
    children.append(child)
for step in range(20):
    services.runs.log_metric(run_id, "parent", 1.0, step, step)
print([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
keys = [*(f"m{index}" for index in range(5)), "parent", "before"]
print([len(services.metrics.history(run_id, key)) for key in keys])
services.close()
print(sorted(os.listdir("forked")))
"""
    )
    assert done.stdout.splitlines() == [
        "[0, 0, 0, 0, 0]", "[20, 20, 20, 20, 20, 20, 1]", "['mltrack.db', 'mltrack.db.turn']",
    ]  # fmt: skip


def test_a_reader_sees_one_state_while_another_writes(tmp_path, store):
    services = open_store(store)
    run_id = new_run(services).info.run_id
    with sqlite3.connect(store / "mltrack.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE runs SET name = 'half done'")
        assert services.runs.get(run_id).info.run_name != "half done"
        other.execute("ROLLBACK")
    other.close()
    services.close()
