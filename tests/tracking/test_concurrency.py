"""Which run a thread, a task, a worker or a child process logs to."""

import asyncio
import contextvars
import gc
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mltrack_jupyter.tracking import beside, scope, session

PARENT = "mlflow.parentRunId"
REASON = "mltrack.status_reason"


def test_workers_of_a_pool_log_to_the_run_around_them(mltrack):
    with mltrack.start_run() as run, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda i: mltrack.log_metric(f"m{i}", i), range(8)))
    assert len(mltrack.get_run(run.info.run_id).data.metrics) == 8


def test_each_worker_may_have_a_run_of_its_own(mltrack):
    def work(index):
        with mltrack.start_run(nested=True) as run:
            mltrack.log_param("index", index)
            return run.info.run_id

    with mltrack.start_run() as outer, ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(work, range(8)))
        assert mltrack.active_run() is outer
    runs = [mltrack.get_run(run_id) for run_id in ids]
    assert [run.data.params["index"] for run in runs] == [str(index) for index in range(8)]
    assert {run.data.tags[PARENT] for run in runs} == {outer.info.run_id}


def test_a_thread_with_a_copied_context_has_the_run_of_that_context(mltrack):
    seen = []
    with mltrack.start_run() as run:
        context = contextvars.copy_context()
        thread = threading.Thread(
            target=context.run, args=(lambda: seen.append(mltrack.active_run()),)
        )
        thread.start()
        thread.join()
    assert seen == [run]


async def test_tasks_that_run_at_once_do_not_mix(mltrack):
    async def work(index):
        with mltrack.start_run(nested=True) as run:
            await asyncio.sleep(0.01 * (3 - index))
            mltrack.log_param("index", index)
            await asyncio.sleep(0.01)
            return run.info.run_id

    ids = await asyncio.gather(*(work(index) for index in range(3)))
    found = [mltrack.get_run(run_id).data.params for run_id in ids]
    assert found == [{"index": "0"}, {"index": "1"}, {"index": "2"}]


async def test_tasks_beside_a_run_that_was_left_open_begin_runs_of_their_own(mltrack):
    async def work():
        with mltrack.start_run() as run:
            await asyncio.sleep(0)
        return run

    async def ends_nothing():
        mltrack.end_run()

    outer = mltrack.start_run()
    runs = await asyncio.gather(work(), work(), asyncio.to_thread(lambda: asyncio.run(work())))
    await asyncio.create_task(ends_nothing())
    assert mltrack.active_run() is outer
    assert len({run.run_id for run in runs} | {outer.run_id}) == 4
    for run in runs:
        found = mltrack.get_run(run.run_id)
        assert (found.info.status, found.data.tags.get(PARENT)) == ("FINISHED", None)
    mltrack.end_run()


async def test_a_task_inside_a_block_begins_a_child_beside_what_was_left_open_there(mltrack):
    async def work():
        with mltrack.start_run() as run:
            return run

    with mltrack.start_run() as outer:
        left_open = mltrack.start_run(nested=True)
        child = await asyncio.create_task(work())
        assert mltrack.active_run() is left_open
    assert mltrack.get_run(child.run_id).data.tags[PARENT] == outer.run_id
    assert mltrack.get_run(left_open.run_id).info.status == "FINISHED"


async def test_a_task_that_goes_on_after_the_block_around_it_ends_its_own_run(mltrack):
    leave = asyncio.Event()

    async def work():
        with mltrack.start_run():
            await leave.wait()
            mltrack.log_metric("late", 1.0)
            return mltrack.active_run()

    with mltrack.start_run():
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
    leave.set()
    found = mltrack.get_run((await task).run_id)
    assert (found.info.status, found.data.metrics) == ("FINISHED", {"late": 1.0})


async def test_the_run_of_a_task_that_is_cancelled_is_killed(mltrack):
    begun = []

    async def work():
        with mltrack.start_run() as run:
            begun.append(run)
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    found = mltrack.get_run(begun[0].run_id)
    assert (found.info.status, found.data.tags[REASON]) == ("KILLED", "Cancelled.")


def generate(mltrack, runs, steps=3):
    with mltrack.start_run(run_name="generator") as run:
        runs.append(run)
        for step in range(steps):
            mltrack.log_metric("step", step, step=step)
            yield step


def test_the_run_of_a_generator_that_is_not_read_to_its_end_is_finished(mltrack):
    runs = []
    for _ in generate(mltrack, runs):
        break
    gc.collect()
    found = mltrack.get_run(runs[0].run_id)
    assert (found.info.status, REASON in found.data.tags) == ("FINISHED", False)


@pytest.mark.parametrize("end", ["close", "read on"])
def test_the_end_of_a_generator_ends_no_run_around_its_use(mltrack, end):
    runs = []
    items = generate(mltrack, runs, steps=1)
    next(items)
    with mltrack.start_run(run_name="train") as train:
        mltrack.log_metric("loss", 1.0)
        items.close() if end == "close" else next(items, None)
        assert mltrack.active_run() is train
        mltrack.log_metric("loss", 0.5, step=1)
    assert mltrack.get_run(runs[0].run_id).info.status == "FINISHED"
    assert mltrack.get_run(train.run_id).info.status == "FINISHED"
    assert len(mltrack.get_metric_history(train.run_id, "loss")) == 2


