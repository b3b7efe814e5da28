"""Starting and ending runs, in one thread, in many, and in tasks."""

import asyncio
import threading

import pytest

from mltrack_jupyter.errors import InvalidParameter, NotFound
from mltrack_jupyter.tracking import fluent, scope


def status(mltrack, run):
    return mltrack.get_run(run.info.run_id).info.status.value


def parent(mltrack, run):
    return mltrack.get_run(run.info.run_id).data.tags.get("mlflow.parentRunId")


def test_a_block_that_ends_well_is_finished(mltrack):
    with mltrack.start_run(run_name="mine", tags={"a": 1}, description="a note") as run:
        assert mltrack.active_run() is run
        assert status(mltrack, run) == "RUNNING"
    assert mltrack.active_run() is None
    found = mltrack.get_run(run.info.run_id)
    assert (found.info.run_name, status(mltrack, run)) == ("mine", "FINISHED")
    assert found.info.end_time >= found.info.start_time > 0
    assert (found.data.tags["a"], found.data.tags["mlflow.note.content"]) == ("1", "a note")
    assert found.data.tags["mlflow.source.type"] == "LOCAL"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError, "FAILED"), (KeyboardInterrupt, "KILLED"), (SystemExit(1), "FAILED"),
        (SystemExit("no"), "FAILED"), (SystemExit(0), "FINISHED"), (SystemExit, "FINISHED"),
        (asyncio.CancelledError, "KILLED"), (GeneratorExit, "FINISHED"),
    ],
)  # fmt: skip
def test_a_block_that_is_left_by_an_exception_says_so(mltrack, error, expected):
    with pytest.raises(BaseException) as caught, mltrack.start_run() as run:
        raise error
    assert caught.type is not None
    assert status(mltrack, run) == expected


def test_a_log_call_without_a_run_opens_one(mltrack):
    mltrack.log_param("depth", 3)
    run = mltrack.active_run()
    mltrack.log_metric("acc", 0.5)
    assert mltrack.active_run() is run
    mltrack.end_run()
    found = mltrack.get_run(run.info.run_id)
    assert (found.data.params, found.data.metrics) == ({"depth": "3"}, {"acc": 0.5})
    assert status(mltrack, run) == "FINISHED"


def test_the_run_that_a_cell_opened_by_itself_ends_with_the_cell(mltrack):
    with mltrack.start_run() as outer:
        fluent.end_implicit("FINISHED")
        assert mltrack.active_run() is outer
    mltrack.log_param("a", 1)
    run = mltrack.active_run()
    fluent.end_implicit("FAILED")
    assert (mltrack.active_run(), status(mltrack, run)) == (None, "FAILED")


def test_runs_inside_a_block_are_its_children(mltrack):
    with mltrack.start_run() as outer:
        with mltrack.start_run(nested=True) as first:
            mltrack.log_param("in", "first")
        with mltrack.start_run() as second, mltrack.start_run() as third:
            pass
        assert mltrack.active_run() is outer
    assert parent(mltrack, outer) is None
    assert {parent(mltrack, first), parent(mltrack, second)} == {outer.info.run_id}
    assert parent(mltrack, third) == second.info.run_id
    assert mltrack.get_run(first.info.run_id).data.params == {"in": "first"}


def test_an_exception_inside_ends_each_level_with_its_own_status(mltrack):
    with (
        mltrack.start_run() as outer,
        pytest.raises(ValueError, match="x"),
        mltrack.start_run() as inner,
    ):
        raise ValueError("x")
    assert (status(mltrack, inner), status(mltrack, outer)) == ("FAILED", "FINISHED")


def test_ending_a_run_ends_what_is_open_inside_it(mltrack):
    outer = mltrack.start_run()
    inner = mltrack.start_run(nested=True)
    fluent.finish_run(outer.info.run_id, "FAILED")
    assert (status(mltrack, inner), status(mltrack, outer)) == ("FAILED", "FAILED")
    assert mltrack.active_run() is None


def test_a_second_start_ends_the_first_with_a_warning(mltrack):
    first = mltrack.start_run()
    with pytest.warns(UserWarning, match="still open and has been ended"):
        second = mltrack.start_run()
    assert status(mltrack, first) == "FINISHED"
    assert (mltrack.active_run(), parent(mltrack, second)) == (second, None)


def test_a_run_is_resumed(mltrack):
    with mltrack.start_run() as run:
        mltrack.log_param("a", 1)
    with mltrack.start_run(run_id=run.info.run_id, tags={"again": "yes"}) as again:
        assert status(mltrack, run) == "RUNNING"
        mltrack.log_param("b", 2)
    found = mltrack.get_run(run.info.run_id)
    assert again.info.run_id == run.info.run_id
    assert (found.data.params, found.data.tags["again"]) == ({"a": "1", "b": "2"}, "yes")
    assert status(mltrack, run) == "FINISHED"


