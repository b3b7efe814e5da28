"""The client: MlflowClient's method names over any store."""

import inspect

import pytest

from mltrack_jupyter.entities import Metric, Param, Tag
from mltrack_jupyter.errors import InvalidParameter, NotFound


@pytest.fixture
def client(mltrack):
    return mltrack.Client()


def test_every_method_of_the_classic_client_is_there(client):
    wanted = """create_experiment get_experiment get_experiment_by_name search_experiments
        rename_experiment delete_experiment restore_experiment set_experiment_tag create_run get_run
        search_runs log_metric log_param log_batch set_tag delete_tag update_run set_terminated
        delete_run restore_run get_metric_history list_artifacts download_artifacts log_artifact
        log_artifacts log_text log_dict log_figure create_registered_model get_registered_model
        search_registered_models rename_registered_model update_registered_model
        delete_registered_model set_registered_model_tag delete_registered_model_tag
        set_registered_model_alias delete_registered_model_alias get_model_version
        get_model_version_by_alias get_latest_versions create_model_version update_model_version
        delete_model_version transition_model_version_stage search_model_versions
        get_model_version_download_uri set_model_version_tag delete_model_version_tag"""
    assert [name for name in wanted.split() if not callable(getattr(client, name, None))] == []


def test_its_parameters_begin_as_mlflows(client):
    mlflow_client = pytest.importorskip("mlflow").MlflowClient
    different = {}
    for name, method in inspect.getmembers(type(client), inspect.isfunction):
        theirs = getattr(mlflow_client, name, None)
        if name.startswith("_") or theirs is None:
            continue
        ours = list(inspect.signature(method).parameters)
        names = list(inspect.signature(theirs).parameters)
        if ours != [item for item in names if item in ours]:
            different[name] = (ours, names)
    assert different == {}


def test_the_life_of_an_experiment(client):
    number = client.create_experiment("a", tags={"n": 1})
    client.set_experiment_tag(number, "m", 2)
    client.delete_experiment_tag(number, "n")
    client.rename_experiment(number, "b")
    found = client.get_experiment_by_name("b")
    assert (found.experiment_id, found.tags) == (number, {"m": "2"})
    client.delete_experiment(number)
    assert [item.name for item in client.search_experiments()] == ["Default"]
    client.restore_experiment(number)
    assert len(client.search_experiments(filter_string="name = 'b'", order_by=["name"])) == 1
    assert client.get_experiment_by_name("a") is None


def test_the_life_of_a_run(client, tmp_path):
    run_id = client.create_run("0", tags={"mlflow.user": "ada"}, run_name="mine").info.run_id
    client.log_metric(run_id, "acc", 0.5, step=1)
    client.log_metric(run_id, "acc", 0.75, timestamp=5, step=2)
    assert client.log_param(run_id, "depth", 3) == 3
    client.set_tag(run_id, "a", 1)
    client.delete_tag(run_id, "a")
    client.log_batch(run_id, [Metric("b", 1.0, 0)], [Param("b", "1")], [Tag("b", "1")])
    client.log_text(run_id, "hello", "notes/a.txt")
    client.log_dict(run_id, {"a": 1}, "d.json")
    (tmp_path / "file.txt").write_text("x")
    client.log_artifact(run_id, tmp_path / "file.txt", "copies")
    client.set_terminated(run_id, end_time=7)
    client.update_run(run_id, name="renamed")

    run = client.get_run(run_id)
    assert (run.info.user_id, run.info.run_name, run.info.end_time) == ("ada", "renamed", 7)
    assert run.info.status.value == "FINISHED"
    assert run.data.metrics == {"acc": 0.75, "b": 1.0}
    assert run.data.params == {"depth": "3", "b": "1"}
    assert [point.value for point in client.get_metric_history(run_id, "acc")] == [0.75, 0.5]
    assert [item.path for item in client.list_artifacts(run_id)] == ["copies", "d.json", "notes"]
    with open(client.download_artifacts(run_id, "notes/a.txt")) as file:
        assert file.read() == "hello"
    client.delete_run(run_id)
    assert len(client.search_runs(["0"])) == 0
    client.restore_run(run_id)
    page = client.search_runs(["0"], "metrics.acc > 0.5")
    assert (page[0].info.run_id, page.token) == (run_id, None)


def test_pages_have_mlflows_token(client):
    for _ in range(3):
        client.create_run("0")
    first = client.search_runs(["0"], max_results=2)
    second = client.search_runs(["0"], max_results=2, page_token=first.token)
    assert (len(first), len(second)) == (2, 1)


def test_the_life_of_a_model(client):
    run_id = client.create_run("0").info.run_id
    client.create_registered_model("churn", tags={"a": 1}, description="first")
    for _ in range(2):
        client.create_model_version("churn", f"runs:/{run_id}/model", run_id, tags={"b": 2})
    client.set_registered_model_alias("churn", "champion", 2)
    client.transition_model_version_stage("churn", 1, "Production")
    client.set_model_version_tag("churn", 1, "c", 3)
    client.delete_model_version_tag("churn", 1, "b")
    client.update_model_version("churn", 1, "good")
    found = client.get_model_version("churn", 1)
    assert (found.tags, found.description, found.current_stage) == (
        {"c": "3"},
        "good",
        "Production",
    )
    assert client.get_model_version_by_alias("churn", "champion").version == "2"
    assert [item.version for item in client.get_latest_versions("churn", ["Production"])] == ["1"]
    assert len(client.search_model_versions("name = 'churn'")) == 2
    assert client.get_model_version_download_uri("churn", 1).endswith("/model")
    client.delete_registered_model_alias("churn", "champion")
    client.delete_model_version("churn", 2)
    client.update_registered_model("churn", "second")
    client.rename_registered_model("churn", "loss")
    client.set_registered_model_tag("loss", "d", 4)
    client.delete_registered_model_tag("loss", "a")
    found = client.get_registered_model("loss")
    assert (found.tags, found.aliases, found.description) == ({"d": "4"}, {}, "second")
    assert [item.name for item in client.search_registered_models()] == ["loss"]
    client.delete_registered_model("loss")
    with pytest.raises(NotFound):
        client.get_registered_model("loss")


def test_a_store_can_be_named(mltrack, client, tmp_path):
    other = mltrack.Client(tmp_path / "other")
    other.create_experiment("only there")
    assert client.get_experiment_by_name("only there") is None
    assert mltrack.Client(tracking_uri=tmp_path / "other").get_experiment_by_name("only there")


@pytest.mark.parametrize("status", ["DONE", "finished"])
def test_a_status_is_one_of_five(client, status):
    run_id = client.create_run("0").info.run_id
    for call in (client.set_terminated, client.update_run):
        with pytest.raises(InvalidParameter, match="RUNNING, SCHEDULED, FINISHED"):
            call(run_id, status)