async def test_work_in_a_thread_of_a_task_logs_to_the_run_of_the_task(mltrack):
    with mltrack.start_run() as run:
        await asyncio.to_thread(mltrack.log_metric, "m", 1.0)
    assert mltrack.get_run(run.info.run_id).data.metrics == {"m": 1.0}


def test_workers_of_joblib_log_to_the_run_around_them(mltrack):
    joblib = pytest.importorskip("joblib")
    with mltrack.start_run() as run:
        jobs = (joblib.delayed(mltrack.log_metric)(f"m{i}", i) for i in range(4))
        joblib.Parallel(n_jobs=2, backend="threading")(jobs)
    assert len(mltrack.get_run(run.info.run_id).data.metrics) == 4


def test_a_second_run_supersedes_one_that_was_left_open(mltrack):
    first = mltrack.start_run()
    with pytest.warns(UserWarning, match="was still open and has been ended"):
        second = mltrack.start_run()
    assert mltrack.active_run() is second
    assert mltrack.get_run(first.info.run_id).info.status.value == "FINISHED"
    mltrack.end_run()


PROCESSES = """
import os, sys, mltrack_jupyter as mltrack
from concurrent.futures import ProcessPoolExecutor
import multiprocessing

def work(index):
    with mltrack.start_run(run_name=f"worker {index}", nested=True):
        mltrack.log_param("pid", os.getpid())

if __name__ == "__main__":
    with mltrack.start_run(run_name="outer"):
        context = multiprocessing.get_context(sys.argv[1])
        with ProcessPoolExecutor(2, mp_context=context) as pool:
            list(pool.map(work, range(3)))
    for run in mltrack.search_runs(output_format="list"):
        print(run.info.run_name, run.info.status.value, run.data.params.get("pid") != str(os.getpid()))
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_in_processes_have_runs_of_their_own(run_script, method):
    lines = run_script(PROCESSES, method).stdout.splitlines()
    assert sorted(lines) == [
        "outer FINISHED True",
        *(f"worker {index} FINISHED True" for index in range(3)),
    ]


ENDS = """
import multiprocessing, sys, mltrack_jupyter as mltrack

def implicit():
    mltrack.log_param("kind", "implicit")

def fails():
    mltrack.start_run(run_name="fails")
    raise ValueError("diverged")

def leaves():
    mltrack.start_run(run_name="leaves")
    sys.exit(3)

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with mltrack.start_run(run_name="outer") as run:
        for target in (implicit, fails, leaves):
            worker = context.Process(target=target)
            worker.start()
            worker.join()
        print("outer", mltrack.get_run(run.run_id).info.status.value)
    for run in mltrack.search_runs(output_format="list"):
        if run.info.run_name != "outer":
            name = run.data.params.get("kind", run.info.run_name)
            print(name, run.info.status.value, run.data.tags.get("mltrack.status_reason", ""))
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_what_a_worker_leaves_open_ends_with_it(run_script, method):
    lines = run_script(ENDS, method).stdout.splitlines()
    # A forked one logs to the run around it.
    implicit = [] if method == "fork" else ["implicit FINISHED "]
    assert sorted(lines) == [
        "fails FAILED ValueError: diverged",
        *implicit,
        "leaves FAILED Ended by sys.exit(3).",
        "outer RUNNING",
    ]


def test_a_forked_worker_ends_what_it_began_by_a_log_call(run_script):
    code = """
import multiprocessing, mltrack_jupyter as mltrack
def work(_): mltrack.log_metric("m", 1.0)
if __name__ == "__main__":
    with mltrack.start_run(): pass
    with multiprocessing.get_context("fork").Pool(1) as pool:
        pool.map(work, range(2))
        pool.close()
        pool.join()
    print([run.info.status.value for run in mltrack.search_runs(output_format="list")])
"""
    assert run_script(code).stdout.strip() == "['FINISHED', 'FINISHED']"


def test_a_forked_child_begins_with_nothing_of_its_own_open(mltrack):
    reading, writing = os.pipe()
    with mltrack.start_run():
        child = os.fork()
        if child == 0:
            os.write(
                writing,
                f"{scope.open_runs()} {scope.own_run()} {session.default.stores.keepers()}".encode(),
            )
            os._exit(0)
        os.waitpid(child, 0)
    assert os.read(reading, 1000) == b"[] None {}"


def test_a_fork_waits_until_no_thread_of_ours_is_inside_a_store(mltrack):
    entered, leave, order = threading.Event(), threading.Event(), []

    def work():
        with beside.inside:
            entered.set()
            leave.wait(5)
            order.append("left")

    thread = threading.Thread(target=work)
    thread.start()
    entered.wait()
    threading.Timer(0.2, leave.set).start()
    child = os.fork()
    if child == 0:
        os._exit(0 if order == ["left"] and beside.inside.acquire(timeout=1) else 1)
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert beside.inside.acquire(timeout=1)
    beside.inside.release()
