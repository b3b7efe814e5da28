"""The unmodified MLflow client at home on our server: what people's scripts do already."""

import json

import pytest

from mltrack_jupyter.testing.making import unique

mlflow = pytest.importorskip("mlflow")
np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")
sklearn_linear = pytest.importorskip("sklearn.linear_model")

from mlflow import MlflowClient  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402

pytestmark = pytest.mark.server

X = np.array([[0.0], [1.0], [2.0], [3.0]])
Y = np.array([0, 0, 1, 1])


@pytest.fixture(scope="module", autouse=True)
def tracking(server):
    """Point MLflow at the server, as a user does."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MLFLOW_TRACKING_URI", server.tracking_uri)
        environment.setenv("MLFLOW_TRACKING_TOKEN", server.token)
        environment.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        environment.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "true")
        mlflow.set_tracking_uri(server.tracking_uri)
        mlflow.set_registry_uri(server.tracking_uri)
        yield
        mlflow.set_registry_uri(None)
        mlflow.set_tracking_uri(None)


@pytest.fixture(autouse=True)
def experiment():
    """Each test has an experiment of its own, and leaves no run open."""
    yield mlflow.set_experiment(unique("mlflow"))
    while mlflow.active_run():
        mlflow.end_run()


@pytest.fixture
def client():
    return MlflowClient()


def fitted():
    return sklearn_linear.LogisticRegression().fit(X, Y)


def log_model(**options):
    return mlflow.sklearn.log_model(
        fitted(), name="model", serialization_format="cloudpickle", **options
    )


def test_params_metrics_and_tags():
    with mlflow.start_run(run_name="first", description="a note") as run:
        mlflow.log_param("depth", 3)
        mlflow.log_params({f"p{i}": i for i in range(150)})
        mlflow.log_metric("acc", 0.5, step=1)
        mlflow.log_metric("acc", 0.75, step=2)
        mlflow.log_metrics({"loss": 0.25, "nan": float("nan"), "inf": float("-inf")})
        mlflow.set_tag("team", "red")
        mlflow.set_tags({"a": 1, "b": 2})
        mlflow.delete_tag("b")
    found = mlflow.get_run(run.info.run_id)
    assert (found.info.status, found.info.run_name) == ("FINISHED", "first")
    assert found.info.end_time >= found.info.start_time
    assert (found.data.params["depth"], len(found.data.params)) == ("3", 151)
    assert (found.data.metrics["acc"], found.data.metrics["loss"]) == (0.75, 0.25)
    assert np.isnan(found.data.metrics["nan"])
    assert found.data.metrics["inf"] == float("-inf")
    assert found.data.tags["mlflow.note.content"] == "a note"
    assert (found.data.tags["team"], found.data.tags["a"], "b" in found.data.tags) == (
        "red", "1", False,
    )  # fmt: skip


def test_a_metric_history(client):
    with mlflow.start_run() as run:
        for step in range(5):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
    points = client.get_metric_history(run.info.run_id, "loss")
    assert [(point.step, point.value) for point in points] == [(i, 1 / (i + 1)) for i in range(5)]


def test_a_param_is_written_once():
    with mlflow.start_run():
        mlflow.log_param("depth", 3)
        mlflow.log_param("depth", 3)
        with pytest.raises(MlflowException, match="Changing param values is not allowed"):
            mlflow.log_param("depth", 4)


def test_an_exception_fails_the_run():
    with pytest.raises(ZeroDivisionError), mlflow.start_run() as run:
        1 / 0  # noqa: B018
    assert mlflow.get_run(run.info.run_id).info.status == "FAILED"


def test_nested_runs():
    with mlflow.start_run() as parent:
        for _ in range(2):
            with mlflow.start_run(nested=True):
                pass
    query = f"tags.mlflow.parentRunId = '{parent.info.run_id}'"
    assert len(mlflow.search_runs(filter_string=query)) == 2


def test_a_run_is_resumed():
    with mlflow.start_run() as run:
        mlflow.log_param("a", 1)
    with mlflow.start_run(run_id=run.info.run_id):
        mlflow.log_param("b", 2)
        assert mlflow.get_run(run.info.run_id).info.status == "RUNNING"
    found = mlflow.get_run(run.info.run_id)
    assert (found.info.status, found.data.params) == ("FINISHED", {"a": "1", "b": "2"})


def test_searching_with_a_filter_and_an_order(experiment):
    for depth in (3, 10, 5):
        with mlflow.start_run(run_name=f"d{depth}"):
            mlflow.log_param("depth", depth)
            mlflow.log_metric("acc", depth / 10)
    frame = mlflow.search_runs(filter_string="metrics.acc > 0.4", order_by=["metrics.acc DESC"])
    assert list(frame["tags.mlflow.runName"]) == ["d10", "d5"]
    assert list(frame["metrics.acc"]) == [1.0, 0.5]
    page = MlflowClient().search_runs([experiment.experiment_id], max_results=2)
    rest = MlflowClient().search_runs([experiment.experiment_id], page_token=page.token)
    assert (len(page), len(rest), rest.token) == (2, 1, None)
    with pytest.raises(MlflowException, match="did you mean 'metrics'"):
        mlflow.search_runs(filter_string="metrcs.acc > 0.4")


def test_files_there_and_back(client, tmp_path):
    folder = tmp_path / "data"
    (folder / "inner").mkdir(parents=True)
    (folder / "a b+c.txt").write_text("one")
    (folder / "inner" / "ü.txt").write_text("two")
    (folder / "empty").write_text("")
    with mlflow.start_run() as run:
        mlflow.log_text("hello", "notes/hello.txt")
        mlflow.log_dict({"a": [1, 2]}, "notes/d.json")
        mlflow.log_dict({"a": [1, 2]}, "notes/d.yaml")
        mlflow.log_artifact(folder / "a b+c.txt")
        mlflow.log_artifacts(folder, "all")
    run_id = run.info.run_id
    names = [item.path for item in client.list_artifacts(run_id)]
    assert names == ["a b+c.txt", "all", "notes"]
    assert {item.path for item in client.list_artifacts(run_id, "all")} == {
        "all/a b+c.txt", "all/empty", "all/inner",
    }  # fmt: skip
    assert mlflow.artifacts.load_text(f"runs:/{run_id}/notes/hello.txt") == "hello"
    assert mlflow.artifacts.load_dict(f"runs:/{run_id}/notes/d.json") == {"a": [1, 2]}
    local = mlflow.artifacts.download_artifacts(run_id=run_id, dst_path=tmp_path / "back")
    found = {
        path.relative_to(local).as_posix(): path.read_text()
        for path in (tmp_path / "back").rglob("*.txt")
    }
    assert found == {
        "a b+c.txt": "one", "all/a b+c.txt": "one", "all/inner/ü.txt": "two", "notes/hello.txt": "hello",
    }  # fmt: skip


def test_figures_images_and_tables(client):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    figure, axes = pyplot.subplots()
    axes.plot([1, 2, 3])
    with mlflow.start_run() as run:
        mlflow.log_figure(figure, "plots/line.png")
        mlflow.log_image(np.zeros((4, 4, 3), dtype=np.uint8), "black.png")
        mlflow.log_table({"a": [1, 2], "b": ["x", "y"]}, "table.json")
        mlflow.log_table({"a": [3], "b": ["z"]}, "table.json")
    pyplot.close(figure)
    assert {item.path for item in client.list_artifacts(run.info.run_id)} == {
        "black.png", "plots", "table.json",
    }  # fmt: skip
    table = mlflow.load_table("table.json", run_ids=[run.info.run_id])
    assert list(table["a"]) == [1, 2, 3]


def test_a_dataset_is_an_input():
    data = mlflow.data.from_pandas(pd.DataFrame({"x": [1, 2]}), name="iris")
    with mlflow.start_run() as run:
        mlflow.log_input(data, context="training")
        mlflow.log_input(data, context="training")
    (found,) = mlflow.get_run(run.info.run_id).inputs.dataset_inputs
    assert (found.dataset.name, found.dataset.digest) == ("iris", data.digest)
    assert {tag.key: tag.value for tag in found.tags} == {"mlflow.data.context": "training"}
    assert len(mlflow.search_runs(filter_string="dataset.name = 'iris'")) == 1


def test_a_model_is_logged_registered_and_loaded(client):
    name = unique("mlflow-model")
    with mlflow.start_run() as run:
        info = log_model(registered_model_name=name, input_example=X[:2])
        log_model(registered_model_name=name)
    assert [item.version for item in client.search_model_versions(f"name = '{name}'")] == ["2", "1"]
    client.set_registered_model_alias(name, "champion", "1")
    client.transition_model_version_stage(name, "2", "Production", archive_existing_versions=True)
    for uri in (
        info.model_uri,
        f"models:/{name}/1",
        f"models:/{name}@champion",
        f"models:/{name}/latest",
        f"models:/{name}/Production",
    ):
        assert list(mlflow.sklearn.load_model(uri).predict(X)) == list(fitted().predict(X))
    assert list(mlflow.pyfunc.load_model(f"models:/{name}@champion").predict(X)) == [0, 0, 1, 1]
    assert client.get_model_version_by_alias(name, "champion").run_id == run.info.run_id


def test_the_model_of_a_run_is_registered_later(client):
    name = unique("mlflow-later")
    with mlflow.start_run() as run:
        log_model()
    made = mlflow.register_model(f"runs:/{run.info.run_id}/model", name)
    assert (made.name, made.version, made.status) == (name, "1", "READY")
    assert mlflow.register_model(f"runs:/{run.info.run_id}/model", name).version == "2"
    loaded = mlflow.sklearn.load_model(f"runs:/{run.info.run_id}/model")
    assert list(loaded.predict(X)) == [0, 0, 1, 1]
    assert made.run_id == run.info.run_id
    tags = client.get_logged_model(made.source.removeprefix("models:/")).tags
    versions = json.loads(tags["mlflow.modelVersions"])
    # Client and server both note them, the one as text, the other as numbers.
    assert {item["version"] for item in versions} == {"1", "2", 1, 2}


def test_a_logged_model_has_params_tags_and_metrics(client):
    with mlflow.start_run():
        info = log_model(params={"depth": 3}, tags={"a": "b"})
        mlflow.log_metric("acc", 0.5, model_id=info.model_id)
    model = mlflow.get_logged_model(info.model_id)
    assert (model.params, model.tags["a"], str(model.status)) == ({"depth": "3"}, "b", "READY")
    assert [(metric.key, metric.value) for metric in model.metrics] == [("acc", 0.5)]
    client.delete_logged_model_tag(info.model_id, "a")
    assert "a" not in mlflow.get_logged_model(info.model_id).tags
    found = mlflow.search_logged_models(filter_string="status = 'READY'", output_format="list")
    assert [item.model_id for item in found] == [info.model_id]


def test_logged_models_by_metric_and_dataset():
    models = {name: mlflow.create_external_model(name) for name in ("low", "high", "none")}
    with mlflow.start_run():
        for name, value in (("low", 0.25), ("high", 0.75)):
            mlflow.log_metric("acc", value, model_id=models[name].model_id)

    def names(**asked):
        found = mlflow.search_logged_models(output_format="list", **asked)
        return [model.name for model in found]

    by_metric = {"field_name": "metrics.acc", "ascending": False}
    assert names(order_by=[by_metric]) == ["high", "low", "none"]
    assert names(filter_string="metrics.acc > 0.5") == ["high"]
    assert names(datasets=[{"dataset_name": "nothing"}]) == []
    assert names(order_by=[{"field_name": "name", "ascending": True}]) == ["high", "low", "none"]


def test_autologging_a_fit():
    mlflow.sklearn.autolog(log_models=False, silent=True)
    try:
        with mlflow.start_run() as run:
            fitted()
    finally:
        mlflow.sklearn.autolog(disable=True)
    data = mlflow.get_run(run.info.run_id).data
    assert data.tags["estimator_name"] == "LogisticRegression"
    assert data.params["fit_intercept"] == "True"
    assert data.metrics["training_accuracy_score"] == 1.0


def test_the_registry_by_the_client(client):
    name = unique("mlflow-registry")
    client.create_registered_model(name, tags={"a": "1"}, description="first")
    with pytest.raises(MlflowException, match="already exists"):
        client.create_registered_model(name)
    client.set_registered_model_tag(name, "b", "2")
    client.delete_registered_model_tag(name, "a")
    client.update_registered_model(name, description="second")
    found = client.get_registered_model(name)
    assert (found.tags, found.description) == ({"b": "2"}, "second")

    made = client.create_model_version(name, "s3://bucket/model", description="v")
    client.set_model_version_tag(name, made.version, "checked", "yes")
    client.update_model_version(name, made.version, description="w")
    found = client.get_model_version(name, made.version)
    assert (found.tags, found.description, found.source) == (
        {"checked": "yes"}, "w", "s3://bucket/model",
    )  # fmt: skip
    client.set_registered_model_alias(name, "champion", made.version)
    client.delete_registered_model_alias(name, "champion")
    with pytest.raises(MlflowException, match="alias champion not found"):
        client.get_model_version_by_alias(name, "champion")

    renamed = unique("mlflow-renamed")
    client.rename_registered_model(name, renamed)
    names = [item.name for item in client.search_registered_models(f"name = '{renamed}'")]
    assert names == [renamed]
    assert renamed in [item.name for item in client.search_registered_models(max_results=1000)]
    client.delete_model_version(renamed, made.version)
    client.delete_registered_model(renamed)
    with pytest.raises(MlflowException, match="not found"):
        client.get_registered_model(renamed)


def test_the_trash(client, experiment):
    with mlflow.start_run() as run:
        pass
    mlflow.delete_run(run.info.run_id)
    assert len(mlflow.search_runs()) == 0
    client.restore_run(run.info.run_id)
    assert len(mlflow.search_runs()) == 1
    mlflow.delete_experiment(experiment.experiment_id)
    with pytest.raises(MlflowException, match="deleted"):
        mlflow.set_experiment(experiment.name)
    client.restore_experiment(experiment.experiment_id)
    client.rename_experiment(experiment.experiment_id, unique("renamed"))
    client.set_experiment_tag(experiment.experiment_id, "a", "b")
    assert client.get_experiment(experiment.experiment_id).tags["a"] == "b"
    ids = [e.experiment_id for e in mlflow.search_experiments(filter_string="tags.a = 'b'")]
    assert experiment.experiment_id in ids


def test_what_is_missing_is_said(client):
    assert mlflow.get_experiment_by_name(unique()) is None
    with pytest.raises(MlflowException) as caught:
        client.get_run("0" * 32)
    assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    with pytest.raises(MlflowException):
        mlflow.artifacts.download_artifacts(f"mlflow-artifacts:/{unique()}/none")


ASK = """
import mlflow
from mlflow import MlflowClient
for call in (
    lambda: mlflow.search_experiments(),
    lambda: MlflowClient().get_experiment("0"),
    lambda: MlflowClient().create_experiment("never"),
    lambda: mlflow.artifacts.load_text("mlflow-artifacts:/0/x"),
    lambda: MlflowClient().get_registered_model("never"),
):
    try:
        call()
        print("worked")
    except Exception as error:  # that of an artifact is one of requests
        print(getattr(error, "error_code", "-"), "MLFLOW_TRACKING_TOKEN" in str(error))
