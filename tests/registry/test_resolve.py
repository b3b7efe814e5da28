import io
import stat
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from mltrack_jupyter.entities import FileInfo, FileList
from mltrack_jupyter.errors import InvalidParameter, NotFound, Unavailable
from mltrack_jupyter.models import load_model as load_folder
from mltrack_jupyter.models import save_model
from mltrack_jupyter.registry import download_model, load_model, log_model, register_model
from mltrack_jupyter.registry.trees import download_tree
from mltrack_jupyter.services import Download
from mltrack_jupyter.store.artifacts import RunServed, files_of_server
from mltrack_jupyter.testing.making import below_root


@pytest.fixture
def iris_model(store, run_id, tree):
    """Versions 1 (Archived), 2 (Production, champion) and 3 of 'iris'."""
    uri = log_model(store, run_id, tree).model_uri
    register_model(store, uri, "iris", stage="Archived")
    register_model(store, uri, "iris", stage="Production", alias="champion")
    register_model(store, uri, "iris")
    return "iris"


@pytest.mark.parametrize(
    ("uri", "version"),
    [
        ("models:/iris/1", "1"),
        ("models:/iris/Production", "2"),
        ("models:/iris/production", "2"),
        ("models:/iris@champion", "2"),
        ("models:/iris/latest", "3"),
        ("models:/iris@latest", "3"),
        ("models:/iris/None", "3"),
    ],
)
def test_every_way_to_name_a_version(store, iris_model, run_id, tmp_path, uri, version):
    local = download_model(uri, store, tmp_path / "here")
    assert local.version.version == version
    assert (local.run_id, local.artifact_path) == (run_id, "model")
    assert (local.path / "MLmodel").is_file()
    assert local.path.parent == tmp_path / "here"


@pytest.mark.parametrize(
    ("uri", "error", "reason"),
    [
        ("models:/iris@champoin", InvalidParameter, "no alias 'champoin'; its aliases: champion"),
        ("models:/iris/7", NotFound, r"no version 7; the newest of each stage are: 1 \(Archived\)"),
        ("models:/iris/Staging", NotFound, r"no version in the stage Staging; .*2 \(Production\)"),
        ("models:/rose/1", NotFound, "no registered model 'rose'; registered are: iris"),
        ("models:/rose@champion", NotFound, "registered are: iris"),
        ("models:/rose/latest", NotFound, "registered are: iris"),
        ("models:/m-" + "0" * 32, NotFound, "Logged model"),
        ("runs:/" + "0" * 32 + "/model", NotFound, "0000"),
    ],
)
def test_what_is_not_there_is_answered_with_what_is(store, iris_model, uri, error, reason):
    with pytest.raises(error, match=reason):
        download_model(uri, store)


def test_a_registered_model_without_versions(store):
    store.registered_models.create("empty")
    with pytest.raises(NotFound, match="no version; it has no versions at all"):
        download_model("models:/empty/latest", store)


def test_a_folder_of_a_run_that_is_no_model(store, run_id, tree):
    root = below_root(store.runs.get(run_id).info.artifact_uri)
    with pytest.raises(NotFound, match=f"The run {run_id} has no model"):
        download_model(f"runs:/{run_id}", store)
    store.artifact_files.upload(f"{root}/plots/roc.png", io.BytesIO(b"png"))
    with pytest.raises(NotFound, match="no 'MLmodel' in 'plots'; it has no models"):
        download_model(f"runs:/{run_id}/plots", store)
    log_model(store, run_id, tree)
    with pytest.raises(NotFound, match="no artifacts at 'modell'; its models are at model"):
        download_model(f"runs:/{run_id}/modell", store)


