"""The ends of processes, and what a fresh one tracks to."""

import os
import signal
import subprocess
import sys
import types

import pytest
import sqlalchemy  # noqa: F401 - it needs the real asyncio

from mltrack_jupyter.store import open_store
from mltrack_jupyter.tracking import session

BEGIN = """
import sys, mltrack_jupyter as mltrack
outer = mltrack.start_run(run_name="outer")
inner = mltrack.start_run(run_name="inner", nested=True)
mltrack.log_param("a", 1)
"""


def stored(store):
    services = open_store(store)
    page = services.runs.search(["0"])
    services.close()
    return {run.info.run_name: run for run in page}


def statuses(store):
    return {name: run.info.status.value for name, run in stored(store).items()}


@pytest.mark.parametrize(
    ("end", "code", "expected"),
    [
        ("", 0, "FINISHED"),
        ("raise ValueError('x')", 1, "FAILED"),
        ("1 / 0", 1, "FAILED"),
        ("raise KeyboardInterrupt", -2, "KILLED"),
        ("sys.exit(0)", 0, "FINISHED"),
        ("sys.exit()", 0, "FINISHED"),
        ("sys.exit(3)", 3, "FAILED"),
        ("sys.exit('no data')", 1, "FAILED"),
        ("exit(3)", 3, "FAILED"),
        ("raise SystemExit", 0, "FINISHED"),
        ("import argparse; argparse.ArgumentParser().error('x')", 2, "FAILED"),
        ("try: sys.exit(3)\nexcept SystemExit as error: assert error.code == 3", 0, "FINISHED"),
        ("try: sys.exit(3)\nfinally: print('tidy')", 3, "FAILED"),
        ("import threading; t = threading.Thread(target=sys.exit, args=(3,)); t.start(); t.join()", 0, "FINISHED"),
    ],
)  # fmt: skip
def test_a_script_that_ends_ends_its_runs(run_script, end, code, expected):
    done = run_script(BEGIN + end, check=False)
    # Python forgets that it was interrupted if anything is compiled before it ends, and then says 1.
    assert done.returncode in (code, 130) or (expected == "KILLED" and done.returncode == 1)
    assert statuses(run_script.store) == {"outer": expected, "inner": expected}


@pytest.mark.parametrize(
    ("block", "end", "reason"),
    [
        (False, "raise ValueError('the reason')", "ValueError: the reason"),
        (True, "raise ValueError('api_key=\"sk-1234567890abcdef1234\"')", 'ValueError: api_key="[redacted]"'),
        (False, "raise KeyboardInterrupt", "Interrupted."),
        (True, "sys.exit(3)", "Ended by sys.exit(3)."),
        (False, "sys.exit(3)", "Ended by sys.exit(3)."),
        (False, "sys.exit(0)", None),
    ],
)  # fmt: skip
def test_a_run_says_why_it_ended(run_script, block, end, reason):
    begin = (
        "with mltrack.start_run(run_name='r'): " if block else "mltrack.start_run(run_name='r')\n"
    )
    run_script(f"import sys, mltrack_jupyter as mltrack\n{begin}{end}\n", check=False)
    tags = stored(run_script.store)["r"].data.tags
    assert tags.get("mltrack.status_reason") == reason
    if "ValueError" in end:
        error = tags["mltrack.error"]
        assert error.startswith("Traceback (most recent call last)")
        assert "sk-123" not in error
    else:
        assert "mltrack.error" not in tags


def test_leaving_by_sys_exit_looks_as_ever(run_script):
    done = run_script(
        """
import pickle, sys, mltrack_jupyter as mltrack
mltrack.start_run()
try:
    sys.exit((1, 2))
except SystemExit as error:
    print(repr(error), error.code, error.args, type(pickle.loads(pickle.dumps(error))))
sys.exit("bye")
""",
        check=False,
    )
    assert done.stdout.strip() == "SystemExit(1, 2) (1, 2) (1, 2) <class 'SystemExit'>"
    assert (done.stderr.strip(), done.returncode) == ("bye", 1)


def test_the_traceback_of_a_script_is_still_shown(run_script):
    done = run_script(BEGIN + "raise ValueError('the reason')", check=False)
    assert "ValueError: the reason" in done.stderr


