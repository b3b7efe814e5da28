"""What another user may not read is told of as that, and never as not there."""

import os
import stat
import tempfile
from pathlib import Path

import pytest
from sklearn.linear_model import LinearRegression

from mltrack_jupyter.errors import NotReadable, PermissionDenied, StoreUnreadable
from mltrack_jupyter.models import load_model as load_folder
from mltrack_jupyter.models import save_model
from mltrack_jupyter.registry import load_model, log_model, register_model
from mltrack_jupyter.store import open_store
from mltrack_jupyter.testing.making import new_run
from mltrack_jupyter.tracking import downloads
from mltrack_jupyter.tracking.artifacts import RunFiles

pytestmark = pytest.mark.skipif(
    getattr(os, "geteuid", lambda: 1)() != 0, reason="only root can become another user"
)
NOBODY = 65534


@pytest.fixture
def place(tmp_path):
    """A folder that everybody may enter, also where the folder of the tests is private."""
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            folder.chmod(folder.stat().st_mode | stat.S_IXOTH | stat.S_IROTH)
    return tmp_path


@pytest.fixture
def as_nobody(place, monkeypatch):
    """Return what makes a call as another user."""

    def call(action, *arguments):
        os.setegid(NOBODY)
        os.seteuid(NOBODY)
        try:
            return action(*arguments)
        finally:
            os.seteuid(0)
            os.setegid(0)

    groups = os.getgroups()
    os.setgroups([])
    (place / "tmp").mkdir()
    (place / "tmp").chmod(0o777)
    monkeypatch.setattr(tempfile, "tempdir", str(place / "tmp"))
    yield call
    os.setgroups(groups)
    assert os.geteuid() == 0


@pytest.fixture
def private(place):
    """A folder of ours with a file, a folder, a model and a store, that nobody else may enter."""
    folder = place / "private"
    folder.mkdir()
    (folder / "file.txt").write_text("x")
    (folder / "folder").mkdir()
    (folder / "folder" / "in.txt").write_text("x")
    save_model(LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]), folder / "model")
    open_store(folder / "store").close()
    folder.chmod(0o700)
    return folder


@pytest.fixture
def taking(place):
    """A store that another user may write to, and a run of it."""
    services = open_store(place / "taking")
    run_id = new_run(services, "0").info.run_id
    for path in (place / "taking", *(place / "taking").rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    yield services, run_id
    services.close()


GIVEN = {
    "a file": ("file.txt", lambda taking, path: RunFiles.of(*taking).add(path)),
    "a folder in it": ("folder", lambda taking, path: RunFiles.of(*taking).add_content(path)),
    "the folder": ("", lambda taking, path: RunFiles.of(*taking).add_content(path)),
    "the folder as one": ("", lambda taking, path: RunFiles.of(*taking).add(path)),
    "a model": ("model", lambda taking, path: load_folder(path)),
    "a model to register": ("model", lambda taking, path: register_model(taking[0], path, "m")),
    "a download": ("file.txt", lambda taking, path: downloads._local(path, None)),
}


@pytest.mark.parametrize("what", GIVEN)
def test_what_a_user_gives(as_nobody, private, taking, what):
    name, give = GIVEN[what]
    path = Path(private / name)
    with pytest.raises(NotReadable, match="may not be read by you") as raised:
        as_nobody(give, taking, path)
    assert str(path) in str(raised.value)
    assert isinstance(raised.value, PermissionError)
    assert isinstance(raised.value, PermissionDenied)
    assert taking[0].run_artifacts.list(taking[1]).files == []


@pytest.mark.parametrize("store", ["store", "none/yet"])
def test_a_store_in_a_folder_that_cannot_be_entered(as_nobody, private, store):
    with pytest.raises(StoreUnreadable, match="may not enter") as raised:
        as_nobody(open_store, private / store)
    assert str(private) in str(raised.value)


@pytest.fixture
def course(place):
    """A store that others may read, with artifacts and a model of which some are private."""
    services = open_store(place / "course")
    run_id = new_run(services, "0").info.run_id
    files = RunFiles.of(services, run_id)
    for path in ("open.txt", "file.txt", "folder/in.txt"):
        files.write_text(path, "x")
    info = log_model(services, run_id, LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]))
    root = place / "course"
    for path in (root, *root.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    own = root / "artifacts" / "0" / run_id / "artifacts"
    (own / "file.txt").chmod(0o600)
    (own / "folder").chmod(0o700)
    (root / "artifacts" / "0" / "models" / info.model_id).chmod(0o700)
    yield services, run_id, info
    services.close()


@pytest.mark.parametrize(
    "ask",
    [
        lambda services, run_id, _: services.run_artifacts.read(run_id, "file.txt"),
        lambda services, run_id, _: services.run_artifacts.read(run_id, "folder/in.txt"),
        lambda services, run_id, _: services.run_artifacts.list(run_id, "folder"),
        lambda services, _, info: load_model(services, info.model_uri, trust=True),
        lambda services, _, info: services.logged_models.list_artifacts(info.model_id),
    ],
)
def test_an_artifact(as_nobody, course, ask):
    with pytest.raises(NotReadable, match="may not be read by you"):
        as_nobody(ask, *course)


def test_what_may_be_read_beside_it(as_nobody, course):
    services, run_id, _ = course
    with as_nobody(services.run_artifacts.read, run_id, "open.txt").file as file:
        assert file.read() == b"x"
