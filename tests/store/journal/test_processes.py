"""Whose a journal is: threads, forks, interrupts and other processes."""

import os
import threading

import pytest

from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.journal import Keeper, recover
from mltrack_jupyter.store.journal.segment import Segment

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def history(run_script, key="m"):
    """Return the steps of the newest run after the processes have ended."""
    services = open_store(run_script.store)
    folder = run_script.store / "journals"
    recover(folder, lambda: services, services.uri)
    (run,) = services.runs.search(["0"], "", max_results=1)
    steps = sorted(point.step for point in services.metrics.history(run.info.run_id, key))
    left = sorted(path.name for path in folder.glob("*"))
    services.close()
    return steps, left


def test_threads_share_a_journal(desk):
    journal = desk.journal()

    def work(index):
        for step in range(2000):
            journal.point(desk.run_id, f"m{index}", step, 1, 0.5)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    desk.die(journal)
    journal.segments.clear()
    desk.recover()
    assert [desk.steps(f"m{index}") == list(range(2000)) for index in range(8)] == [True] * 8


def test_a_keeper_hands_over_by_itself(desk, until):
    keeper = Keeper(desk.folder, desk.services.uri, lambda: desk.services)
    desk.begin(keeper.journal)
    keeper.journal.point(desk.run_id, "m", 0, 1, 0.5)
    keeper.wrote()
    until(lambda: not keeper.pending)
    assert desk.steps() == [0]
    assert keeper.close()
    assert desk.files() == []


def test_the_own_live_files_are_never_taken_over(desk):
    journal = desk.journal()
    assert desk.recover() == []
    found = []
    thread = threading.Thread(target=lambda: found.append(desk.recover()))
    thread.start()
    thread.join()
    assert found == [[]]
    with pytest.raises(BlockingIOError):
        Segment.take_over(journal.segments[0].path)
    desk.die(journal)


def test_the_lock_outlives_a_copy_of_the_folder_made_by_the_process_itself(run_script):
    done = run_script(
        """
import shutil, subprocess, sys, mltrack_jupyter as mltrack
from mltrack_jupyter.store.journal import journal_folder
with mltrack.start_run():
    mltrack.log_metric("m", 0, step=0)
    journals = journal_folder(mltrack.get_tracking_uri())
    shutil.copytree(journals, "backup")
    other = '''
import sys
from pathlib import Path
from mltrack_jupyter.store.journal.recovery import orphans
print(orphans(Path(sys.argv[1])))
'''
    print(subprocess.run([sys.executable, "-c", other, journals], capture_output=True, text=True).stdout)
"""
    )
    assert done.stdout.strip() == "{}"


@needs_fork
def test_a_fork_in_the_middle_of_logging(run_script):
    run_script(
        """
import os, threading, mltrack_jupyter as mltrack
with mltrack.start_run():
    stop = threading.Event()
    def work():
        step = 0
        while not stop.is_set() and step < 2_000:
            mltrack.log_metric("beside", step, step=step)
            step += 1
    thread = threading.Thread(target=work); thread.start()
    children = []
    for child in range(5):
        mltrack.log_metric("m", 1, step=2 * child)
        pid = os.fork()
        if pid == 0:
            mltrack.log_metric("m", 1, step=2 * child + 1)
            if child % 2:
                os._exit(0)  # without any cleaning up
            raise SystemExit(0)
        children.append(pid)
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0] * 5
    stop.set(); thread.join()
"""
    )
    assert history(run_script) == (list(range(10)), [])


INTERRUPTS = """
import os, signal, subprocess, sys, mltrack_jupyter as mltrack
count = int(sys.argv[1])
mltrack.start_run()
mltrack.log_metric("m", 0, step=0)
run_id = mltrack.active_run().run_id
mltrack.get_run(run_id)  # Python's own imports do not stand an interrupt
code = '''
import os, random, signal, sys, time
for _ in range(int(sys.argv[2])):
    time.sleep(random.uniform(0.002, 0.01))
    os.kill(int(sys.argv[1]), signal.SIGINT)
'''
said, caught, step, armed = [0], 0, 0, False
def handler(*_):
    if armed:
        raise KeyboardInterrupt
signal.signal(signal.SIGINT, handler)  # before anybody sends one
sender = subprocess.Popen([sys.executable, "-c", code, str(os.getpid()), str(count)],
                          start_new_session=True)
while sender.poll() is None or step < 100:
    step += 1
    try:
        armed = True
        if step % 50 == 0:
            mltrack.get_run(run_id)
        elif step % 7 == 0:
            mltrack.log_metrics({"m": 0.5}, step=step)
        else:
            mltrack.log_metric("m", 0.5, step=step)
        armed = False
        if step % 50:
            said.append(step)
    except KeyboardInterrupt:
        armed = False
        caught += 1
mltrack.log_metric("last", 1.0)
mltrack.end_run()
there = [point.step for point in mltrack.get_metric_history(run_id, "m")]
assert len(there) == len(set(there)), "doubled"
assert set(said) <= set(there), sorted(set(said) - set(there))[:20]
print("caught", caught)
print(mltrack.get_run(run_id).info.status.value, mltrack.get_run(run_id).data.metrics["last"])
"""


def test_two_hundred_interrupts_inside_calls(run_script):
    done = run_script(INTERRUPTS, "200")
    caught, end = done.stdout.splitlines()
    assert end == "FINISHED 1.0"
    assert int(caught.split()[1]) > 20  # many come between calls


@pytest.mark.skipif(not hasattr(os, "kill"), reason="needs signals")
def test_a_signal_handler_logs_in_the_middle_of_a_log_call(run_script):
    done = run_script(
        """
import itertools, signal, mltrack_jupyter as mltrack
said, numbers = [], itertools.count()
def handler(*_):
    step = next(numbers)
    mltrack.log_metric("handled", 1.0, step=step)
    mltrack.log_param(f"p{step}", step)
    said.append(step)
    signal.setitimer(signal.ITIMER_REAL, 0.001)  # the next one when this one is done
signal.signal(signal.SIGALRM, handler)
run = mltrack.start_run()
mltrack.log_metric("m", 0.5, step=0)
signal.setitimer(signal.ITIMER_REAL, 0.001)
step = 0
while len(said) < 100:
    step += 1
    mltrack.log_metric("m", 0.5, step=step)
signal.setitimer(signal.ITIMER_REAL, 0)
mltrack.end_run()
found = mltrack.get_run(run.run_id)
print(sorted(p.step for p in mltrack.get_metric_history(run.run_id, "handled")) == sorted(said))
print(len(found.data.params) == len(said))
print(len(mltrack.get_metric_history(run.run_id, "m")) == step + 1)
"""
    )
    assert done.stdout.split() == ["True"] * 3


def test_a_handler_that_ends_the_process_loses_nothing(run_script):
    for _ in range(5):
        run_script(
            """
import os, signal, random, mltrack_jupyter as mltrack
def handler(*_):
    mltrack.log_metric("m", 1.0, step=7)
    os.kill(os.getpid(), signal.SIGKILL)
signal.signal(signal.SIGALRM, handler)
mltrack.start_run()
mltrack.log_metric("other", 0.5)
signal.setitimer(signal.ITIMER_REAL, random.uniform(0.001, 0.02))
while True:
    mltrack.log_metric("other", 0.5)
""",
            check=False,
        )
        steps, left = history(run_script)
        assert steps == [7]
        # The kill may come while the next file is made: nothing is in that yet, and it is swept later.
        assert all(name.endswith(".new") for name in left)
