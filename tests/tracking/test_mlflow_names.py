"""MLflow's names as its users type them: each snippet is run with MLflow and with us, and answers the same."""

import importlib
import os
from decimal import Decimal
from fractions import Fraction

import pytest

from mltrack_jupyter.errors import InvalidParameter

np = pytest.importorskip("numpy")
pytest.importorskip("mlflow")


def same(answers, snippet):
    expected, found = answers(snippet)
    assert found == expected


def module(library, name):
    return importlib.import_module(f"{library.__name__}.{name}")


# --- ids --------------------------------------------------------------------------------------


def started_in(library, **options):
    with library.start_run(**options) as run:
        return run.info.experiment_id


def after_another(library):
    chosen = library.set_experiment("E")
    assert started_in(library, experiment_id=int(chosen.experiment_id)) == chosen.experiment_id
    return started_in(library, experiment_id=0), started_in(library, experiment_id="0")


def organised(library):
    client, number = library.MlflowClient(), int(library.create_experiment(os.urandom(4).hex()))
    client.rename_experiment(number, f"renamed {number} {library.__name__}")
    client.set_experiment_tag(number, "a", 1)
    tags = client.get_experiment(number).tags
    client.delete_experiment_tag(number, "a")
    library.delete_experiment(number)
    client.restore_experiment(number)
    client.delete_experiment(number)
    return tags, client.get_experiment(number).lifecycle_stage


def versions(library):
    client, name = library.MlflowClient(), os.urandom(4).hex()
    client.create_registered_model(name)
    client.create_model_version(name, "s3://bucket/model")
    client.set_registered_model_alias(name, "best", 1)
    client.set_model_version_tag(name, 1, "a", "b")
    client.set_model_version_tag(name, 1, "c", "d")
    client.delete_model_version_tag(name, 1, "c")
    client.transition_model_version_stage(name, 1, "Staging")
    client.update_model_version(name, 1, "words")
    found = client.get_model_version(name, 1)
    uri = client.get_model_version_download_uri(name, 1)
    client.delete_model_version(name, 1)
    return found.current_stage, found.tags, found.aliases, found.description, uri


@pytest.mark.parametrize(
    "snippet",
    [
        after_another,
        organised,
        versions,
        lambda m: m.MlflowClient().create_run(0).info.experiment_id,
        lambda m: (m.get_experiment(0).name, m.MlflowClient().get_experiment(0).name),
        lambda m: (m.set_experiment(experiment_id=0).name, started_in(m)),
        lambda m: m.MlflowClient().create_logged_model(0, name="a").experiment_id,
        lambda m: m.initialize_logged_model(name="a", experiment_id=0).experiment_id,
        lambda m: m.create_external_model(name="a", experiment_id=0).experiment_id,
        lambda m: m.get_experiment(9999),
    ],
)
def test_an_id_may_be_a_number(answers, snippet):
    same(answers, snippet)


def test_runs_and_models_are_searched_by_numbers(mltrack):
    client = mltrack.Client()
    run = client.create_run(np.int64(0))
    client.create_logged_model(0, name="a")
    mltrack.set_experiment("another")
    for several in ([0], ["0"], (0,), 0, "0"):
        assert [item.info.run_id for item in client.search_runs(several)] == [run.info.run_id]
        assert len(client.search_logged_models(several)) == 1
    assert len(mltrack.search_runs([0, 1], output_format="list")) == 1


@pytest.mark.parametrize("wrong", [True, 1.5, [0], b"0", "", "x", "1.0"])
def test_what_is_no_id_is_refused(mltrack, wrong):
    mltrack.set_experiment("E")
    for call in (
        lambda: mltrack.start_run(experiment_id=wrong),
        lambda: mltrack.get_experiment(wrong),
        lambda: mltrack.Client().create_run(wrong),
    ):
        with pytest.raises(mltrack.MltrackError):
            call()
    assert mltrack.active_run() is None


