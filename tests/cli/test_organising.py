"""Experiments, runs and artifacts by commands, with the options that MLflow's users type."""

import csv
import io
import json

import pytest

from mltrack_jupyter.cli import main
from mltrack_jupyter.store import open_store


@pytest.fixture
def store(tmp_path, monkeypatch):
    place = tmp_path / "store"
    monkeypatch.setenv("MLTRACK_TRACKING_URI", str(place))
    monkeypatch.chdir(tmp_path)
    return place


@pytest.fixture
def run_id(store):
    services = open_store(store)
    number = services.experiments.create("trees")
    run = services.runs.create(number, run_name="oak", start_time=1_700_000_000_000)
    services.runs.log_metric(run.info.run_id, "acc", 0.5, 1)
    services.runs.log_param(run.info.run_id, "note", 'two\nlines, "quoted"')
    services.close()
    return run.info.run_id


@pytest.fixture
def call(capsys):
    """Call a command that succeeds; return what it printed."""

    def call(*words):
        assert main([*words]) == 0
        return capsys.readouterr().out

    return call


@pytest.mark.parametrize("name", ["--experiment-name", "-n"])
def test_the_first_experiment_makes_the_store(store, call, name):
    assert call("experiments", "create", name, "trees") == "Created experiment 'trees' with id 1\n"
    shown = json.loads(call("experiments", "get", name, "trees", "--output", "json"))
    assert (shown["experiment_id"], shown["lifecycle_stage"]) == ("1", "active")


def test_a_store_that_is_named_is_not_made(store, capsys):
    assert main(["experiments", "create", "-n", "trees", str(store) + "-typo"]) == 1
    assert "There is no store" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["--experiment-id", "-x"])
def test_an_experiment_is_renamed_deleted_and_restored(run_id, call, number):
    call("experiments", "rename", number, "1", "--new-name", "woods")
    assert "woods" in call("experiments", "list")
    call("experiments", "delete", number, "1")
    assert "woods" not in call("experiments", "search")
    assert "woods" in call("experiments", "search", "--view", "deleted_only")
    call("experiments", "restore", number, "1")
    assert "woods" in call("experiments", "list", "-v", "active_only")


def test_runs_as_csv(run_id, call, tmp_path):
    printed = call("experiments", "csv", "-x", "1")
    call("experiments", "csv", "--experiment-id", "1", "--filename", "runs.csv")
    assert (tmp_path / "runs.csv").read_text() == printed
    (row,) = csv.DictReader(io.StringIO(printed))
    assert row["run_id"] == run_id
    assert row["start_time"] == "2023-11-14 22:13:20.000+00:00"
    assert (row["metrics.acc"], row["params.note"]) == ("0.5", 'two\nlines, "quoted"')
    assert row["end_time"] == ""
    assert [path.name for path in tmp_path.glob("runs.csv*")] == ["runs.csv"]


def test_a_run_is_deleted_restored_and_described(run_id, call):
    call("runs", "delete", "--run-id", run_id)
    assert (
        json.loads(call("runs", "describe", "--run-id", run_id))["info"]["lifecycle_stage"]
        == "deleted"
    )
    call("runs", "restore", "--run-id", run_id)
    assert run_id in call("runs", "list", "--experiment-id", "1")


def test_a_run_is_made(run_id, call):
    made = json.loads(call("runs", "create", "-x", "1", "--run-name", "elm", "--status", "FAILED",
                           "-t", "a=b=c", "--parent-run-id", run_id))  # fmt: skip
    found = json.loads(call("runs", "describe", "--run-id", made["run_id"]))
    assert (found["info"]["run_name"], found["info"]["status"]) == ("elm", "FAILED")
    assert found["data"]["tags"]["a"] == "b=c"
    assert found["data"]["tags"]["mlflow.parentRunId"] == run_id
    json.loads(call("runs", "create", "--experiment-name", "new"))
    assert "new" in call("experiments", "list")


@pytest.mark.parametrize("upload", ["upload", "log-artifact"])
def test_a_file_goes_there_and_back(run_id, call, tmp_path, upload):
    (tmp_path / "a.txt").write_text("rainy")
    call(
        "artifacts", upload, "--local-file", "a.txt", "--run-id", run_id, "--artifact-path", "notes"
    )
    assert json.loads(call("artifacts", "list", "-r", run_id)) == [
        {"path": "notes", "is_dir": True}
    ]
    assert json.loads(call("artifacts", "list", "-r", run_id, "-a", "notes")) == [
        {"path": "notes/a.txt", "is_dir": False, "file_size": 5}
    ]
    for named in (["-r", run_id, "-a", "notes/a.txt"], ["-u", f"runs:/{run_id}/notes/a.txt"]):
        place = call("artifacts", "download", *named, "-d", f"out{named[0]}").strip()
        assert (tmp_path / place).read_text() == "rainy"


@pytest.mark.parametrize("upload", [["upload", "--local-dir"], ["log-artifacts", "-l"]])
def test_a_folder_too(run_id, call, tmp_path, upload):
    (tmp_path / "plots" / "deep").mkdir(parents=True)
    (tmp_path / "plots" / "deep" / "b.txt").write_text("b")
    call("artifacts", *upload, "plots", "-r", run_id)
    assert (
        json.loads(call("artifacts", "list", "-r", run_id, "-a", "deep"))[0]["path"] == "deep/b.txt"
    )
    folder = tmp_path / call("artifacts", "download", "-r", run_id, "-d", "out").strip()
    assert (folder / "deep" / "b.txt").read_text() == "b"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["experiments", "delete", "-x", "77"], "No Experiment with id=77"),
        (["experiments", "create", "-n", "trees"], "already exists"),
        (["experiments", "get"], "--experiment-name"),
        (["experiments", "csv", "-x", "77"], "No Experiment"),
        (["runs", "delete", "--run-id", "nobody"], "nobody"),
        (["runs", "create", "-t", "word"], "KEY=VALUE"),
        (["runs", "create", "--parent-run-id", "nobody"], "nobody"),
        (["artifacts", "download"], "--artifact-uri"),
        (["artifacts", "list", "-r", "nobody"], "nobody"),
        (["artifacts", "upload", "-l", "nowhere", "-r", "nobody"], "nowhere"),
    ],
)
def test_what_cannot_be_done_is_told(run_id, capsys, words, said):
    assert main(words) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["experiments", "delete"], "--experiment-id"),
        (["experiments", "list", "--view", "every"], "active_only"),
        (["artifacts", "lst"], "Did you mean 'list'?"),
        (["runs", "restor"], "Did you mean 'restore'?"),
    ],
)
def test_what_is_not_understood_too(store, capsys, words, said):
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err
