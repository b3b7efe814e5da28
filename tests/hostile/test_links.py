"""Links, pipes and devices below a store's files: none of them leads out, and none keeps anybody waiting."""

import io
import os
import shutil
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

import mltrack_jupyter as mltrack
from mltrack_jupyter.errors import InvalidParameter, MltrackError, NotFound
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.artifacts import LocalFiles, Locations, walked, walking

SECRET = b"TOPSECRET"


@pytest.fixture(params=["handles", "paths"])
def any_system(request, monkeypatch):
    """Once as on systems that open names in an open folder, once as on Windows."""
    if request.param == "paths":
        monkeypatch.setattr(walking, "BY_HANDLE", False)


@pytest.fixture
def outside(tmp_path):
    place = tmp_path / "outside"
    (place / "r2" / "artifacts").mkdir(parents=True)
    (place / "secret.txt").write_bytes(SECRET)
    (place / "r2" / "artifacts" / "other.txt").write_bytes(SECRET)
    return place


@pytest.fixture
def store(tmp_path):
    (tmp_path / ".mltrack" / "artifacts").mkdir(parents=True)
    services = open_store(tmp_path / ".mltrack", local_paths=False)
    yield services
    services.close()


def untouched(outside):
    names = sorted(path.relative_to(outside).as_posix() for path in outside.rglob("*"))
    assert names == ["r2", "r2/artifacts", "r2/artifacts/other.txt", "secret.txt"]
    assert (outside / "secret.txt").read_bytes() == SECRET


ABOVE = ["data", "data/runs", "data/runs/deep"]


@pytest.mark.parametrize("link", ABOVE)
def test_an_experiments_place_behind_a_link(any_system, store, tmp_path, outside, link):
    """At each level: the top of the experiment is the link, or something above it is."""
    place = tmp_path / ".mltrack" / "artifacts" / link
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(outside)
    for spelling in (f"mlflow-artifacts:/{link}", str(place), place.as_uri()):
        name = f"x{spelling}"
        store.experiments.create(name, spelling)
        for call in (
            lambda name=name: store.transfer.register_run(
                experiment=name, artifacts=[mltrack.entities.InlineFile(path="e", text="EVIL")]
            ),
            lambda name=name: read_of(store, name, "r2", "other.txt"),
        ):
            with pytest.raises(InvalidParameter, match="is a link"):
                call()
        run = store.transfer.register_run(experiment=name, run_id=f"r{len(name)}{link.count('/')}")
        files = store.files_at(run.info.artifact_uri, "")
        for call in (files.list, lambda files=files: files.write("e", io.BytesIO(b"EVIL"))):
            with pytest.raises(InvalidParameter, match="is a link"):
                call()
        store.runs.delete(run.info.run_id)
        (item,) = store.workspace.purge(run_ids=[run.info.run_id]).items
        assert (item.kept_because, item.files) == ("", 0)
    untouched(outside)


def read_of(store, experiment, run_id, path):
    try:
        store.runs.get(run_id)
    except NotFound:
        store.transfer.register_run(experiment=experiment, run_id=run_id)
    store.run_artifacts.read(run_id, path)


