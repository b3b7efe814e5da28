"""MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX says of which sources a server takes versions."""

import pytest

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store import open_store

VARIABLE = "MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX"


@pytest.fixture
def opened(tmp_path):
    """Open a store as a server does, or as a user's own process does."""
    made = []

    def make(*, server):
        services = open_store(tmp_path / f"store-{server}", local_paths=not server)
        services.registered_models.create("m")
        made.append(services)
        return services

    yield make
    for services in made:
        services.close()


@pytest.mark.parametrize("pattern", ["^s3://ours/", "bucket|ours", "", None])
def test_a_source_that_is_taken(opened, monkeypatch, pattern):
    if pattern is not None:
        monkeypatch.setenv(VARIABLE, pattern)
    version = opened(server=True).model_versions.create("m", "s3://ours/model")
    assert version.source == "s3://ours/model"


@pytest.mark.parametrize("source", ["s3://theirs/model", "gs://ours/model", "S3://ours/model"])
def test_a_source_that_is_refused(opened, monkeypatch, source):
    monkeypatch.setenv(VARIABLE, "^s3://ours/")
    services = opened(server=True)
    with pytest.raises(InvalidParameter, match=f"this server takes .*{VARIABLE}"):
        services.model_versions.create("m", source)
    assert services.model_versions.search().items == []


def test_a_model_that_is_registered_in_one_step(opened, monkeypatch):
    monkeypatch.setenv(VARIABLE, "^s3://ours/")
    services = opened(server=True)
    run_id = services.runs.create("0").info.run_id
    with pytest.raises(InvalidParameter, match=VARIABLE):
        services.registered_models.register("m", run_id, "model")


def test_an_expression_that_is_none(opened, monkeypatch):
    monkeypatch.setenv(VARIABLE, "s3://(")
    with pytest.raises(InvalidParameter, match=r"no regular expression \(missing \)"):
        opened(server=True).model_versions.create("m", "s3://ours/model")


def test_a_process_of_ones_own_takes_them_all(opened, monkeypatch):
    monkeypatch.setenv(VARIABLE, "^s3://ours/")
    opened(server=False).model_versions.create("m", "gs://theirs/model")
