"""Models in MLflow's verbs: logged to the active run, registered, loaded by URI."""

import json

import pytest
from flaky import FlakyServer

from mltrack_jupyter.errors import InvalidParameter, NotFound
from mltrack_jupyter.models import audit

np = pytest.importorskip("numpy")
linear_model = pytest.importorskip("sklearn.linear_model")

X = np.array([[0.0], [1.0], [2.0], [3.0]])


@pytest.fixture
def model():
    return linear_model.LogisticRegression().fit(X, [0, 0, 1, 1])


def test_logged_registered_and_loaded(mltrack, model):
    with mltrack.start_run() as run:
        info = mltrack.log_model(model, registered_model_name="churn", input_example=X[:2])
    assert (info.model_uri, info.run_id) == (f"models:/{info.model_id}", run.info.run_id)
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
    assert mltrack.log_model(model, **name).artifact_path == "tree"
    with mltrack.start_run():
        info = mltrack.log_model(model, **name)
    assert info.artifact_path == "tree"
    assert mltrack.Client().list_artifacts(info.run_id, "tree") != []


def test_without_a_run_it_is_of_the_experiment_alone(mltrack, model):
    chosen = mltrack.set_experiment("trees")
    info = mltrack.log_model(model, registered_model_name="tree")
    made = mltrack.get_logged_model(info.model_id)
    assert (mltrack.active_run(), info.run_id, made.experiment_id) == (
        None,
        "",
        chosen.experiment_id,
    )
    # It is the user's own, and is loaded without being trusted in words.
    for uri in (info.model_uri, "models:/tree/1"):
        assert list(mltrack.load_model(uri).predict(X)) == [0, 0, 1, 1]


def test_what_is_no_model_is_refused(mltrack):
    with pytest.raises(InvalidParameter):
        mltrack.log_model("no model")
    with pytest.raises(NotFound):
        mltrack.load_model("models:/none/1")
    with pytest.raises(InvalidParameter):
        mltrack.load_model("models:/churn")


def test_in_a_run_that_is_resumed_each_stays_what_it_was(mltrack):
    def tree(number):
        return linear_model.LogisticRegression(max_iter=number).fit(X, [0, 0, 1, 1])

    with mltrack.start_run() as run:
        first = mltrack.sklearn.log_model(tree(101), name="model", registered_model_name="M")
    with mltrack.start_run(run_id=run.info.run_id):
        mltrack.sklearn.log_model(tree(102), name="model", registered_model_name="M")
    latest = f"runs:/{run.info.run_id}/model"
    uris = ("models:/M/1", "models:/M/2", first.model_uri, latest)
    assert [mltrack.load_model(uri).max_iter for uri in uris] == [101, 102, 101, 102]


@pytest.mark.server
def test_of_a_run_whose_server_is_away(server, mltrack, model, environment):
    environment.setenv("MLTRACK_TRACKING_TOKEN", server.token)
    between = FlakyServer(server.tracking_uri)
    away = (503, {}, b'{"error_code": "TEMPORARILY_UNAVAILABLE", "message": "not now"}')
    between.plan = [away] * 10_000
    mltrack.set_tracking_uri(between.url)
    with mltrack.start_run() as run:
        with pytest.warns(UserWarning, match=r"kept with its run.*models:/m-.*later"):
            info = mltrack.log_model(model, registered_model_name="later")
        with pytest.warns(UserWarning, match="kept with its run"):
            other = mltrack.log_model(linear_model.LogisticRegression(C=7).fit(X, [0, 0, 1, 1]))
    assert (info.registered_version, other.registered_version) == (None, None)

    between.plan.clear()
    mltrack.flush_async_logging()
    tags = mltrack.get_run(run.info.run_id).data.tags
    assert json.loads(tags["mltrack.model"])["artifact_path"] == "model"
    environment.setattr(audit, "_written", set())  # as in another process, which has the user's key
    assert list(mltrack.load_model(info.model_uri).predict(X)) == [0, 0, 1, 1]
    assert mltrack.register_model(info.model_uri, "later").version == "1"
    loaded = [mltrack.load_model(uri).C for uri in (
        "models:/later/1", info.model_uri, other.model_uri, f"runs:/{run.info.run_id}/model"
    )]  # fmt: skip
    assert loaded == [1.0, 1.0, 7, 7]
    mltrack.set_tracking_uri("elsewhere")
    between.close()