CALLS = {
    "list": lambda files, path: files.list(path),
    "open": lambda files, path: files.open(path),
    "open below": lambda files, path: files.open(f"{path}/secret.txt"),
    "write": lambda files, path: files.write(path, io.BytesIO(b"EVIL")),
    "write below": lambda files, path: files.write(f"{path}/new", io.BytesIO(b"EVIL")),
    "delete": lambda files, path: files.delete(path),
    "delete below": lambda files, path: files.delete(f"{path}/secret.txt"),
    "walk": lambda files, path: files.walk(path),
    "stamp below": lambda files, path: files.stamp(f"{path}/secret.txt"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("to", ["", "secret.txt", "nothing", "beside"])
def test_a_link_among_the_artifacts(any_system, tmp_path, outside, call, to):
    """To a folder, a file, nothing, and to what is below the same root."""
    root = tmp_path / "root" / "run"
    (root / "beside").mkdir(parents=True)
    (root / "beside" / "secret.txt").write_text("own")
    (root / "link").symlink_to(root / "beside" if to == "beside" else outside / to)
    files = LocalFiles(root, tmp_path / "root")
    with pytest.raises((InvalidParameter, NotFound)):
        CALLS[call](files, "link")
    assert [item.path for item in files.list()] == ["beside"]
    assert (root / "beside" / "secret.txt").read_text() == "own"
    files.remove()
    assert not root.exists()
    untouched(outside)


@pytest.mark.parametrize("level", ["store", "artifacts", "above"])
def test_the_top_may_be_a_link(any_system, tmp_path, level):
    """Users keep a store, or its artifacts, on a large disk."""
    disk = tmp_path / "disk"
    disk.mkdir()
    home = tmp_path / "home"
    link = {"store": home / ".mltrack", "artifacts": home / ".mltrack" / "artifacts", "above": home}
    link[level].parent.mkdir(parents=True, exist_ok=True)
    link[level].symlink_to(disk)
    services = open_store(home / ".mltrack", local_paths=False)
    number = services.experiments.create("e", str(home / ".mltrack" / "artifacts" / "own"))
    for experiment in ("0", number):
        run = services.runs.create(experiment).info
        files = services.files_at(run.artifact_uri, run.run_id)
        files.write("a/b", io.BytesIO(b"x"))
        assert [item.path for item in files.list()] == ["a"]
        services.runs.delete(run.run_id)
        (item,) = services.workspace.purge(run_ids=[run.run_id]).items
        assert item.files == 1
    assert list(disk.rglob("b")) == []
    services.close()


def test_a_place_that_the_user_chose_is_its_own_top(any_system, tmp_path, outside):
    services = open_store(tmp_path / ".mltrack")
    chosen = tmp_path / "chosen"
    chosen.symlink_to(tmp_path / "disk")
    (tmp_path / "disk").mkdir()
    run = services.runs.create(services.experiments.create("e", str(chosen))).info
    files = services.files_at(run.artifact_uri, run.run_id)
    files.write("f", io.BytesIO(b"x"))
    assert (tmp_path / "disk" / run.run_id / "artifacts" / "f").exists()
    other = services.runs.create(run.experiment_id).info
    (chosen / other.run_id).symlink_to(outside)
    with pytest.raises(InvalidParameter, match="is a link"):
        services.files_at(other.artifact_uri, other.run_id).write("f", io.BytesIO(b"x"))
    untouched(outside)
    services.close()


@pytest.mark.parametrize("path", ["..", "../outside", "a/../../outside", "/etc"])
def test_a_row_with_a_way_out(tmp_path, path):
    locations = Locations(tmp_path / "top", local_paths=False)
    with pytest.raises(InvalidParameter):
        locations.files(f"{tmp_path}/top/{path}" if path != "/etc" else path).list()
    with pytest.raises(InvalidParameter):
        locations.files(f"mlflow-artifacts:/{path}")


@pytest.mark.skipif(not walking.BY_HANDLE, reason="this system goes by paths")
def test_a_folder_that_is_swapped_for_a_link_all_the_time(tmp_path, outside):
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    files, stop = LocalFiles(root), threading.Event()

    def swap():
        while not stop.is_set():
            with suppress(OSError):  # the writer makes the folder anew while it is away
                (root / "folder").rename(root / "aside")
                (root / "folder").symlink_to(outside)
                (root / "folder").unlink()
                (root / "aside").rename(root / "folder")
                continue
            shutil.rmtree(root / "aside", ignore_errors=True)

    thread = threading.Thread(target=swap)
    thread.start()
    until, wrote = time.monotonic() + 1.5, 0
    while time.monotonic() < until:
        try:
            files.write("folder/new.txt", io.BytesIO(b"EVIL"))
            wrote += 1
            files.open("folder/secret.txt").file.close()
            raise AssertionError("the secret was read")
        except MltrackError:
            continue
    stop.set()
    thread.join()
    assert wrote
    untouched(outside)


def test_names_of_folders_are_names(tmp_path):
    for name in ("", ".", "..", "a/b"):
        with pytest.raises(InvalidParameter), walked(tmp_path, [name]):
            pass


ODD = ["pipe", "socket", "device"]


@pytest.fixture(params=ODD)
def odd(request, tmp_path):
    """A thing that is no file, below a root."""
    place = tmp_path / "root" / "odd"
    place.parent.mkdir()
    bound = None
    if request.param == "pipe":
        os.mkfifo(place)
    elif request.param == "socket":
        bound = socket.socket(socket.AF_UNIX)
        here = Path.cwd()
        os.chdir(place.parent)  # the whole path may be too long for a socket
        bound.bind("odd")
        os.chdir(here)
    else:
        if os.geteuid() != 0:
            pytest.skip("only root makes devices")
        try:
            os.mknod(place, 0o600 | 0o020000, os.makedev(1, 5))  # /dev/zero
        except OSError as error:
            pytest.skip(f"no devices here: {error}")
    yield place
    if bound is not None:
        bound.close()


@pytest.mark.timeout(60)
def test_what_is_no_file_is_no_artifact(any_system, odd):
    files = LocalFiles(odd.parent)
    (odd.parent / "good").write_text("x")
    assert [item.path for item in files.list()] == ["good"]
    for call in (
        lambda: files.open("odd"),
        lambda: files.write("odd", io.BytesIO(b"x")),
    ):
        with pytest.raises(InvalidParameter, match=r"'odd' is a (pipe|socket|device)"):
            call()
    files.remove()
    assert not odd.exists()


@pytest.mark.timeout(60)
def test_what_is_no_file_is_not_logged(tmp_path, odd):
    mltrack.set_tracking_uri(tmp_path / ".mltrack")
    (odd.parent / "good").write_text("x")
    with mltrack.start_run() as run:
        with pytest.raises(InvalidParameter, match=r"odd' is a (pipe|socket|device)"):
            mltrack.log_artifact(odd)
        with pytest.warns(UserWarning, match="'odd'"):
            mltrack.log_artifacts(odd.parent)
    assert [item.path for item in mltrack.artifacts.list_artifacts(run_id=run.info.run_id)] == [
        "good"
    ]
