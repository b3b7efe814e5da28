"""Whoever logs a model is interrupted at any moment: the model is there with all its files, or not at all."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from mltrack_jupyter.errors import MltrackError, StoreUnreadable, Unavailable
from mltrack_jupyter.registry import load_model, log_model
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.artifacts.files import UNNOTED
from mltrack_jupyter.store.sql import adding_models
from mltrack_jupyter.store.sql.database import Database

pytest.importorskip("sklearn")


@pytest.fixture
def store(tmp_path):
    services = open_store(tmp_path / ".mltrack")
    yield services
    services.close()


@pytest.fixture
def model():
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(max_depth=3).fit([[0], [1]], [0, 1])


def folders(tmp_path):
    return sorted((tmp_path / ".mltrack" / "artifacts").glob("0/models/m-*"))


def interrupted_in_the_transaction(monkeypatch):
    """Press Ctrl-C while the rows are written: it is delivered when they are there."""
    real = adding_models.note_model

    def note(*given):
        os.kill(os.getpid(), signal.SIGINT)
        return real(*given)

    monkeypatch.setattr(adding_models, "note_model", note)
    return KeyboardInterrupt


def interrupted_after_it(monkeypatch):
    real = adding_models.retried

    def done(call):
        def interrupted():
            real(call)()
            raise KeyboardInterrupt

        return interrupted

    monkeypatch.setattr(adding_models, "retried", done)
    return KeyboardInterrupt


def the_answer_of_the_database_lost(monkeypatch):
    real = adding_models.retried

    def done(call):
        def lost():
            real(call)()
            raise Unavailable("the connection was lost")

        return lost

    monkeypatch.setattr(adding_models, "retried", done)
    return Unavailable


def the_database_gone_as_well(monkeypatch):
    """Then nobody knows whether the model is there, and its files stay."""
    the_answer_of_the_database_lost(monkeypatch)
    real = Database.read

    def read(self):
        raise StoreUnreadable("it is away")

    def is_known(self, model_id):
        with monkeypatch.context() as away:
            away.setattr(Database, "read", read)
            return known(self, model_id)

    known = adding_models.ModelAdder._is_known
    monkeypatch.setattr(adding_models.ModelAdder, "_is_known", is_known)
    assert real is Database.read
    return Unavailable


AFTER = [
    interrupted_in_the_transaction, interrupted_after_it, the_answer_of_the_database_lost,
    the_database_gone_as_well,
]  # fmt: skip


@pytest.mark.parametrize("how", AFTER, ids=lambda how: how.__name__)
def test_a_model_that_is_in_the_store_keeps_its_files(store, model, tmp_path, monkeypatch, how):
    assert threading.current_thread() is threading.main_thread()
    run = store.runs.create("0").info
    with monkeypatch.context() as patched, pytest.raises(how(patched)):
        log_model(store, run.run_id, model, run=run)
    (found,) = store.logged_models.search(["0"]).items
    assert len(folders(tmp_path)) == 1
    assert load_model(store, f"models:/{found.model_id}").max_depth == 3
    assert load_model(store, f"runs:/{run.run_id}/model").max_depth == 3


def before_the_rows(monkeypatch, error):
    def note(*_given):
        raise error

    monkeypatch.setattr(adding_models, "_note", note)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Unavailable("no"), OSError("no")])
def test_a_model_that_is_not_there_leaves_no_files(store, model, tmp_path, monkeypatch, error):
    run = store.runs.create("0").info
    with monkeypatch.context() as patched:
        before_the_rows(patched, error)
        with pytest.raises((KeyboardInterrupt, MltrackError, OSError)):
            log_model(store, run.run_id, model, run=run)
    assert store.logged_models.search(["0"]).items == []
    assert [place for folder in folders(tmp_path) for place in folder.rglob("*")] == []


KILLED = """
import os, sys, signal
from sklearn.tree import DecisionTreeClassifier
from mltrack_jupyter.registry import log_model
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.artifacts.files import UNNOTED
from mltrack_jupyter.store.sql import adding_models
from mltrack_jupyter.store.sql.run_artifacts import RecordedFiles

moment = sys.argv[2]
if moment == "between the files":
    real = RecordedFiles.write_new
    RecordedFiles.write_new = lambda *given: (real(*given), os.kill(os.getpid(), signal.SIGKILL))
elif moment == "before the rows":
    adding_models._note = lambda *given: os.kill(os.getpid(), signal.SIGKILL)
else:
    real = adding_models.retried
    adding_models.retried = lambda call: lambda: (real(call)(), os.kill(os.getpid(), signal.SIGKILL))
store = open_store(sys.argv[1])
run = store.runs.create("0").info
log_model(store, run.run_id, DecisionTreeClassifier(max_depth=3).fit([[0], [1]], [0, 1]), run=run)
"""


@pytest.mark.parametrize("moment", ["between the files", "before the rows", "after the rows"])
def test_who_is_killed_leaves_a_whole_model_or_what_is_collected(store, tmp_path, moment):
    place = tmp_path / ".mltrack"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(place), moment], check=False)
    assert killed.returncode == -signal.SIGKILL
    found = store.logged_models.search(["0"]).items
    assert len(found) == (moment == "after the rows")
    (folder,) = folders(tmp_path)
    (note,) = folder.rglob(UNNOTED)
    store.workspace.purge([])
    assert folder.exists()  # somebody may still be bringing it
    assert note.exists() is not bool(found)
    if found:
        assert load_model(store, f"models:/{found[0].model_id}").max_depth == 3
        assert [item.path for item in store.files_at(found[0].info.artifact_uri, "").list()]
        return
    os.utime(note, (1, 1))
    store.workspace.purge([])
    assert not folder.exists()


def test_nothing_is_collected_but_what_bears_the_note(store, model, tmp_path):
    """Files that lie there without one are somebody's: of a database of which an older copy was put back."""
    run = store.runs.create("0").info
    info = log_model(store, run.run_id, model, run=run)
    models = tmp_path / ".mltrack" / "artifacts" / "0" / "models"
    kept = [models / ("m-" + "a" * 32), models / "m-notes", models / ("m-" + "b" * 32)]
    outside = tmp_path / "outside" / "artifacts"
    outside.mkdir(parents=True)
    for place in (*(place / "artifacts" for place in kept[:2]), outside):
        place.mkdir(parents=True, exist_ok=True)
        (place / "model.pkl").write_bytes(b"x")
    kept[2].symlink_to(outside.parent)
    for place in (kept[1] / "artifacts", outside):
        (place / UNNOTED).touch()
        os.utime(place / UNNOTED, (1, 1))
    before = sorted(tmp_path.rglob("*.pkl"))
    store.workspace.purge([])
    assert sorted(tmp_path.rglob("*.pkl")) == before
    assert load_model(store, info.model_uri).max_depth == 3
    assert UNNOTED not in [
        path.name for path in tmp_path.glob(".mltrack/**/*") if "notes" not in str(path)
    ]
