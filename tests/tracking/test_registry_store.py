"""Models registered in another store than their runs are logged to."""

import pickle
import subprocess
import sys

import pytest
from sklearn.linear_model import LinearRegression

from mltrack_jupyter.errors import InvalidParameter, PermissionDenied
from mltrack_jupyter.models import audit
from mltrack_jupyter.registry import resolve


@pytest.fixture
def elsewhere(monkeypatch):
    """Go on as another process, which has written no model itself."""
    return lambda: monkeypatch.setattr(audit, "_written", set())


@pytest.fixture
def model():
    return LinearRegression().fit([[1.0], [2.0]], [1, 2])


@pytest.fixture(params=["call", "MLFLOW_REGISTRY_URI", "MLTRACK_REGISTRY_URI"])
def apart(request, mltrack, tmp_path, monkeypatch):
    """The registry's store, chosen in one of the ways there are."""
    place = tmp_path / "registry.db"
    if request.param == "call":
        mltrack.set_registry_uri(place)
    else:
        monkeypatch.setenv(request.param, str(place))
    yield place
    mltrack.set_registry_uri(None)


def logged(mltrack, model, **options):
    with mltrack.start_run():
        return mltrack.sklearn.log_model(
            model, name="model", serialization_format="cloudpickle", **options
        )


def test_versions_and_their_files_are_there(mltrack, model, apart, elsewhere):
    info = logged(mltrack, model, registered_model_name="line")
    assert info.registered_model_version == "1"
    assert mltrack.register_model(info.model_uri, "line", alias="best").version == "2"
    # A pickle that was the user's own stays so.
    elsewhere()
    for name in ("line/1", "line@best", "line/latest"):
        assert mltrack.load_model(f"models:/{name}").predict([[3.0]])[0] == pytest.approx(3.0)
    assert [found.name for found in mltrack.search_registered_models()] == ["line"]
    assert len(mltrack.search_model_versions()) == 2
    place = mltrack.artifacts.download_artifacts("models:/line/1")
    assert mltrack.load_model(place, trust=True).predict([[3.0]])[0] == pytest.approx(3.0)
    client = mltrack.Client()
    client.set_registered_model_tag("line", "team", "plants")
    assert client.get_registered_model("line").tags == {"team": "plants"}
    assert client.get_run(info.run_id).info.status == "FINISHED"


def test_nothing_of_them_is_in_the_store_of_the_runs(mltrack, model, apart):
    logged(mltrack, model, registered_model_name="line")
    tracking = mltrack.get_tracking_uri()
    assert mltrack.Client(tracking).search_registered_models().items == []
    assert mltrack.Client(tracking, registry_uri=apart).get_registered_model("line").name == "line"
    assert mltrack.Client(registry_uri=apart).get_registered_model("line").name == "line"


def test_a_copied_client_asks_the_same_stores(mltrack, model, apart):
    logged(mltrack, model, registered_model_name="line")
    tracking = mltrack.get_tracking_uri()
    for client, names in (
        (mltrack.Client(), ["line"]),
        (mltrack.Client(tracking, apart), ["line"]),
        (mltrack.Client(tracking), []),
    ):
        copied = pickle.loads(pickle.dumps(client))
        assert [found.name for found in copied.search_registered_models()] == names
        assert copied.tracking_uri == tracking


def test_children_inherit_the_choice(mltrack, model, tmp_path):
    mltrack.set_registry_uri(tmp_path / "registry.db")
    try:
        code = "import mltrack_jupyter as mltrack; print(mltrack.get_registry_uri())"
        said = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert said.stdout.strip() == mltrack.get_registry_uri() != mltrack.get_tracking_uri()
    finally:
        mltrack.set_registry_uri(None)
    assert mltrack.get_registry_uri() == mltrack.get_tracking_uri()


def test_a_strangers_pickle_stays_a_strangers(mltrack, model, apart, elsewhere, tmp_path):
    mltrack.sklearn.save_model(model, tmp_path / "folder", serialization_format="cloudpickle")
    mltrack.register_model(str(tmp_path / "folder"), "line")
    elsewhere()
    with pytest.raises(PermissionDenied):
        mltrack.load_model("models:/line/1")


def test_so_does_one_that_nobody_vouches_for(mltrack, model, apart, elsewhere, monkeypatch):
    info = logged(mltrack, model)
    monkeypatch.setattr(resolve, "vouches", lambda *_: False)
    mltrack.register_model(info.model_uri, "line")
    elsewhere()
    with pytest.raises(PermissionDenied):
        mltrack.load_model("models:/line/1")


def test_a_uri_that_cannot_be_right_is_told(mltrack):
    with pytest.raises(InvalidParameter, match="ftp"):
        mltrack.set_registry_uri("ftp://somewhere")
    assert mltrack.get_registry_uri() == mltrack.get_tracking_uri()


@pytest.mark.parametrize("named", [True, False], ids=["named", "chosen"])
def test_a_client_that_travels_keeps_both_stores(mltrack, tmp_path, named):
    """A worker that gets it registers where it did, and not beside the runs."""
    runs, models = tmp_path / "runs.db", tmp_path / "models.db"
    if named:
        client = mltrack.MlflowClient(runs, models)
    else:
        mltrack.set_tracking_uri(runs)
        mltrack.set_registry_uri(models)
        client = mltrack.MlflowClient()
        mltrack.set_registry_uri(None)
        mltrack.set_tracking_uri("")
    copy = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(client))))
    copy.create_registered_model("line")
    copy.create_experiment("E")
    assert mltrack.MlflowClient(models).get_registered_model("line").name == "line"
    assert mltrack.MlflowClient(runs).search_registered_models() == []
    assert mltrack.MlflowClient(runs).get_experiment_by_name("E") is not None