"""


@pytest.mark.timeout(90)  # MLflow asks for four minutes when it believes that asking again may help
@pytest.mark.parametrize("token", ["wrong", ""])
def test_a_wrong_token_is_named_at_once(server, run_script, token):
    settings = {"MLFLOW_TRACKING_URI": server.tracking_uri, "MLFLOW_DISABLE_TELEMETRY": "true"}
    said = run_script(ASK, MLFLOW_TRACKING_TOKEN=token, **settings).stdout.splitlines()
    assert said[:3] == ["PERMISSION_DENIED True"] * 3
    assert all(line.endswith("True") for line in said)
    assert len(said) == 5


def test_it_reads_what_mltrack_wrote(server):
    services = server.services()
    run = services.runs.create(experiment_id="0", run_name="ours")
    services.runs.log_metric(run.info.run_id, "acc", 0.5, 0)
    services.close()
    found = mlflow.get_run(run.info.run_id)
    assert (found.info.run_name, found.data.metrics) == ("ours", {"acc": 0.5})


def test_prompts_live_in_the_registry(client):
    name = unique("prompt")
    made = mlflow.genai.register_prompt(name, "Hello {{who}}", commit_message="first")
    assert (made.name, made.version) == (name, 1)
    assert mlflow.genai.register_prompt(name, "Bye {{who}}").version == 2
    assert mlflow.genai.load_prompt(f"prompts:/{name}/1").format(who="you") == "Hello you"
    mlflow.genai.set_prompt_alias(name, "best", 2)
    assert mlflow.genai.load_prompt(f"prompts:/{name}@best").template == "Bye {{who}}"
    assert name not in {model.name for model in client.search_registered_models()}
