import io
import json
import sqlite3

import pytest

from mltrack_jupyter.errors import DamagedArtifact, InvalidParameter, NotFound, PermissionDenied
from mltrack_jupyter.models import audit, infer_signature
from mltrack_jupyter.registry import ModelForm, load_model, log_model, records_of
from mltrack_jupyter.store.artifacts import LocalFiles
from mltrack_jupyter.store.remote import connect
from mltrack_jupyter.store.transport import LocalTransport
from mltrack_jupyter.testing.making import below_root


def tags(store, run_id):
    return store.runs.get(run_id).data.tags


def files(store, run_id, path):
    return {item.path: item for item in store.run_artifacts.list(run_id, path).files}


def test_a_model_becomes_artifacts_of_its_run(store, run_id, tree, iris):
    info = log_model(
        store, run_id, tree, form=ModelForm(infer_signature(*iris), input_example=iris[0])
    )
    assert info.model_uri == f"models:/{info.model_id}"
    assert set(info.flavors) == {"sklearn", "python_function"}
    assert info.signature.inputs.names == list(iris[0].columns)
    assert info.registered_version is None
    assert {"model/MLmodel", "model/model.pkl", "model/conda.yaml"} <= set(
        files(store, run_id, "model")
    )


def test_our_tag_names_path_flavor_class_and_digest(store, run_id, tree):
    info = log_model(store, run_id, tree, "models/best")
    content = json.loads(tags(store, run_id)["mltrack.model"])
    sha256 = content.pop("sha256")
    assert content == {
        "artifact_path": "models/best",
        "flavor": "sklearn",
        "class": "sklearn.tree._classes.DecisionTreeClassifier",
        "model_id": info.model_id,
    }
    with store.run_artifacts.read(run_id, "models/best/model.pkl").file as file:
        assert sha256 == {"model.pkl": audit.digest(file.read())}


def test_mlflows_history_grows(store, run_id, tree):
    first = log_model(store, run_id, tree)
    log_model(store, run_id, tree, "second")
    history = json.loads(tags(store, run_id)["mlflow.log-model.history"])
    assert [entry["artifact_path"] for entry in history] == ["model", "second"]
    assert history[0]["run_id"] == run_id
    assert history[0]["model_uuid"] == first.model_uuid
    assert "sklearn" in history[0]["flavors"]


def test_it_is_loaded_again_in_a_new_process_without_a_word(store, run_id, tree, iris, restart):
    info = log_model(store, run_id, tree)
    restart()
    loaded = load_model(store, info.model_uri)
    assert (loaded.predict(iris[0]) == tree.predict(iris[0])).all()


def test_each_of_two_models_of_a_run_is_trusted_by_its_own_digest(
    store, run_id, tree, iris, restart
):
    from sklearn.linear_model import LogisticRegression

    log_model(store, run_id, tree, "a")
    log_model(store, run_id, LogisticRegression(max_iter=500).fit(*iris), "b")
    restart()
    assert type(load_model(store, f"runs:/{run_id}/a")) is type(tree)
    assert type(load_model(store, f"runs:/{run_id}/b")) is LogisticRegression


def test_the_path_of_a_model_logged_again_means_the_newer_one(store, run_id, tree, iris, restart):
    from sklearn.linear_model import LogisticRegression

    older = log_model(store, run_id, LogisticRegression(max_iter=500).fit(*iris))
    log_model(store, run_id, tree)
    restart()
    assert type(load_model(store, f"runs:/{run_id}/model")) is type(tree)
    assert type(load_model(store, older.model_uri)) is LogisticRegression
    assert [record.class_name.rpartition(".")[2] for record in records_of(tags(store, run_id))] == [
        "DecisionTreeClassifier"
    ]


def test_the_newest_model_of_a_run_needs_no_path(store, run_id, tree, restart):
    log_model(store, run_id, tree, "somewhere/deep")
    restart()
    assert load_model(store, f"runs:/{run_id}")


def test_skops_is_trusted_by_its_digest_too(store, run_id, tree, restart):
    pytest.importorskip("skops")
    log_model(store, run_id, tree, form=ModelForm(serialization_format="skops"))
    restart()
    assert load_model(store, f"runs:/{run_id}/model")


def test_registering_at_once(store, run_id, tree):
    info = log_model(store, run_id, tree, registered_model_name="iris")
    assert (info.registered_version.name, info.registered_version.version) == ("iris", "1")
    assert info.registered_version.run_id == run_id


def test_a_bad_name_is_refused_before_anything_is_logged(store, run_id, tree):
    with pytest.raises(InvalidParameter, match="must not hold '/'"):
        log_model(store, run_id, tree, registered_model_name="a/b")
    assert files(store, run_id, "") == {}


@pytest.mark.parametrize("path", ["../x", "/x", "a//b", "", "a\\b", "%2e%2e/x"])
def test_a_bad_path_is_refused(store, run_id, tree, path):
    with pytest.raises(InvalidParameter, match="Invalid path"):
        log_model(store, run_id, tree, path)


def test_no_such_run(store, tree):
    with pytest.raises(NotFound):
        log_model(store, "0" * 32, tree)


def test_what_has_no_flavor_leaves_no_trace(store, run_id):
    with pytest.raises(InvalidParameter, match="is no model"):
        log_model(store, run_id, object())
    assert files(store, run_id, "") == {}
    assert "mltrack.model" not in tags(store, run_id)


