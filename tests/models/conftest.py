"""Iris, a tree fitted to it, and a process that trusts nothing yet."""

import pytest

from mltrack_jupyter.models import audit


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


@pytest.fixture(scope="session")
def iris():
    from sklearn.datasets import load_iris

    return load_iris(return_X_y=True, as_frame=True)


@pytest.fixture(scope="session")
def tree(iris):
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(random_state=0).fit(*iris)


@pytest.fixture
def saved(tree, iris, tmp_path):
    """The folder of a saved tree."""
    from mltrack_jupyter.models import infer_signature, save_model

    path = tmp_path / "model"
    save_model(tree, path, signature=infer_signature(iris[0], tree.predict(iris[0])))
    return path