def test_what_is_not_there_cannot_be_resumed_or_be_a_parent(mltrack):
    for given in ({"run_id": "0" * 32}, {"parent_run_id": "0" * 32}, {"experiment_id": "987"}):
        with pytest.raises(NotFound):
            mltrack.start_run(**given)
    assert mltrack.active_run() is None


def test_a_parent_can_be_named(mltrack):
    with mltrack.start_run() as first:
        pass
    with mltrack.start_run(parent_run_id=first.info.run_id) as second:
        pass
    assert parent(mltrack, second) == first.info.run_id


def test_a_launcher_hands_over_its_run_once(mltrack, environment):
    run = mltrack.Client().create_run("0")
    environment.setenv("MLTRACK_RUN_ID", run.info.run_id)
    with mltrack.start_run() as first:
        assert first.info.run_id == run.info.run_id
    with mltrack.start_run() as second:
        assert second.info.run_id != run.info.run_id


def test_ending_nothing_is_fine_and_a_wrong_status_is_not(mltrack):
    mltrack.end_run()
    run = mltrack.start_run()
    for wrong in ("DONE", "RUNNING", "finished"):
        with pytest.raises(InvalidParameter, match="FINISHED, FAILED and KILLED"):
            mltrack.end_run(wrong)
    mltrack.end_run("KILLED")
    assert status(mltrack, run) == "KILLED"


def test_the_last_run_is_known_after_it_ended(mltrack):
    assert mltrack.last_active_run() is None
    with mltrack.start_run() as run:
        mltrack.log_metric("acc", 0.5)
    assert mltrack.last_active_run().info.run_id == run.info.run_id
    assert mltrack.last_active_run().data.metrics == {"acc": 0.5}


def test_a_run_stays_in_its_store_when_the_tracking_uri_changes(mltrack, tmp_path):
    with mltrack.start_run() as run:
        mltrack.set_tracking_uri(tmp_path / "other")
        mltrack.log_param("a", 1)
        mltrack.log_text("x", "a.txt")
    mltrack.set_tracking_uri(tmp_path / "store")
    found = mltrack.get_run(run.info.run_id)
    assert (found.data.params, found.info.status.value) == ({"a": "1"}, "FINISHED")


