"""A victim's store, and an attacker who may write to it but has not got the victim's key."""

import contextlib
import io
import pickle
import sqlite3

import pytest
import yaml

from mltrack_jupyter.entities import ModelRecord
from mltrack_jupyter.errors import MltrackError
from mltrack_jupyter.models import audit
from mltrack_jupyter.privacy.seals import Subject, seal_files
from mltrack_jupyter.registry import load_model, log_model
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.remote import connect
from mltrack_jupyter.store.transport import LocalTransport


class Canary:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, "w"))


class Scene:
    """A store, the victim's model in it, and the attacker's pickle."""

    def __init__(self, folder, monkeypatch):
        from sklearn.tree import DecisionTreeClassifier

        self.folder = folder
        self.monkeypatch = monkeypatch
        monkeypatch.setenv("MLTRACK_STATE_DIR", str(folder / "victim"))
        for name in (audit.TRUST_VARIABLE, audit.TYPES_VARIABLE):
            monkeypatch.delenv(name, raising=False)
        self.canary = folder / "CANARY"
        self.evil = pickle.dumps(Canary(self.canary))
        self.store = folder / ".mltrack"
        self.victim = open_store(self.store)
        self.wire = connect(LocalTransport(self.victim), "https://hub.example")
        self.run_id = self.victim.runs.create("0").info.run_id
        self.tree = DecisionTreeClassifier(max_depth=3).fit([[0], [1]], [0, 1])
        self.info = log_model(self.victim, self.run_id, self.tree, registered_model_name="iris")
        self.other = log_model(
            self.victim, self.run_id, DecisionTreeClassifier().fit([[0], [1]], [0, 1]), "other"
        )
        self.victim.registered_models.set_alias("iris", "champion", "1")

    # --- what the attacker has --------------------------------------------------------------------

    @property
    def run_root(self):
        return self.wire.runs.get(self.run_id).info.artifact_uri.partition(":/")[2]

    def place(self, info=None):
        info = info or self.info
        model = self.wire.logged_models.get(info.model_id).info
        return model.artifact_uri.partition(":/")[2]

    def on_disk(self, info=None):
        return self.store / "artifacts" / self.place(info)

    def put(self, path, content=None):
        self.wire.artifact_files.upload(path, io.BytesIO(content or self.evil))

    @property
    def mlmodel(self):
        """What a folder says of itself that claims whatever can be claimed."""
        about = yaml.safe_load((self.on_disk() / "MLmodel").read_text())
        about["metadata"]["mltrack"]["sha256"] = {"model.pkl": audit.digest(self.evil)}
        return yaml.safe_dump(about).encode()

    def forged(self, info=None):
        """Return ``MLmodel`` with a seal by the attacker's own key."""
        info = info or self.info
        about = yaml.safe_load(self.mlmodel)
        digests = {"model.pkl": audit.digest(self.evil)}
        with self.monkeypatch.context() as attacker:
            attacker.setenv("MLTRACK_STATE_DIR", str(self.folder / "attacker"))
            subject = Subject(info.run_id, info.model_id, info.artifact_path)
            about["metadata"]["mltrack"]["seals"] = seal_files(subject, digests)
        return yaml.safe_dump(about).encode()

    def sql(self, statement, *values):
        with contextlib.closing(sqlite3.connect(self.store / "mltrack.db")) as database, database:
            database.execute(statement, values)

    def record(self, **more):
        return ModelRecord(
            artifact_path="model", digests={"model.pkl": audit.digest(self.evil)}, **more
        )

    # --- what the victim does ---------------------------------------------------------------------

    def load(self, *uris):
        """Load by every name, in a process that has written nothing; return what came of each."""
        self.monkeypatch.setattr(audit, "_written", set())
        names = uris or (
            "models:/iris/1", "models:/iris@champion", "models:/iris/latest", self.info.model_uri,
            f"runs:/{self.run_id}/model", f"runs:/{self.run_id}", f"mlflow-artifacts:/{self.place()}",
        )  # fmt: skip
        found = {}
        for name in names:
            ways = [(self.wire, "pyfunc"), (self.victim, None)]
            for services, flavor in ways[name != names[0] :]:
                try:
                    found[name] = load_model(services, name, flavor=flavor)
                except MltrackError as error:
                    found[name] = error
        assert not self.canary.exists(), "CODE EXECUTED"
        return found


@pytest.fixture
def scene(tmp_path, monkeypatch):
    scene = Scene(tmp_path, monkeypatch)
    yield scene
    scene.victim.close()


def forget_digests(scene):
    scene.sql("DELETE FROM artifact_digests")


def file_replaced(scene):
    (scene.on_disk() / "model.pkl").write_bytes(scene.evil)


def file_and_claims_replaced(scene):
    forged = scene.forged()
    file_replaced(scene)
    (scene.on_disk() / "MLmodel").write_bytes(forged)
    forget_digests(scene)


def everything_said_in_the_database_too(scene):
    file_and_claims_replaced(scene)
    tag = scene.record(model_id=scene.info.model_id).to_tag()
    scene.sql("UPDATE tags SET value = ? WHERE key = 'mltrack.model'", tag)
    scene.sql("DELETE FROM tags WHERE key = 'mlflow.log-model.history'")