def test_a_block_sees_the_exit_code(run_script):
    run_script(
        """
import sys, mltrack_jupyter as mltrack
with mltrack.start_run(run_name="block"):
    sys.exit(3)
""",
        check=False,
    )
    assert statuses(run_script.store) == {"block": "FAILED"}


def test_runs_of_threads_end_with_the_script(run_script):
    run_script(
        """
import threading, mltrack_jupyter as mltrack
def work(): mltrack.start_run(run_name=threading.current_thread().name)
threads = [threading.Thread(target=work, name=name) for name in "ab"]
[t.start() for t in threads]; [t.join() for t in threads]
"""
    )
    assert statuses(run_script.store) == {"a": "FINISHED", "b": "FINISHED"}


@pytest.mark.parametrize(
    ("end", "expected", "reason"),
    [
        ("raise ValueError('diverged')", "FAILED", "ValueError: diverged"),
        ("sys.exit(3)", "FAILED", "Ended by sys.exit(3)."),
        ("raise KeyboardInterrupt", "KILLED", "Interrupted."),
        ("sys.exit(0)", "FINISHED", None),
    ],
)
def test_a_thread_that_ends_ends_the_runs_that_it_began(run_script, end, expected, reason):
    done = run_script(
        f"""
import sys, threading, mltrack_jupyter as mltrack
mltrack.start_run(run_name="main")
def work():
    mltrack.start_run(run_name="left")
    {end}
thread = threading.Thread(target=work)
thread.start()
thread.join()
found = mltrack.search_runs(filter_string="run_name = 'left'", output_format="list")[0].info.status
print(found.value, mltrack.active_run().run_name)
"""
    )
    now = "RUNNING" if expected == "FINISHED" else expected  # nobody knows yet that it ended
    assert done.stdout.split() == [now, "main"]
    assert statuses(run_script.store) == {"left": expected, "main": "FINISHED"}
    assert stored(run_script.store)["left"].data.tags.get("mltrack.status_reason") == reason
    if "ValueError" in end:
        assert "ValueError: diverged" in done.stderr
        assert "mltrack.error" in stored(run_script.store)["left"].data.tags


