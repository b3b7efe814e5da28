"""Models in MLflow's verbs: logged to the active run, registered, loaded by URI."""

import json

import pytest
from flaky import FlakyServer

from mltrack_jupyter.errors import InvalidParameter, NotFound

np = pytest.importorskip("numpy")
linear_model = pytest.importorskip("sklearn.linear_model")

X = np.array([[0.0], [1.0], [2.0], [3.0]])


@pytest.fixture
def model():
    return linear_model.LogisticRegression().fit(X, [0, 0, 1, 1])


def test_logged_registered_and_loaded(mltrack, model):
    with mltrack.start_run() as run:
        info = mltrack.log_model(model, registered_model_name="churn", input_example=X[:2])
    assert (info.model_uri, info.run_id) == (f"runs:/{run.info.run_id}/model", run.info.run_id)
    assert info.registered_version.version == "1"
    second = mltrack.register_model(
        info.model_uri,
        "churn",
        tags={"a": 1},
        alias="champion",
        stage="Staging",
        description="good",
    )
    assert (second.version, second.tags, second.description) == ("2", {"a": "1"}, "good")
    assert (second.aliases, second.current_stage) == (["champion"], "Staging")
    for uri in (info.model_uri, "models:/churn/1", "models:/churn@champion", "models:/churn/latest",
                "models:/churn/Staging"):  # fmt: skip
        assert list(mltrack.load_model(uri).predict(X)) == [0, 0, 1, 1]
    assert list(mltrack.load_model("models:/churn/1", flavor="pyfunc").predict(X)) == [0, 0, 1, 1]


@pytest.mark.parametrize("name", [{"artifact_path": "tree"}, {"name": "tree"}])
def test_by_mlflows_old_and_new_word_for_its_place(mltrack, model, name):
    info = mltrack.log_model(model, **name)
    assert info.artifact_path == "tree"
    mltrack.end_run()
    assert mltrack.Client().list_artifacts(info.run_id, "tree") != []


def test_without_a_run_one_is_opened(mltrack, model):
    info = mltrack.log_model(model)
    assert mltrack.active_run().info.run_id == info.run_id


def test_what_is_no_model_is_refused(mltrack):
    with pytest.raises(InvalidParameter):
        mltrack.log_model("no model")
    with pytest.raises(NotFound):
        mltrack.load_model("models:/none/1")
    with pytest.raises(InvalidParameter):
        mltrack.load_model("models:/churn")


@pytest.mark.server
def test_of_a_run_whose_server_is_away(server, mltrack, model, environment):
    environment.setenv("MLTRACK_TRACKING_TOKEN", server.token)
    between = FlakyServer(server.tracking_uri)
    away = (503, {}, b'{"error_code": "TEMPORARILY_UNAVAILABLE", "message": "not now"}')
    between.plan = [away] * 10_000
    mltrack.set_tracking_uri(between.url)
    with mltrack.start_run() as run, pytest.warns(UserWarning, match="kept with its run.*later"):
        info = mltrack.log_model(model, registered_model_name="later")
    assert (info.model_id, info.registered_version) == ("", None)

    between.plan.clear()
    mltrack.flush_async_logging()
    tags = mltrack.get_run(run.info.run_id).data.tags
    assert json.loads(tags["mltrack.model"])["artifact_path"] == "model"
    assert list(mltrack.load_model(info.model_uri, trust=True).predict(X)) == [0, 0, 1, 1]
    assert mltrack.register_model(info.model_uri, "later").version == "1"
    mltrack.set_tracking_uri("elsewhere")
    between.close()
