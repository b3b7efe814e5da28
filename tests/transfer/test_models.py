"""Models that are moved: their own come back as the user's, and anybody else's are foreign."""

import pytest

from mltrack_jupyter.errors import PermissionDenied
from mltrack_jupyter.models import audit
from mltrack_jupyter.registry import load_model, log_model
from mltrack_jupyter.store import open_store

tree = pytest.importorskip("sklearn.tree")


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A store with two models of one name in one run, the first of them a version."""
    monkeypatch.setenv("MLTRACK_STATE_DIR", str(tmp_path / "state"))
    services = open_store(tmp_path / "mine")
    run_id = services.runs.create("0").info.run_id
    for depth in (1, 2):
        model = tree.DecisionTreeClassifier(max_depth=depth).fit([[0], [1]], [0, 1])
        log_model(services, run_id, model, registered_model_name="M" if depth == 1 else None)
    yield services, run_id
    services.close()


def uris(run_id, services):
    ids = [model.model_id for model in services.logged_models.search(["0"])]
    return ["models:/M/1", f"runs:/{run_id}/model", *(f"models:/{model_id}" for model_id in ids)]


def test_they_keep_their_ids_paths_and_files_and_are_the_users_own_still(
    mine, target, bring, monkeypatch, tmp_path
):
    services, run_id = mine
    report = bring(tmp_path / "mine", target)
    assert not report.problems
    monkeypatch.setattr(audit, "_written", set())
    names = uris(run_id, services)
    assert [load_model(target, uri).max_depth for uri in names] == [1, 2, 2, 1]
    # Nothing of them is among the run's own files a second time.
    assert len([*(tmp_path / "target").rglob("model.pkl")]) == 2
    bring(tmp_path / "mine", target)
    assert [load_model(target, uri).max_depth for uri in names] == [1, 2, 2, 1]


def test_for_another_user_they_are_foreign(mine, target, bring, monkeypatch, tmp_path):
    services, run_id = mine
    bring(tmp_path / "mine", target)
    monkeypatch.setattr(audit, "_written", set())
    monkeypatch.setenv("MLTRACK_STATE_DIR", str(tmp_path / "somebody else"))
    for uri in uris(run_id, services):
        with pytest.raises(PermissionDenied, match="not signed by your key"):
            load_model(target, uri)
        assert load_model(target, uri, trust=True)
