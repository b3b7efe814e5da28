"""Logging and reading back: what is accepted, and what is said of what is not."""

import math
from decimal import Decimal
from fractions import Fraction

import pytest

from mltrack_jupyter.errors import AlreadyExists, InvalidParameter, NotFound

np = pytest.importorskip("numpy")


def stored(mltrack):
    return mltrack.get_run(mltrack.active_run().info.run_id)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1.0), (True, 1.0), (0.1, 0.1), (np.float32(0.5), 0.5), (np.int64(3), 3.0),
        (np.array([[0.25]]), 0.25), (np.array(2), 2.0), (Decimal("0.5"), 0.5), (Fraction(1, 4), 0.25),
        ("0.5", 0.5), (math.inf, math.inf), (10**300, 1e300),
    ],
)  # fmt: skip
def test_a_metric_is_any_number(mltrack, value, expected):
    mltrack.log_metric("m", value)
    assert stored(mltrack).data.metrics == {"m": expected}


@pytest.mark.parametrize(
    "value", [None, "high", [1, 2], np.array([1, 2]), 1j, {}, object(), 10**400, b"x"]
)
def test_a_metric_is_nothing_else(mltrack, value):
    with pytest.raises(InvalidParameter, match="'m' needs a number"):
        mltrack.log_metric("m", value)
    assert mltrack.active_run() is None


@pytest.mark.parametrize("step", [0.5, "1", "x", math.nan, math.inf, [1], 2**63])
def test_a_step_is_a_whole_number(mltrack, step):
    with pytest.raises(InvalidParameter, match="step"):
        mltrack.log_metric("m", 1.0, step=step)


@pytest.mark.parametrize("timestamp", [0.5, -1, "now", 2**63])
def test_a_timestamp_is_milliseconds(mltrack, timestamp):
    with pytest.raises(InvalidParameter, match="timestamp"):
        mltrack.log_metric("m", 1.0, timestamp=timestamp)


def test_steps_and_timestamps(mltrack):
    mltrack.log_metric("m", 1.0, step=np.int64(3), timestamp=5)
    mltrack.log_metrics({"m": 2.0, "n": 3.0}, step=4.0)
    points = mltrack.get_metric_history(mltrack.active_run().info.run_id, "m")
    assert [(point.step, point.value) for point in points] == [(3, 1.0), (4, 2.0)]
    assert points[0].timestamp == 5
    assert points[1].timestamp > 1_700_000_000_000


@pytest.mark.parametrize("key", ["", "a//b", "../a", "a\nb", "x" * 251, 7, None, b"a"])
def test_a_key_is_a_name(mltrack, key):
    for log in (mltrack.log_metric, mltrack.log_param, mltrack.set_tag):
        with pytest.raises(InvalidParameter):
            log(key, 1)


def test_params_and_tags_are_text(mltrack):
    assert mltrack.log_param("depth", 3) == 3
    mltrack.log_params({"layers": [1, 2], "none": None, "np": np.float64(0.5)})
    mltrack.set_tag("done", True)
    mltrack.set_tags({"a": 1, "b": 2})
    mltrack.delete_tag("b")
    data = stored(mltrack).data
    assert data.params == {"depth": "3", "layers": "[1, 2]", "none": "None", "np": "0.5"}
    assert (data.tags["done"], data.tags["a"], "b" in data.tags) == ("True", "1", False)
    with pytest.raises(NotFound, match="No tag"):
        mltrack.delete_tag("b")


def test_a_param_that_changes_is_amended_and_its_history_kept(mltrack):
    for depth in (3, 3, 4, 5):
        mltrack.log_param("depth", depth)
    client, run_id = mltrack.Client(), mltrack.active_run().info.run_id
    assert stored(mltrack).data.params == {"depth": "5"}
    found = client.get_amendments(run_id)
    assert [(item.key, item.before, item.after) for item in found] == [
        ("depth", "3", "4"), ("depth", "4", "5"),
    ]  # fmt: skip
    assert found[0].timestamp > 1_700_000_000_000
    with pytest.raises(InvalidParameter, match="Changing param values"):
        client.log_param(run_id, "depth", 6)  # MLflow's operation writes once


