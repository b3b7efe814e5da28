"""The store is deleted while a notebook works: what is logged from then on is in the new one."""

import shutil

import pytest


def test_the_open_run_and_the_next_one_are_in_the_new_store(mltrack, tmp_path):
    mltrack.set_experiment("mine")
    with mltrack.start_run(run_name="open"):
        mltrack.log_metric("m", 1.0, step=0)
        assert len(mltrack.search_runs()) == 1
        shutil.rmtree(tmp_path / "store")
        mltrack.log_metric("m", 2.0, step=1)
        mltrack.log_text("kept", "a.txt")
    with mltrack.start_run(run_name="next"):
        mltrack.log_metric("m", 3.0)
    found = {run.info.run_name: run for run in mltrack.search_runs(output_format="list")}
    assert {name: run.data.metrics["m"] for name, run in found.items()} == {
        "open": 2.0,
        "next": 3.0,
    }
    assert [run.info.status.value for run in found.values()] == ["FINISHED"] * 2
    assert mltrack.artifacts.load_text(found["open"].info.artifact_uri + "/a.txt") == "kept"


@pytest.mark.parametrize("taken", [True, False], ids=["id taken", "id free"])
def test_an_experiment_that_was_chosen_is_made_again(mltrack, tmp_path, taken):
    mltrack.set_experiment("mine")
    with mltrack.start_run():
        mltrack.log_metric("m", 1.0)
    assert len(mltrack.search_runs()) == 1
    shutil.rmtree(tmp_path / "store")
    client = mltrack.Client()
    if taken:
        client.create_experiment("somebody else's")
    with mltrack.start_run() as run:
        mltrack.log_metric("m", 2.0)
    number = client.get_run(run.info.run_id).info.experiment_id
    assert client.get_experiment(number).name == "mine"


@pytest.mark.parametrize("when", ["between runs", "during a run"])
def test_the_environment_is_brought_to_a_store_that_is_a_new_one(run_script, when):
    done = run_script(
        """
import os, shutil, sys, mltrack_jupyter as mltrack
def begin(replaced=False):
    with mltrack.start_run() as run:
        mltrack.log_metric("m", 1)
        if replaced:
            mltrack.search_runs()
            shutil.rmtree(os.environ["MLTRACK_TRACKING_URI"])
            mltrack.log_metric("m", 2)
    return [file.path for file in mltrack.Client().list_artifacts(run.run_id, "environment")]
first = begin()
if sys.argv[1] == "between runs":
    shutil.rmtree(os.environ["MLTRACK_TRACKING_URI"])
assert first and begin(sys.argv[1] == "during a run") == begin() == first
""",
        when,
    )
    assert "any more" not in done.stderr