@pytest.mark.parametrize("nothing", [None, ""])
def test_no_uri_is_the_usual_one(mltrack, nothing, tmp_path, environment):
    usual = f"{tmp_path}/usual"
    environment.setenv("MLFLOW_TRACKING_URI", usual)
    mltrack.set_tracking_uri(tmp_path / "other")
    mltrack.set_registry_uri(nothing)
    assert mltrack.get_registry_uri() == mltrack.get_tracking_uri()
    mltrack.set_tracking_uri(nothing)
    assert mltrack.get_tracking_uri().endswith("usual/mltrack.db")
    assert mltrack.Client(nothing, nothing).tracking_uri == mltrack.get_tracking_uri()


# --- paths ------------------------------------------------------------------------------------

SPELLED = ["{}", "./{}", "d//{}", "d/../{}", "d/./{}", "d/.././{}", "./d//e/../{}", "é/ü{}"]
OUT = ["..", "../{}", "/etc/{}", "d/../../{}", "./../{}", "//{}", "", ".", "d/.."]


def listed(library, run, path=None):
    found = library.MlflowClient().list_artifacts(run.info.run_id, path)
    below = [name for item in found if item.is_dir for name in listed(library, run, item.path)]
    names = [*below, *(item.path for item in found if not item.is_dir)]
    return sorted(name for name in names if not name.startswith("environment/"))


WRITES = {
    "text": lambda m, run, path: m.log_text("x", path),
    "dict": lambda m, run, path: m.log_dict({"a": 1}, path),
    "table": lambda m, run, path: m.log_table({"a": [1]}, path),
    "client": lambda m, run, path: m.MlflowClient().log_text(run.info.run_id, "x", path),
    "image": lambda m, run, path: m.log_image(
        np.zeros((2, 2), "uint8"), path.replace("json", "png")
    ),
}


@pytest.mark.parametrize("kind", WRITES)
def test_a_path_is_read_as_mlflow_reads_it(answers, kind):
    def snippet(library):
        refused = []
        with library.start_run() as run:
            for number, spelled in enumerate([*SPELLED, *OUT]):
                path = spelled.format(f"{number}.json")
                try:
                    WRITES[kind](library, run, path)
                except Exception:  # each refuses in its own words
                    refused.append(path)
        return refused, listed(library, run)

    same(answers, snippet)


def test_an_artifact_is_read_by_any_spelling(answers):
    def snippet(library):
        with library.start_run() as run:
            library.log_text("1", "a.json")
            library.log_text("2", "d/a.json")
        artifacts, run_id = module(library, "artifacts"), run.info.run_id
        texts = [
            artifacts.load_text(f"runs:/{run_id}/{path.format('a.json')}") for path in SPELLED[:6]
        ]
        folders = ["d", "./d", "d/", "d//", "", ".", "./", "d/../d"]
        local = [library.MlflowClient().download_artifacts(run_id, path) for path in folders]
        return (
            texts,
            [listed(library, run, path) for path in [*folders, "d/.."]],
            [
                sorted(name for name in os.listdir(folder) if name != "environment")
                for folder in local
            ],
        )

    same(answers, snippet)


@pytest.mark.parametrize(
    "path", ["../a", "/a", "d/../../a", "%2e%2e/a", "d\\..\\a", "a\x00", "d/%2e%2e/%2e%2e/a"]
)
def test_no_spelling_leaves_the_run(mltrack, tmp_path, path):
    file = tmp_path / "f.txt"
    file.write_text("x")
    artifacts, client = module(mltrack, "artifacts"), mltrack.Client()
    with mltrack.start_run() as run:
        for call in (
            lambda: mltrack.log_text("x", path),
            lambda: mltrack.log_artifact(file, path),
            lambda: mltrack.log_artifacts(tmp_path / "sub", path),
            lambda: mltrack.get_artifact_uri(path),
            lambda: client.list_artifacts(run.run_id, path),
            lambda: client.download_artifacts(run.run_id, path),
            lambda: artifacts.list_artifacts(run_id=run.run_id, artifact_path=path),
        ):
            (tmp_path / "sub").mkdir(exist_ok=True)
            (tmp_path / "sub" / "g.txt").write_text("x")
            with pytest.raises(InvalidParameter):
                call()


