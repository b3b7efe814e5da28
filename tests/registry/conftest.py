"""A real store in a temporary folder, a run in it, and a tree fitted to iris."""

import pytest

from mltrack_jupyter.models import audit
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.remote import connect
from mltrack_jupyter.store.transport import LocalTransport


@pytest.fixture(autouse=True)
def nothing_trusted(monkeypatch, tmp_path):
    """Each test begins as a process that has no key, has written no model and lists no source."""
    monkeypatch.setenv("MLTRACK_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv(audit.TRUST_VARIABLE, raising=False)
    monkeypatch.delenv(audit.TYPES_VARIABLE, raising=False)
    monkeypatch.setattr(audit, "_written", set())


@pytest.fixture
def restart(monkeypatch):
    """Forget what this process wrote, as a new kernel would."""
    return lambda: monkeypatch.setattr(audit, "_written", set())


@pytest.fixture(params=["sql", "wire"])
def store(request, tmp_path):
    """The store itself, and the same store through every byte of the wire."""
    services = open_store(tmp_path / ".mltrack")
    yield services if request.param == "sql" else connect(LocalTransport(services), services.uri)
    services.close()


@pytest.fixture
def run_id(store):
    return store.runs.create("0").info.run_id


@pytest.fixture(scope="session")
def iris():
    from sklearn.datasets import load_iris

    return load_iris(return_X_y=True, as_frame=True)


@pytest.fixture(scope="session")
def tree(iris):
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(random_state=0).fit(*iris)