def test_more_than_a_batch_at_once(mltrack):
    mltrack.log_params({f"p{i}": i for i in range(250)})
    mltrack.set_tags({f"t{i}": i for i in range(250)})
    mltrack.log_metrics({f"m{i}": i for i in range(2500)})
    data = stored(mltrack).data
    assert (len(data.params), len(data.metrics)) == (250, 2500)
    assert len([key for key in data.tags if key[0] == "t"]) == 250


def test_to_another_run(mltrack):
    with mltrack.start_run() as other:
        pass
    with mltrack.start_run() as run:
        mltrack.log_metric("m", 1.0, run_id=other.info.run_id)
        mltrack.log_params({"a": 1}, run_id=other.info.run_id)
        mltrack.log_text("x", "a.txt", run_id=other.info.run_id)
    assert mltrack.get_run(other.info.run_id).data.metrics == {"m": 1.0}
    assert mltrack.get_run(run.info.run_id).data.metrics == {}


def test_files_there_and_back(mltrack, tmp_path):
    folder = tmp_path / "data"
    (folder / "inner").mkdir(parents=True)
    (folder / "a b.txt").write_text("one")
    (folder / "inner" / "ü.txt").write_text("two")
    with mltrack.start_run() as run:
        mltrack.log_text("hällo", "notes/h.txt")
        mltrack.log_dict({"a": [1]}, "d.json")
        mltrack.log_dict({"a": [1]}, "d.yaml")
        mltrack.log_artifact(folder / "a b.txt")
        mltrack.log_artifact(str(folder), "copies")
        mltrack.log_artifacts(folder, "all")
        assert mltrack.get_artifact_uri("d.json").endswith(f"{run.info.run_id}/artifacts/d.json")
    back = mltrack.download_artifacts(run.info.run_id, dst_path=tmp_path / "back")
    found = {
        p.relative_to(back).as_posix(): p.read_text() for p in (tmp_path / "back").rglob("*.*")
    }
    assert found == {
        "notes/h.txt": "hällo", "d.json": '{\n  "a": [\n    1\n  ]\n}', "d.yaml": "a:\n- 1\n",
        "a b.txt": "one", "copies/data/a b.txt": "one", "copies/data/inner/ü.txt": "two",
        "all/a b.txt": "one", "all/inner/ü.txt": "two",
    }  # fmt: skip
    one = mltrack.download_artifacts(run.info.run_id, "all/inner/ü.txt")
    with open(one) as file:
        assert (one.endswith("ü.txt"), file.read()) == (True, "two")
    some = mltrack.download_artifacts(run.info.run_id, "all", tmp_path / "some")
    assert some == str(tmp_path / "some" / "all")


def test_a_run_without_files_is_an_empty_folder(mltrack, tmp_path):
    with mltrack.start_run() as run:
        pass
    back = mltrack.download_artifacts(run.info.run_id, dst_path=tmp_path / "back")
    assert list((tmp_path / "back").iterdir()) == []
    assert back == str(tmp_path / "back")
    with pytest.raises(NotFound, match="no artifact"):
        mltrack.download_artifacts(run.info.run_id, "none")


def test_what_is_missing_cannot_be_logged(mltrack, tmp_path):
    # Scripts written for MLflow catch the error of Python.
    for kind in (NotFound, FileNotFoundError):
        with pytest.raises(kind, match=r"no file .*gone"):
            mltrack.log_artifact(tmp_path / "gone.txt")
    with pytest.raises(NotFound, match=r"no directory .*gone"):
        mltrack.log_artifacts(tmp_path / "gone")


@pytest.mark.parametrize("path", ["../x", "/x", "", ".", "a/..", "a/../../x", "C:\\x"])
def test_a_file_stays_below_its_run(mltrack, path):
    with pytest.raises(InvalidParameter, match="Invalid path"):
        mltrack.log_text("x", path)