def test_a_download_is_private_and_load_model_leaves_nothing(
    store, iris_model, tmp_path, monkeypatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    (tmp_path / "temp").mkdir()
    local = download_model("models:/iris/1", store)
    assert stat.S_IMODE(local.path.stat().st_mode) == 0o700
    before = set((tmp_path / "temp").iterdir())
    load_model(store, "models:/iris/1")
    assert set((tmp_path / "temp").iterdir()) == before == {local.path}


def test_pyfunc_by_uri(store, iris_model, iris):
    for flavor in ("pyfunc", "python_function"):
        model = load_model(store, "models:/iris@champion", flavor=flavor)
        assert len(model.predict(iris[0])) == 150
    assert load_model(store, "models:/iris@champion", flavor="sklearn")


def test_a_folder_of_this_machine_is_used_where_it_is(store, tree, tmp_path):
    save_model(tree, tmp_path / "my model")
    for uri in (
        tmp_path / "my model",
        str(tmp_path / "my model"),
        (tmp_path / "my model").as_uri(),
    ):
        local = download_model(uri, store)
        assert local.path == tmp_path / "my model"
        assert load_folder(local.path, origin=local.origin)
    assert load_model(store, tmp_path / "my model")


def test_the_store_s_own_uris(store, run_id, tree, restart):
    log_model(store, run_id, tree)
    uri = store.runs.get(run_id).info.artifact_uri + "/model"
    assert download_model(uri, store).path.is_dir()


@pytest.fixture
def logged_model(store, run_id, tree, tmp_path):
    """A logged model as MLflow 3 makes one: an id, and files below its own root."""
    save_model(tree, tmp_path / "m")
    info = store.logged_models.create("0", name="tree", source_run_id=run_id).info
    root = below_root(info.artifact_uri)
    for path in (tmp_path / "m").iterdir():
        with path.open("rb") as file:
            store.artifact_files.upload(f"{root}/{path.name}", file)
    return info.model_id


def test_a_logged_model(store, logged_model, tree):
    assert type(load_model(store, f"models:/{logged_model}")) is type(tree)


def test_a_version_of_a_logged_model(store, logged_model, tree, run_id):
    version = register_model(store, f"models:/{logged_model}", "tree")
    assert (version.model_id, version.run_id) == (logged_model, run_id)
    assert type(load_model(store, "models:/tree/1")) is type(tree)


class TestFilesOutsideOfRuns:
    """What a version can point at, in a store whose owner may name any place."""

    @pytest.fixture
    def version(self, store, tree, tmp_path):
        save_model(tree, tmp_path / "m")
        store.registered_models.create("iris")
        store.model_versions.create("iris", str(tmp_path / "m"))
        return "models:/iris/1"

    def test_a_folder_of_the_user(self, store, version, tree):
        assert type(load_model(store, version)) is type(tree)

    def test_a_server_cannot_name_one(self, store, version):
        server = replace(store, uri="https://hub.example")
        server = replace(server, files_at=partial(files_of_server, server))
        with pytest.raises(InvalidParameter, match="not reached from here"):
            load_model(server, version, trust=True)

    def test_a_place_that_nothing_reads_says_so(self, store):
        store.registered_models.create("far")
        store.model_versions.create("far", "dbfs:/model")
        with pytest.raises(InvalidParameter, match=r"Nothing here keeps|not reached|not read"):
            load_model(store, "models:/far/1")

    def test_a_folder_without_mlmodel(self, store, tmp_path):
        store.registered_models.create("empty")
        store.model_versions.create("empty", str(tmp_path))
        with pytest.raises(NotFound, match="has no file 'MLmodel'"):
            load_model(store, "models:/empty/1")


class Paged:
    """The artifacts of a run on a server that answers in pages, as MLflow's may."""

    def list(self, run_id, path="", page_token=""):
        number = int(page_token or 0)
        files = [FileInfo(path=f"model/{number}", is_dir=False)]
        return FileList(files=files, next_page_token=str(number + 1) if number < 2 else "")


def test_every_page_of_a_listing_is_read():
    assert [item.path for item in RunServed(Paged(), "x").list("model")] == ["0", "1", "2"]


class Hostile:
    """A server that names files as it likes."""

    def __init__(self, *names, size=1, is_dir=False):
        self.names, self.size, self.is_dir = names, size, is_dir

    def list(self, path=""):
        return [FileInfo(path=name, is_dir=self.is_dir) for name in self.names]

    def open(self, path):
        return Download(io.BytesIO(b"x"), path, self.size)


@pytest.mark.parametrize(
    "name", ["../x", "/etc/x", "a/b", "..", ".", "", "a\\b", "C:x", "x\x00", "%2e%2e", "file:/x"]
)
def test_names_of_a_server_cannot_leave_the_folder(tmp_path, name):
    (tmp_path / "target").mkdir()
    with pytest.raises(InvalidParameter):
        download_tree(Hostile(name), "model", tmp_path / "target")
    assert [path.name for path in tmp_path.rglob("*")] == ["target"]


def test_a_name_that_is_listed_twice(tmp_path):
    with pytest.raises(InvalidParameter, match="listed twice"):
        download_tree(Hostile("x", "x"), "model", tmp_path)


def test_a_file_that_arrives_short(tmp_path):
    with pytest.raises(Unavailable, match="1 bytes instead of 2"):
        download_tree(Hostile("x", size=2), "model", tmp_path)


def test_a_tree_without_a_bottom(tmp_path):
    with pytest.raises(InvalidParameter, match="levels deep"):
        download_tree(Hostile("x", is_dir=True), "model", tmp_path)


def test_a_listing_of_a_run_drops_what_is_not_below(store, run_id, tree):
    log_model(store, run_id, tree)
    names = {item.path for item in RunServed(store.run_artifacts, run_id).list("model")}
    assert "MLmodel" in names
    assert all("/" not in name for name in names)
    assert Path("model").name in {
        item.path for item in RunServed(store.run_artifacts, run_id).list()
    }
