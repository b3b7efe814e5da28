import io
import pickle

import pytest
import yaml

from mltrack_jupyter.entities import RunStatus
from mltrack_jupyter.errors import InvalidParameter, NotFound, PermissionDenied
from mltrack_jupyter.models import infer_signature, save_model
from mltrack_jupyter.registry import (
    get_model_info,
    load_model,
    log_model,
    register_model,
    set_signature,
)
from mltrack_jupyter.registry.register import IMPORTS
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.remote import connect
from mltrack_jupyter.store.transport import LocalTransport, WireAnswer
from mltrack_jupyter.testing.making import below_root


def test_a_model_of_a_run_with_everything(store, run_id, tree):
    uri = log_model(store, run_id, tree).model_uri
    version = register_model(
        store,
        uri,
        "my iris",
        alias="champion",
        stage="production",
        tags={"tier": "gold"},
        description="d",
    )
    assert (version.name, version.version, version.run_id) == ("my iris", "1", run_id)
    assert version.aliases == ["champion"]
    assert version.current_stage == "Production"
    assert version.tags == {"tier": "gold"}
    assert version.description == "d"
    assert load_model(store, "models:/my%20iris@champion")


def test_the_newest_model_of_a_run_needs_no_path(store, run_id, tree):
    info = log_model(store, run_id, tree, "deep/inside")
    version = register_model(store, f"runs:/{run_id}", "iris")
    assert version.source == info.model_uri == f"models:/{info.model_id}"


def test_the_folder_of_a_model_in_the_store_is_that_model(store, run_id, tree):
    info = log_model(store, run_id, tree)
    folder = store.logged_models.get(info.model_id).info.artifact_uri
    at_run = f"{store.runs.get(run_id).info.artifact_uri}/model"
    set_signature(store, folder, infer_signature([[1.0]]))
    for number, place in enumerate((folder, at_run), 1):
        version = register_model(store, place, "iris")
        assert (version.version, version.run_id, version.source) == (
            str(number),
            run_id,
            info.model_uri,
        )
    with pytest.raises(InvalidParameter, match="stays as it is"):
        set_signature(store, folder, infer_signature([1]))
    assert get_model_info(store, info.model_uri).signature == infer_signature([[1.0]])
    with pytest.raises(InvalidParameter, match="by its run"):
        register_model(store, at_run.removesuffix("/model"), "iris")


def test_a_single_file_can_be_registered_though_not_loaded(store, run_id):
    root = below_root(store.runs.get(run_id).info.artifact_uri)
    store.artifact_files.upload(f"{root}/nets/net.h5", io.BytesIO(b"h5"))
    register_model(store, f"runs:/{run_id}/nets/net.h5", "net")
    with pytest.raises(NotFound, match="not a model"):
        load_model(store, "models:/net/1")


def test_numbers_count_on(store, run_id, tree):
    uri = log_model(store, run_id, tree).model_uri
    assert [register_model(store, uri, "iris").version for _ in range(3)] == ["1", "2", "3"]


def test_a_copy_of_a_version_under_another_name(store, run_id, tree, restart):
    uri = log_model(store, run_id, tree).model_uri
    register_model(store, uri, "dev 100%", alias="candidate")
    copy = register_model(
        store,
        "models:/dev 100%@candidate",
        "prod",
        alias="live",
        stage="Production",
        description="copied",
    )
    assert (copy.name, copy.version, copy.run_id) == ("prod", "1", run_id)
    assert (copy.aliases, copy.current_stage, copy.description) == (
        ["live"],
        "Production",
        "copied",
    )
    restart()
    assert type(load_model(store, "models:/prod@live")) is type(tree)


@pytest.mark.parametrize(
    ("uri", "options", "error"),
    [
        ("runs:/{run_id}/model", {"name": "a/b"}, InvalidParameter),
        ("runs:/{run_id}/model", {"alias": "latest"}, InvalidParameter),
        ("runs:/{run_id}/model", {"stage": "Prod"}, InvalidParameter),
        ("runs:/{run_id}/model", {"tags": {"bad\n": "x"}}, InvalidParameter),
        ("runs:/{run_id}", {}, InvalidParameter),
        ("runs:/{run_id}/modell", {}, NotFound),
        ("runs:/00000000000000000000000000000000/model", {}, NotFound),
        ("models:/nothing/1", {}, NotFound),
        ("models:/m-00000000000000000000000000000000", {}, NotFound),
        ("mlflow-artifacts:/0/x", {}, InvalidParameter),
        ("/no/such/folder", {}, NotFound),
        ("s3://bucket/model", {}, InvalidParameter),
    ],
)
def test_what_is_wrong_registers_nothing(store, run_id, uri, options, error):
    name = options.get("name", "iris")
    with pytest.raises(error):
        register_model(store, uri.format(run_id=run_id), **{"alias": "", **options, "name": name})
    assert list(store.registered_models.search()) == []


