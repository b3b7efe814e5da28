"""A logged model keeps its files, and a version what it was made of, whatever is logged afterwards."""

import threading

import pytest
from sklearn.linear_model import LogisticRegression

from mltrack_jupyter.entities import LoggedModelStatus
from mltrack_jupyter.errors import StoreUnwritable
from mltrack_jupyter.registry import load_model, log_model, register_model
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.artifacts import LocalFiles


@pytest.fixture
def numbered(iris):
    """Make a model that is told from others by a number."""
    fitted = LogisticRegression(max_iter=500).fit(*iris)

    def make(number):
        model = LogisticRegression(max_iter=number)
        model.__dict__ |= {**fitted.__dict__, "max_iter": number}
        return model

    return make


def number_of(store, uri):
    return load_model(store, uri).max_iter


@pytest.fixture
def three(store, run_id, numbered):
    """Three models of one name in one run, each registered at once."""
    return [
        log_model(store, run_id, numbered(number), registered_model_name="M")
        for number in (1, 2, 3)
    ]


def test_versions_of_one_name_in_one_run(store, three, restart):
    restart()
    assert [number_of(store, f"models:/M/{number}") for number in (1, 2, 3)] == [1, 2, 3]


def test_models_by_their_ids(store, three, restart):
    restart()
    assert [number_of(store, f"models:/{info.model_id}") for info in three] == [1, 2, 3]


def test_the_path_of_the_run_means_the_latest(store, run_id, three, restart):
    restart()
    assert number_of(store, f"runs:/{run_id}/model") == 3
    assert number_of(store, f"runs:/{run_id}") == 3


def test_the_first_is_registered_afterwards(store, three, restart):
    register_model(store, three[0].model_uri, "late", alias="first")
    restart()
    assert number_of(store, "models:/late@first") == 1


def test_the_path_is_registered_and_then_logged_to_again(store, run_id, numbered, restart):
    log_model(store, run_id, numbered(1))
    register_model(store, f"runs:/{run_id}/model", "M")
    log_model(store, run_id, numbered(2))
    restart()
    assert number_of(store, "models:/M/1") == 1
    assert number_of(store, f"runs:/{run_id}/model") == 2


def test_a_copy_of_a_version(store, run_id, numbered, three, restart):
    register_model(store, "models:/M/1", "copy")
    log_model(store, run_id, numbered(4))
    restart()
    assert number_of(store, "models:/copy/1") == 1


def test_each_path_of_a_run_has_its_own_latest(store, run_id, numbered, restart):
    # Two paths that one name would stand for, as names hold no slash.
    for number, path in enumerate(("a/b", "a-b", "a/b", "a"), 1):
        log_model(store, run_id, numbered(number), path)
    restart()
    found = [number_of(store, f"runs:/{run_id}/{path}") for path in ("a/b", "a-b", "a")]
    assert found == [3, 2, 4]


def test_a_model_in_the_trash_is_not_the_latest(store, run_id, three, restart):
    store.logged_models.delete(three[2].model_id)
    restart()
    assert number_of(store, f"runs:/{run_id}/model") == 2
    assert number_of(store, "models:/M/3") == 3


def test_a_failed_upload_leaves_no_model(store, run_id, numbered, monkeypatch, restart):
    log_model(store, run_id, numbered(1))
    original = LocalFiles.write

    def write(self, path, body):
        if path.endswith("MLmodel"):
            raise StoreUnwritable("The disk is full.")
        return original(self, path, body)

    with monkeypatch.context() as broken:
        broken.setattr(LocalFiles, "write", write)
        with pytest.raises(StoreUnwritable):
            log_model(store, run_id, numbered(2), registered_model_name="M")
    statuses = [item.info.status for item in store.logged_models.search(["0"])]
    assert statuses == [LoggedModelStatus.FAILED, LoggedModelStatus.READY]
    assert list(store.registered_models.search()) == []
    restart()
    assert number_of(store, f"runs:/{run_id}/model") == 1


def test_a_run_that_is_purged_takes_its_models_along_unless_one_is_a_version(
    store, run_id, numbered, tmp_path
):
    log_model(store, run_id, numbered(1))
    info = log_model(store, run_id, numbered(2), registered_model_name="M")
    store.runs.delete(run_id)
    (kept,) = store.workspace.purge(run_ids=[run_id]).items
    assert "version 1 of the model 'M'" in kept.kept_because
    assert number_of(store, "models:/M/1") == 2
    store.registered_models.delete("M")
    (gone,) = store.workspace.purge(run_ids=[run_id]).items
    assert not gone.kept_because
    assert list(tmp_path.rglob("model.pkl")) == []
    assert list(store.logged_models.search(["0"])) == []
    assert info.model_id


class TestOneNameFromManySides:
    def test_several_threads(self, store, run_id, numbered, restart):
        made = {}

        def log(number):
            made[number] = log_model(store, run_id, numbered(number), registered_model_name="M")

        threads = [threading.Thread(target=log, args=(number,)) for number in range(1, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        restart()
        assert sorted(made) == [1, 2, 3, 4]
        for number, info in made.items():
            assert number_of(store, info.model_uri) == number
            assert number_of(store, f"models:/M/{info.registered_version.version}") == number
        assert number_of(store, f"runs:/{run_id}/model") in made
        history = store.runs.get(run_id).data.tags["mlflow.log-model.history"]
        assert all(info.model_id in history for info in made.values())

    def test_several_processes(self, run_script):
        code = """
import sys
import mltrack_jupyter as mltrack
from sklearn.tree import DecisionTreeClassifier
with mltrack.start_run(run_id=sys.argv[1]):
    for number in (int(sys.argv[2]), int(sys.argv[2]) + 1):
        model = DecisionTreeClassifier(max_depth=number).fit([[0], [1]], [0, 1])
        info = mltrack.log_model(model, registered_model_name="M")
        print(number, info.model_id, info.registered_version.version)
"""
        services = open_store(run_script.store)
        run_id = services.runs.create("0").info.run_id
        outputs = []
        threads = [
            threading.Thread(
                target=lambda n=n: outputs.append(run_script(code, run_id, str(n)).stdout)
            )
            for n in (1, 3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rows = [line.split() for text in outputs for line in text.splitlines()]
        assert sorted(int(row[0]) for row in rows) == [1, 2, 3, 4]
        for number, model_id, version in rows:
            for uri in (f"models:/{model_id}", f"models:/M/{version}"):
                assert load_model(services, uri, trust=True).max_depth == int(number)
        services.close()