def test_a_folder_stays_below_its_run(mltrack, tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("x")
    with mltrack.start_run() as run:
        with pytest.raises(InvalidParameter, match="Invalid path '/abs/"):
            mltrack.log_artifact(file, "/abs")
        mltrack.log_artifact(file, "below/")
    found = mltrack.artifacts.list_artifacts(run_id=run.info.run_id, artifact_path="below")
    assert [item.path for item in found] == ["below/a.txt"]


def test_figures(mltrack, tmp_path):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    figure, _ = pyplot.subplots()
    mltrack.log_figure(figure, "plots/a.png", save_kwargs={"dpi": 20})
    mltrack.log_figure(figure, "plots/a.svg")
    pyplot.close(figure)
    run_id = mltrack.active_run().info.run_id
    with open(mltrack.download_artifacts(run_id, "plots/a.png"), "rb") as file:
        assert file.read(4) == b"\x89PNG"
    with pytest.raises(InvalidParameter, match="matplotlib"):
        mltrack.log_figure("no figure", "a.png")


def test_a_local_artifact_location(mltrack, tmp_path):
    place = tmp_path / "my files %20 ü"
    number = mltrack.create_experiment("local", artifact_location=str(place))
    uri = mltrack.create_experiment("uri", artifact_location=(tmp_path / "b c").as_uri())
    for experiment, folder in ((number, place), (uri, tmp_path / "b c")):
        with mltrack.start_run(experiment_id=experiment) as run:
            mltrack.log_text("x", "a/b.txt")
        assert (folder / run.info.run_id / "artifacts" / "a" / "b.txt").read_text() == "x"
        assert mltrack.Client().list_artifacts(run.info.run_id, "a")[0].path == "a/b.txt"


def test_experiments(mltrack):
    assert mltrack.get_experiment_by_name("mine") is None
    mine = mltrack.set_experiment("mine")
    assert mltrack.set_experiment("mine") == mine == mltrack.get_experiment_by_name("mine")
    with mltrack.start_run() as run:
        pass
    assert run.info.experiment_id == mine.experiment_id
    assert mltrack.set_experiment(experiment_id="0").name == "Default"
    with pytest.raises(AlreadyExists, match="already exists"):
        mltrack.create_experiment("mine")
    names = [item.name for item in mltrack.search_experiments(filter_string="name LIKE 'm%'")]
    assert names == ["mine"]
    for wrong in ({}, {"experiment_name": "a", "experiment_id": "1"}):
        with pytest.raises(InvalidParameter, match="either"):
            mltrack.set_experiment(**wrong)
    with pytest.raises(NotFound):
        mltrack.set_experiment(experiment_id="987")


def test_a_deleted_experiment_is_not_used(mltrack):
    mine = mltrack.set_experiment("mine")
    mltrack.Client().delete_experiment(mine.experiment_id)
    with pytest.raises(InvalidParameter, match="restore_experiment"):
        mltrack.set_experiment("mine")
    with pytest.raises(InvalidParameter, match="deleted"):
        mltrack.start_run()
    with pytest.raises(AlreadyExists, match="restore"):
        mltrack.create_experiment("mine")


@pytest.mark.parametrize("variable", ["MLTRACK_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_NAME"])
def test_the_environment_chooses_an_experiment(mltrack, environment, variable):
    environment.setenv(variable, "from outside")
    with mltrack.start_run() as run:
        pass
    assert mltrack.get_experiment(run.info.experiment_id).name == "from outside"


def test_searching_makes_a_frame(mltrack):
    pd = pytest.importorskip("pandas")
    for depth in (3, 10):
        with mltrack.start_run(run_name=f"d{depth}"):
            mltrack.log_param("depth", depth)
            mltrack.log_metric("acc", depth / 10)
    running = mltrack.start_run(run_name="open")
    frame = mltrack.search_runs(order_by=["metrics.acc DESC"])
    assert list(frame["tags.mlflow.runName"]) == ["d10", "d3", "open"]
    assert list(frame["params.depth"])[:2] == ["10", "3"]
    assert list(frame["metrics.acc"])[:2] == [1.0, 0.3]
    assert math.isnan(frame["metrics.acc"][2])
    assert list(frame["status"]) == ["FINISHED", "FINISHED", "RUNNING"]
    assert str(frame["start_time"].dtype).endswith("UTC]")
    assert frame["end_time"][2] is pd.NaT
    assert list(mltrack.search_runs(filter_string="metrics.acc > 0.5")["params.depth"]) == ["10"]
    found = mltrack.search_runs(filter_string="run_name = 'open'", output_format="list")
    assert [run.info.run_id for run in found] == [running.info.run_id]


def test_searching_nothing_makes_an_empty_frame(mltrack):
    frame = mltrack.search_runs(experiment_names=["none"])
    assert len(frame) == 0
    assert {"run_id", "status", "start_time", "end_time"} <= set(frame.columns)


def test_searching_elsewhere(mltrack):
    mltrack.set_experiment("a")
    with mltrack.start_run():
        pass
    mltrack.set_experiment("b")
    assert len(mltrack.search_runs()) == 0
    assert len(mltrack.search_runs(experiment_names=["a", "none"])) == 1
    assert len(mltrack.search_runs(search_all_experiments=True)) == 1
    with pytest.raises(InvalidParameter, match="not both"):
        mltrack.search_runs(experiment_ids=["0"], experiment_names=["a"])
    with pytest.raises(InvalidParameter, match="pandas"):
        mltrack.search_runs(output_format="arrow")
    with pytest.raises(InvalidParameter, match="did you mean 'metrics'"):
        mltrack.search_runs(filter_string="metrcs.acc > 1")


def history(mltrack, key):
    return mltrack.get_metric_history(mltrack.active_run().info.run_id, key)


def test_points_of_one_millisecond_are_all_kept_and_the_last_is_the_latest(mltrack):
    values = [1.0, 0.0, 1.0, 1.0, 0.5, 0.5] * 20
    with mltrack.start_run():
        for value in values:
            mltrack.log_metric("one", value)
            mltrack.log_metrics({"both": value, "other": 1.0}, step=3)
        for key, step in (("one", 0), ("both", 3)):
            found = history(mltrack, key)
            assert [point.value for point in found] == values
            assert {point.step for point in found} == {step}
        assert stored(mltrack).data.metrics == {"one": 0.5, "both": 0.5, "other": 1.0}
        assert len(history(mltrack, "other")) == len(values)


def test_points_of_a_loop_have_the_time_they_were_logged_at(mltrack):
    with mltrack.start_run():
        for step in range(1000):
            mltrack.log_metric("m", 0.5, step=step)
        found = history(mltrack, "m")
    assert [point.step for point in found] == list(range(1000))
    assert found[-1].timestamp - found[0].timestamp < 1000  # and not one after the other


def test_a_clock_that_is_set_back_changes_no_time(mltrack, monkeypatch):
    from mltrack_jupyter.tracking import logging

    with mltrack.start_run():
        for now, value in ((9_000, 2.0), (5_000, 1.0), (5_000, 3.0), (9_000, 4.0)):
            monkeypatch.setattr(logging, "time_ns", lambda now=now: now * 10**6)
            mltrack.log_metric("m", value)
        found = [(p.timestamp, p.ordinal, p.value) for p in history(mltrack, "m")]
        assert found == [(5_000, 0, 1.0), (5_000, 1, 3.0), (9_000, 0, 2.0), (9_000, 1, 4.0)]
        assert stored(mltrack).data.metrics == {"m": 4.0}  # of the greatest time, as in MLflow


def test_names_of_numpy_are_names(mltrack):
    name = np.str_("name")
    with mltrack.start_run():
        mltrack.log_metric(name, 1.0)
        mltrack.log_metrics({name: 2.0}, step=1)
        mltrack.log_param(name, np.str_("value"))
        mltrack.set_tag(name, np.str_("value"))
        run = stored(mltrack)
    assert (run.data.metrics, run.data.params) == ({"name": 2.0}, {"name": "value"})
    assert run.data.tags["name"] == "value"