def test_a_run_with_artifacts_in_a_folder_of_the_user(store, tree, tmp_path, restart):
    where = tmp_path / "my artifacts"
    experiment = store.experiments.create("local", artifact_location=str(where))
    run_id = store.runs.create(experiment).info.run_id
    log_model(store, run_id, tree, registered_model_name="local")
    assert list(where.rglob("MLmodel"))
    restart()
    assert load_model(store, f"runs:/{run_id}/model")
    assert load_model(store, "models:/local/1")


def test_mlmodel_is_written_last(store, run_id, tree, monkeypatch):
    names = []
    original = LocalFiles.write

    def write(self, path, body):
        names.append(path.rpartition("/")[2])
        return original(self, path, body)

    monkeypatch.setattr(LocalFiles, "write", write)
    log_model(store, run_id, tree)
    assert names[-1] == "MLmodel"
    assert len(names) == 5


class TestSomebodyTampers:
    def test_with_the_file(self, store, run_id, tree, restart, tmp_path):
        info = log_model(store, run_id, tree)
        (file,) = tmp_path.rglob("model.pkl")
        file.write_bytes(b"cos\nabort\n(tR.")
        restart()
        for uri in (info.model_uri, f"runs:/{run_id}/model"):
            for trust in (None, True):
                with pytest.raises(DamagedArtifact, match="damaged, or changed behind"):
                    load_model(store, uri, trust=trust)

    def test_with_the_file_and_what_the_store_noted_of_it(
        self, store, run_id, tree, restart, tmp_path
    ):
        info = log_model(store, run_id, tree)
        (file,) = tmp_path.rglob("model.pkl")
        file.write_bytes(b"cos\nabort\n(tR.")
        with sqlite3.connect(tmp_path / ".mltrack" / "mltrack.db") as database:
            database.execute("DELETE FROM artifact_digests")
        database.close()
        restart()
        for trust in (None, True):
            with pytest.raises(PermissionDenied, match="changed or damaged"):
                load_model(store, info.model_uri, trust=trust)

    def test_with_the_file_through_the_store(self, store, run_id, tree):
        log_model(store, run_id, tree)
        root = below_root(store.runs.get(run_id).info.artifact_uri)
        with pytest.raises(
            InvalidParameter, match="stays as it is: it belongs to the logged model"
        ):
            store.artifact_files.upload(f"{root}/model/model.pkl", io.BytesIO(b"cos\nabort\n(tR."))

    def test_with_our_tag(self, store, run_id, tree, restart):
        log_model(store, run_id, tree)
        with pytest.raises(InvalidParameter, match="reserved"):
            store.runs.delete_tag(run_id, "mltrack.model")
        with pytest.raises(InvalidParameter, match="reserved"):
            store.runs.set_tag(run_id, "mltrack.model", "{}")
        restart()
        assert load_model(store, f"runs:/{run_id}/model")

    def test_with_tags_that_cannot_be_read(self, store, run_id, tree, restart, tmp_path):
        log_model(store, run_id, tree)
        for value in (
            "[",
            "[[",
            "7",
            '["x"]',
            '{"artifact_path": "../x"}',
            '{"artifact_path": 3}',
            "[" * 9999,
        ):
            with sqlite3.connect(tmp_path / ".mltrack" / "mltrack.db") as database:
                database.execute(
                    "UPDATE tags SET value = ? WHERE key IN (?, ?)",
                    (value, "mltrack.model", "mlflow.log-model.history"),
                )
            database.close()
            restart()
            for uri in (f"runs:/{run_id}/model", f"runs:/{run_id}"):
                assert load_model(store, uri)  # the seal is in no tag


class TestAServerElsewhere:
    """What others may write to can tell of damage, but is no reason to run a pickle."""

    @pytest.fixture
    def server(self, store):
        return connect(LocalTransport(store), "https://hub.example/mlflow")

    def test_what_was_logged_with_the_reader_s_key_is_known_there_too(
        self, server, run_id, tree, restart
    ):
        log_model(server, run_id, tree)
        restart()
        assert load_model(server, f"runs:/{run_id}/model")

    def test_its_digests_are_no_reason(self, server, run_id, tree, restart, monkeypatch, tmp_path):
        log_model(server, run_id, tree)
        assert load_model(server, f"runs:/{run_id}/model")  # this process wrote it
        restart()
        monkeypatch.setenv("MLTRACK_STATE_DIR", str(tmp_path / "of another machine"))
        with pytest.raises(PermissionDenied, match="not signed by your key as this model"):
            load_model(server, f"runs:/{run_id}/model")

    @pytest.mark.parametrize(
        "listed", ["https://hub.example/mlflow", "runs:/{run_id}", "models:/iris"]
    )
    def test_the_reader_may_list_it(self, server, run_id, tree, restart, monkeypatch, listed):
        log_model(server, run_id, tree, registered_model_name="iris")
        restart()
        monkeypatch.setenv("MLTRACK_STATE_DIR", "/nowhere")
        monkeypatch.setenv("MLTRACK_TRUST", listed.format(run_id=run_id))
        assert load_model(server, "models:/iris/1")

    def test_it_does_not_choose_folders_of_this_machine(self, server, tree, tmp_path):
        experiment = server.experiments.create("x", artifact_location=str(tmp_path / "home"))
        run_id = server.runs.create(experiment).info.run_id
        with pytest.raises(InvalidParameter, match="does not take"):
            log_model(server, run_id, tree)
        assert not (tmp_path / "home").exists()