def test_an_artifact_uri_is_plain(mltrack):
    with mltrack.start_run():
        root = mltrack.get_artifact_uri()
        for path, plain in (
            ("", ""),
            (".", ""),
            ("./d//a", "/d/a"),
            ("d/", "/d"),
            ("d/../a", "/a"),
        ):
            assert mltrack.get_artifact_uri(path) == root + plain


# --- batches and numbers ----------------------------------------------------------------------


def sizes(library, **given):
    client = library.MlflowClient()
    run_id = client.create_run("0").info.run_id
    client.log_batch(run_id, **given)
    data = client.get_run(run_id).data
    return len(data.metrics), len(data.params), sum(key.startswith("k") for key in data.tags)


def large(library, metrics, params, tags):
    kinds = library.entities
    return sizes(
        library,
        metrics=[kinds.Metric(f"k{i}", i, 1, 0) for i in range(metrics)],
        params=[kinds.Param(f"k{i}", i) for i in range(params)],
        tags=[kinds.RunTag(f"k{i}", str(i)) for i in range(tags)],
    )


@pytest.mark.parametrize(
    "counts", [(0, 0, 0), (1001, 0, 0), (0, 101, 0), (0, 0, 201), (950, 100, 100), (2100, 250, 120)]
)
def test_a_long_batch_is_divided(answers, counts):
    same(answers, lambda library: large(library, *counts))


def test_nothing_of_a_long_batch_is_written_if_one_is_wrong(mltrack):
    client, kinds = mltrack.Client(), mltrack.entities
    run_id = client.create_run("0").info.run_id
    points = [kinds.Metric(f"k{i}", i, 1, 0) for i in range(1500)]
    for last in (
        kinds.Metric("k", "high", 1, 0),
        kinds.Metric("a//b", 1, 1, 0),
        kinds.Metric("k", 1, -1, 0),
    ):
        with pytest.raises(InvalidParameter):
            client.log_batch(run_id, metrics=[*points, last])
    assert client.get_run(run_id).data.metrics == {}


NUMBERS = {
    "text": "high", "a number as text": "1.5", "none": None, "complex": 1j, "list": [1.0],
    "array of one": np.array([[2.5]]), "array of two": np.array([1, 2]), "decimal": Decimal("1.5"),
    "fraction": Fraction(1, 4), "bool": True, "numpy": np.float32(0.5), "too large": 10**400,
}  # fmt: skip
BY = {
    "log_metric": lambda m, run, name, value: m.log_metric(name, value),
    "log_metrics": lambda m, run, name, value: m.log_metrics({name: value}),
    "client": lambda m, run, name, value: m.MlflowClient().log_metric(run.info.run_id, name, value),
    "batch": lambda m, run, name, value: m.MlflowClient().log_batch(
        run.info.run_id, [m.entities.Metric(name, value, 1, 0)]
    ),
}


@pytest.mark.parametrize("way", BY)
def test_a_metric_is_what_mlflow_takes_for_a_number(answers, way):
    def snippet(library):
        refused = []
        with library.start_run() as run:
            for name, value in NUMBERS.items():
                try:
                    BY[way](library, run, name, value)
                except Exception:  # MLflow has several for it
                    refused.append(name)
        return refused, library.get_run(run.info.run_id).data.metrics

    same(answers, snippet)


def test_a_refused_number_is_explained_and_hurts_nothing(mltrack):
    client, kinds = mltrack.Client(), mltrack.entities
    run_id = client.create_run("0").info.run_id
    with pytest.raises(InvalidParameter, match="'m' needs a number, not 'high'"):
        client.log_batch(run_id, [kinds.Metric("m", "high", 1, 0)])
    for point in (
        kinds.Metric("m", 1.0, 1.5, 0),
        kinds.Metric("m", 1.0, 1, None),
        kinds.Metric("m", "1", 1, 0),
    ):
        with pytest.raises(InvalidParameter):  # below the client as well
            client.services.runs.log_batch(run_id, [point])
    client.log_batch(run_id, [kinds.Metric("m", 1.0, 1500.7, 0)])
    assert [point.timestamp for point in client.get_metric_history(run_id, "m")] == [1500]
    assert client.search_runs(["0"])[0].data.metrics == {"m": 1.0}