def test_what_is_known_of_a_model_without_loading_it(mltrack, model):
    with mltrack.start_run():
        mltrack.log_param("C", 1.0)
        info = mltrack.sklearn.log_model(
            model,
            name="model",
            params={"kind": "small"},
            input_example=X[:2],
            serialization_format=mltrack.sklearn.SERIALIZATION_FORMAT_SKOPS,
            skops_trusted_types=["numpy.dtype"],
        )
    assert info.params == {"C": "1.0", "kind": "small"}
    found = mltrack.models.get_model_info(f"models:/{info.model_id}")
    assert found.signature == info.signature
    assert found.about.get_input_schema() == info.signature.inputs
    assert found.about.get_output_schema() == info.signature.outputs
    assert found.flavors["sklearn"]["serialization_format"] == "skops"


def test_metrics_of_its_step_are_those_of_the_model(mltrack, model):
    """As in MLflow's quickstart: the score is logged after the model."""
    with mltrack.start_run():
        mltrack.log_metric("before", 0.1)
        info = mltrack.log_model(model)
        mltrack.log_metric("accuracy", 0.9)
        mltrack.log_metrics({"f1": 0.8, "recall": 0.7})
        mltrack.log_metric("loss", 0.5, step=1)
    metrics = {m.key: m.value for m in mltrack.get_logged_model(info.model_id).metrics}
    assert metrics.items() >= {"accuracy": 0.9, "f1": 0.8, "recall": 0.7}.items()
    assert "loss" not in metrics
    (found,) = mltrack.search_logged_models(
        filter_string="metrics.accuracy > 0.8", output_format="list"
    )
    assert found.model_id == info.model_id


@pytest.mark.parametrize("by_run", [True, False])
def test_a_signature_is_added_to_a_model_that_is_there(mltrack, model, by_run):
    with mltrack.start_run() as run:
        info = mltrack.sklearn.log_model(model, name="model", serialization_format="cloudpickle")
    uri = f"runs:/{run.info.run_id}/model" if by_run else info.model_uri
    signature = mltrack.models.infer_signature(X[:2], [0, 1])
    mltrack.models.set_signature(uri, signature)
    found = mltrack.models.get_model_info(uri)
    assert found.signature == signature
    assert found.flavors == info.flavors
    assert len(mltrack.load_model(uri).predict(X[:2])) == 2
    mltrack.register_model(uri, "signed")
    with pytest.raises(InvalidParameter, match="stays as it is"):
        mltrack.models.set_signature(uri, mltrack.models.infer_signature(X[:2]))


@pytest.mark.parametrize("key", ["flavors", "metadata", "model_id"])
def test_nothing_else_of_it_is_changed_that_way(mltrack, model, key):
    import io

    import yaml

    with mltrack.start_run() as run:
        info = mltrack.sklearn.log_model(model, name="model")
    about = info.about.to_dict() | {key: {"sklearn": {"pickled_model": "other.pkl"}}}
    services = mltrack.Client().services
    files = services.files_at(run.info.artifact_uri, run.info.run_id)
    with pytest.raises(InvalidParameter, match="stays as it is"):
        files.write("model/MLmodel", io.BytesIO(yaml.safe_dump(about).encode()))
    uri = services.logged_models.get(info.model_id).info.artifact_uri
    with pytest.raises(InvalidParameter, match="stays as it is"):
        services.files_at(uri, "").write("MLmodel", io.BytesIO(yaml.safe_dump(about).encode()))
    assert mltrack.models.get_model_info(info.model_uri).flavors == info.flavors