class TestAFolderOfThisMachine:
    @pytest.fixture
    def folder(self, tree, tmp_path, restart):
        save_model(tree, tmp_path / "made elsewhere")
        restart()
        return tmp_path / "made elsewhere"

    def test_is_copied_into_a_run_of_its_own(self, store, folder):
        version = register_model(store, folder, "iris", alias="champion")
        run = store.runs.get(version.run_id)
        assert run.info.status is RunStatus.FINISHED
        assert run.info.end_time >= run.info.start_time
        assert store.experiments.get(run.info.experiment_id).name == IMPORTS
        assert version.aliases == ["champion"]
        register_model(store, folder, "iris")

    def test_is_not_trusted_for_being_registered(self, store, folder, tree):
        register_model(store, folder, "iris")
        with pytest.raises(PermissionDenied, match="registered from a folder"):
            load_model(store, "models:/iris/1")
        assert type(load_model(store, "models:/iris/1", trust=True)) is type(tree)

    def test_cannot_claim_to_be_ours(self, store, tmp_path, restart):
        folder = tmp_path / "evil"
        folder.mkdir()
        canary = tmp_path / "CANARY"

        class Canary:
            def __reduce__(self):
                return (open, (str(canary), "w"))

        (folder / "model.pkl").write_bytes(pickle.dumps(Canary()))
        from mltrack_jupyter.models.audit import digest

        ours = {
            "sha256": {"model.pkl": digest((folder / "model.pkl").read_bytes())},
            "foreign": False,
        }
        content = {
            "flavors": {"sklearn": {"pickled_model": "model.pkl"}},
            "metadata": {"mltrack": ours},
        }
        (folder / "MLmodel").write_text(yaml.safe_dump(content))
        register_model(store, folder, "evil")
        with pytest.raises(PermissionDenied):
            load_model(store, "models:/evil/1")
        assert not canary.exists()

    def test_links_out_of_it_are_not_followed(self, store, folder, tmp_path):
        (tmp_path / "secret").write_text("s")
        (folder / "link").symlink_to(tmp_path / "secret")
        with pytest.raises(InvalidParameter, match="out of"):
            register_model(store, folder, "iris")
        assert list(store.registered_models.search()) == []

    def test_without_mlmodel(self, store, tmp_path):
        (tmp_path / "empty").mkdir()
        with pytest.raises(NotFound, match="not a model"):
            register_model(store, tmp_path / "empty", "iris")


class TestAServerOfMlflow:
    """It has no operation that registers in one step; ours are asked for in its own."""

    @pytest.fixture
    def server(self, tmp_path):
        class OnlyMlflow(LocalTransport):
            def send(self, request, *, upload, download, retry):
                if request.path.startswith("/api/1/"):
                    return WireAnswer(404, b"<!doctype html><title>404 Not Found</title>")
                return super().send(request, upload=upload, download=download, retry=retry)

        services = open_store(tmp_path / "theirs")
        yield connect(OnlyMlflow(services), services.uri)
        services.close()

    def test_versions_are_made_all_the_same(self, server, tree):
        run_id = server.runs.create("0").info.run_id
        info = log_model(server, run_id, tree, registered_model_name="iris")
        assert info.registered_version.version == "1"
        options = {"alias": "champion", "stage": "Staging", "tags": {"a": "b"}, "description": "d"}
        version = register_model(server, f"runs:/{run_id}", "iris", **options)
        assert (version.source, version.run_id) == (info.model_uri, run_id)
        assert (version.aliases, version.current_stage) == (["champion"], "Staging")
        assert (version.tags, version.description) == ({"a": "b"}, "d")
        assert type(load_model(server, "models:/iris@champion")) is type(tree)

    def test_a_run_without_a_model_registers_nothing(self, server):
        run_id = server.runs.create("0").info.run_id
        with pytest.raises(NotFound, match="has no model"):
            register_model(server, f"runs:/{run_id}", "iris")
        assert list(server.registered_models.search()) == []
