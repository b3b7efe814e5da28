"""Whatever name a registered model can have, it is found, listed, given aliases, loaded and deleted by it."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

from mltrack_jupyter import Client
from mltrack_jupyter.errors import AlreadyExists, InvalidParameter, NotFound
from mltrack_jupyter.registry import load_model, log_model, register_model
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.names import quoted
from mltrack_jupyter.testing.making import new_run

ODD = [
    "it's",
    "''",
    'say "x"',
    "both ' and \"",
    "a`b",
    "back\\slash",
    "it\\'s",
    "100%_a",
    "%",
    "ü 'x'",
]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    services = open_store(tmp_path_factory.mktemp("names"))
    run_id = new_run(services, "0").info.run_id
    log_model(services, run_id, LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]))
    yield services, f"runs:/{run_id}/model"
    services.close()


@pytest.mark.parametrize("name", ODD)
def test_a_model_by_its_name(store, name):
    services, uri = store
    client = Client(services.uri)
    version = register_model(services, uri, name, alias="best", stage="Staging", tags={"k": name})
    text = f"name = {quoted(name)}"
    assert [model.name for model in client.search_registered_models(text)] == [name]
    assert [found.version for found in client.search_model_versions(text)] == [version.version]
    by_tag = client.search_model_versions(f"tags.k = {quoted(name)}")
    assert [found.name for found in by_tag] == [name]
    assert client.get_model_version_by_alias(name, "best").version == version.version
    assert client.get_latest_versions(name)[0].version == version.version
    assert load_model(services, f"models:/{name}@best", trust=True).coef_[0] == pytest.approx(1.0)
    assert load_model(services, f"models:/{name}/{version.version}", trust=True) is not None
    client.delete_registered_model(name)
    with pytest.raises(NotFound):
        client.get_registered_model(name)


@pytest.mark.parametrize("name", ODD)
def test_an_experiment_and_its_runs_by_their_names(store, name):
    client = Client(store[0].uri)
    number = client.create_experiment(name)
    text = f"name = {quoted(name)}"
    assert [found.experiment_id for found in client.search_experiments(filter_string=text)] == [
        number
    ]
    run = client.create_run(number, run_name=name, tags={"said": name})
    client.log_param(run.info.run_id, "said", name)
    for clause in ("run_name", "tags.said", "params.said"):
        found = client.search_runs([number], f"{clause} = {quoted(name)} AND status = 'RUNNING'")
        assert [item.info.run_id for item in found] == [run.info.run_id], clause


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.text(alphabet="ab'\"`%_ .é", min_size=1, max_size=8))
def test_every_name_that_can_be_made_can_be_found(store, name):
    services, _ = store
    try:
        services.registered_models.create(name)
    except (InvalidParameter, AlreadyExists):
        return
    found = services.registered_models.search(f"name = {quoted(name)}")
    assert [model.name for model in found.items] == [name]
    services.registered_models.delete(name)


def test_quotes_are_taken_as_mlflow_does(store):
    """MLflow's parser takes two quotes for two, and lets a backslash stand before one."""
    services, _ = store
    for name in ("it's", "it''s"):
        services.registered_models.create(name)
    searched = {
        'name = "it\'s"': ["it's"],
        "name = 'it''s'": ["it''s"],
        r"name = 'it\'s'": ["it's"],
        'name LIKE "it\'s%"': ["it's"],
        "name = 'it\\'s' and name LIKE '%t%'": ["it's"],
    }
    for text, names in searched.items():
        assert [model.name for model in services.registered_models.search(text).items] == names