def in_threads(*functions):
    """Run functions at the same time, each to the end, and return what they returned."""
    together, found, errors = threading.Barrier(len(functions)), {}, []

    def call(index, function):
        try:
            found[index] = function(together.wait)
        except BaseException as error:
            together.abort()
            errors.append(error)

    threads = [threading.Thread(target=call, args=item) for item in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    return [found[index] for index in range(len(functions))]


def test_threads_keep_apart(mltrack):
    def work(wait):
        wait()
        run = mltrack.start_run()
        wait()
        for step in range(5):
            mltrack.log_metric("step", step, step=step)
        mltrack.log_param("thread", threading.get_ident())
        wait()
        assert mltrack.active_run() is run
        mltrack.end_run()
        return run, threading.get_ident()

    found = in_threads(work, work, work)
    assert len({run.info.run_id for run, _ in found}) == 3
    for run, number in found:
        stored = mltrack.get_run(run.info.run_id)
        assert stored.data.params == {"thread": str(number)}
        assert (stored.info.status.value, parent(mltrack, run)) == ("FINISHED", None)


def test_a_thread_without_a_run_logs_to_the_notebooks(mltrack):
    with mltrack.start_run() as run:
        in_threads(lambda _: mltrack.log_param("a", 1), lambda _: mltrack.log_param("b", 2))
        (child,) = in_threads(lambda _: mltrack.start_run(nested=True))
        in_threads(lambda _: mltrack.end_run())
        assert status(mltrack, run) == "RUNNING"
    assert mltrack.get_run(run.info.run_id).data.params == {"a": "1", "b": "2"}
    assert parent(mltrack, child) == run.info.run_id
    assert status(mltrack, child) == "FINISHED"


def test_ending_a_threads_run_leaves_the_notebooks_alone(mltrack):
    with mltrack.start_run() as mine:
        (theirs,) = in_threads(lambda _: mltrack.start_run())
        fluent.finish_run(theirs.info.run_id)
        assert (status(mltrack, mine), status(mltrack, theirs)) == ("RUNNING", "FINISHED")


@pytest.mark.parametrize("block", [True, False])
def test_tasks_keep_apart(mltrack, block):
    async def work(name):
        run = mltrack.start_run(run_name=name)
        if block:
            run.__enter__()
        for step in range(3):
            await asyncio.sleep(0)
            mltrack.log_metric("m", step, step=step)
        mltrack.log_param("name", name)
        assert mltrack.active_run() is run
        mltrack.end_run()
        return run

    async def main():
        return await asyncio.gather(*(work(name) for name in "abc"))

    for run, name in zip(asyncio.run(main()), "abc", strict=True):
        stored = mltrack.get_run(run.info.run_id)
        assert (stored.info.run_name, stored.data.params) == (name, {"name": name})
        assert (stored.info.status.value, parent(mltrack, run)) == ("FINISHED", None)


def test_tasks_inside_a_run_log_to_it_and_may_have_children(mltrack):
    async def work(name):
        mltrack.log_param(name, 1)
        with mltrack.start_run(run_name=name) as child:
            await asyncio.sleep(0)
        return child

    async def main():
        with mltrack.start_run() as run:
            children = await asyncio.gather(*(work(name) for name in "abc"))
        return run, children

    run, children = asyncio.run(main())
    assert mltrack.get_run(run.info.run_id).data.params == {"a": "1", "b": "1", "c": "1"}
    assert {parent(mltrack, child) for child in children} == {run.info.run_id}


def test_a_resumed_run_gets_another_name_and_description(mltrack):
    with mltrack.start_run(run_name="one") as run:
        pass
    mltrack.start_run(run_id=run.run_id, run_name="two", description="why", tags={"a": "1"})
    mltrack.end_run()
    found = mltrack.get_run(run.run_id)
    assert found.info.run_name == "two"
    assert found.data.tags["mlflow.note.content"] == "why"
    assert found.data.tags["a"] == "1"


def test_the_last_active_run_is_the_one_that_ended_last(mltrack):
    with mltrack.start_run() as outer:
        with mltrack.start_run(nested=True) as inner:
            assert mltrack.last_active_run().info.run_id == inner.run_id
        assert mltrack.last_active_run().info.run_id == outer.run_id
    assert mltrack.last_active_run().info.run_id == outer.run_id


def test_the_uri_of_artifacts_opens_a_run(mltrack):
    uri = mltrack.get_artifact_uri()
    assert mltrack.active_run().info.run_id in uri


def test_an_interrupt_while_a_run_ends_does_not_keep_it_open(mltrack, monkeypatch):
    from mltrack_jupyter.tracking import surroundings

    def tired(_run_id):
        raise KeyboardInterrupt

    monkeypatch.setattr(surroundings, "wait", tired)
    run = mltrack.start_run()
    with pytest.raises(KeyboardInterrupt):
        mltrack.end_run()
    assert mltrack.active_run() is None
    assert mltrack.get_run(run.run_id).info.status == "FINISHED"


def test_searches_take_numbers_and_none_as_in_mlflow(mltrack):
    with mltrack.start_run() as run:
        pass
    assert mltrack.get_experiment(0).name == "Default"
    assert mltrack.search_experiments(view_type=3) == mltrack.search_experiments()
    for view in (1, 3):
        (found,) = mltrack.search_runs([0], None, view, output_format="list")
        assert found.info.run_id == run.run_id
    with mltrack.start_run(run_name=7) as run:
        assert run.run_name == "7"


def test_the_name_of_a_run_goes_before_its_tag(mltrack):
    with mltrack.start_run(run_name="given", tags={"mlflow.runName": "tagged"}) as run:
        pass
    found = mltrack.get_run(run.info.run_id)
    assert (found.info.run_name, found.data.tags["mlflow.runName"]) == ("given", "given")


def test_a_clock_that_is_set_back_does_not_end_a_run_before_it_began(mltrack, monkeypatch):
    with mltrack.start_run() as run:
        monkeypatch.setattr(scope, "now_ms", lambda: run.started - 3_600_000)
    found = mltrack.get_run(run.run_id).info
    assert found.end_time == found.start_time > 0
    made = mltrack.Client().create_run("0").info
    fluent.finish_run(made.run_id)
    assert mltrack.get_run(made.run_id).info.end_time == made.start_time


@pytest.mark.parametrize("wrong", [5, b"x", "no id/"])
def test_an_id_that_is_none_is_refused(mltrack, wrong):
    left_open = mltrack.start_run()
    with pytest.raises(InvalidParameter, match="run_id"):
        mltrack.start_run(run_id=wrong)
    assert mltrack.active_run() is left_open
    for log, value in ((mltrack.log_metric, 1.0), (mltrack.log_text, "a.txt")):
        with pytest.raises(InvalidParameter, match="run_id"):
            log("a", value, run_id=wrong)