def test_whoever_else_listens_to_the_errors_of_threads_hears_them(run_script):
    done = run_script(
        """
import threading
threading.excepthook = lambda arguments: print("heard", arguments.exc_value)
import mltrack_jupyter as mltrack
mltrack.start_run
def work(): raise ValueError("x")
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""
    )
    assert done.stdout.strip() == "heard x"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_logs_to_the_run_of_its_parent_but_does_not_end_it(run_script):
    done = run_script(
        """
import os, mltrack_jupyter as mltrack
with mltrack.start_run(run_name="parent") as run:
    mltrack.log_param("before", 1)
    children = []
    for index in range(3):
        child = os.fork()
        if child == 0:
            for step in range(10):
                mltrack.log_metric(f"m{index}", step, step=step)
            with mltrack.start_run(run_name=f"child{index}", nested=True):
                pass
            raise SystemExit(0)
        children.append(child)
    print([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
    print(mltrack.get_run(run.info.run_id).info.status.value)
    mltrack.log_param("after", 1)
print(sorted(mltrack.get_run(run.info.run_id).data.metrics))
print(len(mltrack.get_metric_history(run.info.run_id, "m1")))
"""
    )
    assert done.stdout.splitlines() == ["[0, 0, 0]", "RUNNING", "['m0', 'm1', 'm2']", "10"]
    names = statuses(run_script.store)
    assert names == dict.fromkeys(("parent", "child0", "child1", "child2"), "FINISHED")


def test_a_killed_script_loses_nothing_that_was_logged(run_script, tmp_path):
    script = tmp_path / "killed.py"
    script.write_text(
        BEGIN
        + """
step = 0
while True:
    mltrack.log_metric("m", step, step=step)
    print(step, flush=True)
    step += 1
"""
    )
    environment = os.environ | {"MLTRACK_TRACKING_URI": str(run_script.store)}
    process = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, text=True, env=environment
    )
    said = [int(process.stdout.readline()) for _ in range(50)]
    process.send_signal(signal.SIGKILL)
    said += [int(line) for line in process.stdout if line.strip()]
    process.wait()
    process.stdout.close()
    services = session.services(run_script.store)
    run = services.runs.search(["0"], "run_name = 'inner'")[0]
    steps = [point.step for point in services.metrics.history(run.info.run_id, "m")]
    session.close()
    assert said == steps[: len(said)]


def test_a_run_starts_while_another_thread_is_importing_asyncio(mltrack, environment):
    environment.setitem(sys.modules, "asyncio", types.ModuleType("asyncio"))
    with mltrack.start_run() as run:
        pass
    assert mltrack.get_run(run.run_id).info.status == "FINISHED"


HANDLER = """
import faulthandler, os, signal, threading, mltrack_jupyter as mltrack
from sqlalchemy import Engine, event
faulthandler.dump_traceback_later(60, exit=True)  # it used to wait for itself
run = mltrack.start_run()
mltrack.log_metric("a", 1.0)
mltrack.get_run(run.run_id)
fired, sent = [], []
def handler(*_):
    mltrack.log_text("kept", "checkpoint.txt")
    mltrack.log_metric("h", 2.0, synchronous=True)
    fired.append(mltrack.get_run(run.run_id).data.metrics)
signal.signal(signal.{signal}, handler)
@event.listens_for(Engine, "after_cursor_execute")
def after(connection, *_):
    mine = threading.current_thread() is threading.main_thread()
    if connection.info.get("write") and mine and not sent:
        sent.append(1)
        os.kill(os.getpid(), signal.{signal})
{write}
found = mltrack.get_run(run.run_id)
print(len(fired), sorted(found.data.metrics), [f.path for f in mltrack.Client().list_artifacts(run.run_id)].count("checkpoint.txt"))
"""


@pytest.mark.skipif(not hasattr(os, "kill"), reason="needs signals")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
@pytest.mark.parametrize(
    "write",
    [
        "mltrack.create_experiment('x')",
        # The journal's thread may be first.
        "while not sent: mltrack.log_metric('b', 1.0); mltrack.get_run(run.run_id)",
    ],
)
def test_a_handler_may_write_while_its_thread_does(run_script, name, write):
    done = run_script(HANDLER.replace("{signal}", name).replace("{write}", write))
    words = done.stdout.split()
    assert words[0] == "1"
    assert "'h'" in done.stdout
    assert words[-1] == "1"


def test_a_forked_child_may_be_heard_before_its_parent(run_script):
    done = run_script(
        """
import os, time, mltrack_jupyter as mltrack
from mltrack_jupyter.tracking import session, stores
real = stores.open_store
def away(uri):
    from mltrack_jupyter.errors import ServerUnreachable
    raise ServerUnreachable("nobody answers")
stores.open_store = away
run = mltrack.start_run(run_name="ours")
mltrack.log_metric("parent", 1.0)
time.sleep(0.5)  # the parent tries, and waits for longer and longer
child = os.fork()
stores.open_store = real
if child == 0:
    mltrack.log_metric("child", 2.0)
    session.close()
    os._exit(0)
os.waitpid(child, 0)
mltrack.end_run()
found = mltrack.get_run(run.run_id)
print(found.data.metrics, found.info.run_name, found.info.status)
"""
    )
    assert done.stdout.strip() == "{'child': 2.0, 'parent': 1.0} ours FINISHED"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("name", ["git", "environment"])
def test_a_fork_while_a_thread_imports_leaves_no_half_of_a_module(run_script, name):
    done = run_script(
        f"""
import importlib, os, signal, sys, threading, time
inside = threading.Event()
class Slow:
    def find_spec(self, name, *_):
        if name == wanted and threading.current_thread() is not threading.main_thread():
            sys.meta_path.remove(self)
            inside.set()
            time.sleep(0.5)
import mltrack_jupyter as mltrack
mltrack.search_runs()  # the store is open
wanted = "mltrack_jupyter.tracking.{name}"
assert wanted not in sys.modules
sys.meta_path.insert(0, Slow())
run = mltrack.start_run()
assert inside.wait(20)
child = os.fork()
if child == 0:
    signal.alarm(20)  # it used to wait for the lock of a thread that is not there
    importlib.import_module(wanted)
    with mltrack.start_run(run_name="child") as own:
        pass
    found = [file.path for file in mltrack.Client().list_artifacts(own.run_id, "environment")]
    os._exit(0 if len(found) == 2 else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    )
    assert done.stdout.strip() == "0", done.stderr
    assert "Traceback" not in done.stderr
