"""Stores on database servers, for the tests marked ``database``."""

import pytest

from mltrack_jupyter.store import open_store


@pytest.fixture(params=["postgresql", "mysql"])
def kind(request):
    return request.param


@pytest.fixture
def url(kind, database_server_of):
    return database_server_of(kind).new_database()


@pytest.fixture
def services(url, tmp_path):
    services = open_store(url, artifact_root=tmp_path / "artifacts")
    yield services
    services.close()
