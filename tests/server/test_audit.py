"""Who wrote what: every write is in the change feed, with the name of whoever is signed in."""

import contextvars
import hashlib
import io
import os

import httpx
import pytest
from msgspec.structs import replace

from mltrack_jupyter.config import user_name
from mltrack_jupyter.entities import (
    Dataset,
    DatasetInput,
    Experiment,
    LoggedModel,
    LoggedModelData,
    LoggedModelInfo,
    LoggedModelStatus,
    ModelOutput,
    ModelRecord,
    MultipartUpload,
    MultipartUploadPart,
    NewRun,
    Param,
    Process,
    RegisteredModel,
    Run,
    RunData,
    RunEntry,
    RunInfo,
    RunStatus,
    Tag,
)
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.services.dispatch import routes
from mltrack_jupyter.services.operation import actor
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.artifacts.multipart import Multipart
from mltrack_jupyter.store.process import present
from mltrack_jupyter.store.sql import change_log
from mltrack_jupyter.testing.making import NOW, new_experiment, new_model, new_run, root_of, unique

EVE = "eve"
"""The name that a caller writes wherever there is a field for one."""
PROCESS = Process(process_id="p", host="elsewhere", boot_id="b", pid=1, started=1)
DATA = DatasetInput(dataset=Dataset(name="d", digest="1", source_type="x", source="x"))


class World:
    """A store with one of each kind of thing."""

    def __init__(self, services):
        self.services = services
        self.experiment = new_experiment(services)
        self.run = new_run(services, self.experiment, tags={"t": "1"})
        self.run_id = self.run.info.run_id
        services.experiments.set_tag(self.experiment, "t", "1")
        self.model_id = services.logged_models.create(
            self.experiment, "m", source_run_id=self.run_id, tags=[Tag("t", "1")]
        ).info.model_id
        self.name = new_model(services, versions=1)
        services.registered_models.set_tag(self.name, "t", "1")
        services.registered_models.set_alias(self.name, "a", "1")
        services.model_versions.set_tag(self.name, "1", "t", "1")
        self.path = f"{root_of(self.run)}/f.txt"
        services.artifact_files.upload(self.path, io.BytesIO(b"before"))

    @property
    def version(self):
        return self.services.model_versions.get(self.name, "1")

    def deleted(self):
        """Return a run in the trash."""
        run = new_run(self.services, self.experiment)
        self.services.runs.delete(run.info.run_id)
        return run.info.run_id

    def shared(self):
        """Return the digest of a file that runs may share."""
        digest, body = digested()
        self.services.run_artifacts.put_shared(digest, body)
        return digest

    def leased(self, process):
        """Return a run that a process writes."""
        run = new_run(self.services, self.experiment)
        self.services.leases.take(run.info.run_id, process)
        return run.info.run_id


def digested():
    """Return the SHA-256 of a new text, and the text."""
    return hashlib.sha256(text := unique().encode()).hexdigest(), io.BytesIO(text)


def whole_run(world, run_id):
    info = RunInfo(
        run_id=run_id,
        experiment_id=world.experiment,
        user_id=EVE,
        status=RunStatus.FINISHED,
        start_time=NOW,
    )
    return Run(info=info, data=RunData(tag_list=[Tag("mlflow.user", EVE)]))


def entry(world, **what):
    return [RunEntry(run_id=world.run_id, **what)]


def gone(**known):
    """Return a process of this machine that is gone."""
    return replace(present(), process_id=unique("p"), started=1, **known)


# What each operation that writes is asked for here. A new one must be added; see the test below.
OLD_MODEL = '{"artifact_path": "m", "flavors": {}, "utc_time_created": "", "run_id": ""}'
WRITES = {
    "experiments.create": lambda w, s: s.create(unique()),
    "experiments.update": lambda w, s: s.update(w.experiment, unique()),
    "experiments.delete": lambda w, s: s.delete(w.experiment),
    "experiments.restore": lambda w, s: (s.delete(w.experiment), s.restore(w.experiment)),
    "experiments.set_tag": lambda w, s: s.set_tag(w.experiment, "mlflow.user", EVE),
    "experiments.delete_tag": lambda w, s: s.delete_tag(w.experiment, "t"),
    "runs.create": lambda w, s: s.create(w.experiment, user_id=EVE, tags=[Tag("mlflow.user", EVE)]),
    "runs.update": lambda w, s: s.update(w.run_id, RunStatus.FINISHED),
    "runs.delete": lambda w, s: s.delete(w.run_id),
    "runs.restore": lambda w, s: s.restore(w.deleted()),
    "runs.log_metric": lambda w, s: s.log_metric(w.run_id, "m", 1.0, NOW),
    "runs.log_param": lambda w, s: s.log_param(w.run_id, "p", "1"),
    "runs.set_tag": lambda w, s: s.set_tag(w.run_id, "mlflow.user", EVE),
    "runs.delete_tag": lambda w, s: s.delete_tag(w.run_id, "t"),
    "runs.log_batch": lambda w, s: s.log_batch(w.run_id, tags=[Tag("mlflow.user", EVE)]),
    "runs.log_inputs": lambda w, s: s.log_inputs(w.run_id, [DATA]),
    "runs.log_outputs": lambda w, s: s.log_outputs(w.run_id, [ModelOutput(w.model_id)]),
    "runs.log_model": lambda w, s: s.log_model(w.run_id, OLD_MODEL),
    "logged_models.create": lambda w, s: s.create(w.experiment, "n"),
    "logged_models.note": lambda w, s: s.note(w.run_id, ModelRecord(artifact_path="m")),
    "logged_models.finalize": lambda w, s: s.finalize(w.model_id, LoggedModelStatus.READY),
    "logged_models.delete": lambda w, s: s.delete(w.model_id),
    "logged_models.restore": lambda w, s: (s.delete(w.model_id), s.restore(w.model_id)),
    "logged_models.set_tags": lambda w, s: s.set_tags(w.model_id, [Tag("a", "b")]),
    "logged_models.delete_tag": lambda w, s: s.delete_tag(w.model_id, "t"),
    "logged_models.log_params": lambda w, s: s.log_params(w.model_id, [Param("a", "b")]),
    "registered_models.create": lambda w, s: s.create(unique()),
    "registered_models.rename": lambda w, s: s.rename(w.name, unique()),
    "registered_models.update": lambda w, s: s.update(w.name, "text"),
    "registered_models.delete": lambda w, s: s.delete(w.name),
    "registered_models.set_tag": lambda w, s: s.set_tag(w.name, "a", "b"),
    "registered_models.delete_tag": lambda w, s: s.delete_tag(w.name, "t"),
    "registered_models.set_alias": lambda w, s: s.set_alias(w.name, "b", "1"),
    "registered_models.delete_alias": lambda w, s: s.delete_alias(w.name, "a"),
    "registered_models.register": lambda w, s: s.register(unique(), w.run_id, "model"),
    "model_versions.create": lambda w, s: s.create(
        w.name, f"runs:/{w.run_id}/m", run_id=w.run_id, tags=[Tag("mlflow.user", EVE)]
    ),
    "model_versions.update": lambda w, s: s.update(w.name, "1", "text"),
    "model_versions.transition_stage": lambda w, s: s.transition_stage(w.name, "1", "Production"),
    "model_versions.delete": lambda w, s: s.delete(w.name, "1"),
    "model_versions.set_tag": lambda w, s: s.set_tag(w.name, "1", "a", "b"),
    "model_versions.delete_tag": lambda w, s: s.delete_tag(w.name, "1", "t"),
    "run_artifacts.upload": lambda w, s: s.upload(io.BytesIO(b"x"), w.run_id, "g.txt"),
    "run_artifacts.share": lambda w, s: s.share(w.run_id, {"e.txt": w.shared()}),
    "run_artifacts.put_shared": lambda w, s: s.put_shared(*digested()),
    "artifact_files.upload": lambda w, s: s.upload(w.path, io.BytesIO(b"after")),
    "artifact_files.delete": lambda w, s: s.delete(w.path),
    "artifact_files.create_upload": lambda w, s: s.create_upload("0/x/artifacts", "big", 2),
    "artifact_files.complete_upload": lambda w, s: s.complete_upload(
        "0/x/artifacts", "big", "id", [MultipartUploadPart(part_number=1, etag="e")]
    ),
    "artifact_files.abort_upload": lambda w, s: s.abort_upload("0/x/artifacts", "big", "id"),
    "workspace.purge": lambda w, s: s.purge([w.deleted()]),
    "transfer.import_experiment": lambda w, s: s.import_experiment(
        Experiment(
            experiment_id=w.experiment, tag_list=[Tag("mlflow.user", EVE)],
            name=w.services.experiments.get(w.experiment).name,
        )
    ),
    "transfer.import_run": lambda w, s: s.import_run(whole_run(w, w.run_id)),
    "transfer.import_logged_model": lambda w, s: s.import_logged_model(
        LoggedModel(
            info=LoggedModelInfo(
                model_id=w.model_id, experiment_id=w.experiment, name="other",
                creation_timestamp_ms=1, last_updated_timestamp_ms=1, artifact_uri="",
                status=LoggedModelStatus.READY,
            ),
            data=LoggedModelData(),
        )
    ),
    "transfer.import_registered_model": lambda w, s: s.import_registered_model(
        RegisteredModel(name=w.name, tag_list=[Tag("mlflow.user", EVE)])
    ),
    "transfer.import_model_version": lambda w, s: s.import_model_version(
        replace(w.version, tag_list=[Tag("mlflow.user", EVE)])
    ),
    "transfer.mark": lambda w, s: s.mark("run", {w.run_id: "seen"}),
    "transfer.register_run": lambda w, s: s.register_run(
        user_id=EVE, tags={"mlflow.user": EVE, "actor": EVE}
    ),
    "journals.append": lambda w, s: (
        s.append(unique("j"), 0, 1, entry(w, tags=[Tag("mlflow.user", EVE)])),
        s.append(unique("j"), 0, 1, [
            RunEntry(run_id=unique(), new=NewRun(experiment_id="0", user_id=EVE, start_time=NOW))
        ]),
        s.append(unique("j"), 0, 1_000_000, []),
    ),
    "journals.forget": lambda w, s: (s.append("j", 0, 1, []), s.forget("j")),
    "leases.take": lambda w, s: s.take(w.run_id, PROCESS),
    "leases.reap": lambda w, s: (w.leased(gone()), s.reap()),
    "leases.end_kernel": lambda w, s: (w.leased(gone(kernel_id="k")), s.end_kernel("k", "gone")),
}  # fmt: skip
UNTOLD = {"leases.renew": "a heartbeat every 15 seconds, which changes nothing that is asked for"}


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "mltrack_jupyter.store.sql.run_artifacts.Reach.multipart", lambda _: Parts()
    )
    services = open_store(tmp_path / "store", local_paths=False)
    yield World(services)
    services.close()


class Parts(Multipart):
    """Multipart uploads to an object store that takes everything."""

    def __init__(self):
        pass

    def create(self, path, parts):
        return MultipartUpload(upload_id="id", credentials=[])

    def complete(self, path, upload_id, parts):
        pass

    def abort(self, path, upload_id):
        pass


def test_no_operation_that_writes_is_forgotten():
    declared = {
        f"{route.service}.{route.operation.name}" for route in routes() if not route.operation.safe
    }
    assert declared == WRITES.keys() | UNTOLD.keys()


@pytest.mark.parametrize("name", WRITES)
def test_a_write_leaves_a_trace_with_the_name_of_its_author(world, name):
    services = world.services
    service, _, _ = name.partition(".")
    before = services.workspace.changes().last
    context = contextvars.copy_context()
    context.run(actor.set, "ada")
    context.run(WRITES[name], world, getattr(services, service))
    found = services.workspace.changes(before, 10_000).changes
    assert found
    assert {change.actor for change in found} == {"ada"}


@pytest.mark.parametrize("name", WRITES)
def test_what_a_process_writes_itself_has_the_name_of_its_user(world, name):
    services = world.services
    before = services.workspace.changes().last
    WRITES[name](world, getattr(services, name.partition(".")[0]))
    actors = {change.actor for change in services.workspace.changes(before, 10_000).changes}
    assert actors == {user_name()}


def test_nobodys_writes_hide_anothers(world, monkeypatch):
    monkeypatch.setattr(change_log, "SEEN_MS", -1)  # what is repeated goes at once
    services = world.services
    before = services.workspace.changes().last
    for who in ("ada", "eve", "ada", "eve"):
        context = contextvars.copy_context()
        context.run(actor.set, who)
        context.run(services.runs.log_metric, world.run_id, "m", 1.0, NOW)
    found = services.workspace.changes(before).changes
    assert [change.actor for change in found] == ["ada", "eve"]


def test_files_are_told_of_with_whose_they_are(world):
    services = world.services
    before = services.workspace.changes().last
    place = services.logged_models.get(world.model_id).info.artifact_uri
    folder = services.kept(place).removeprefix("mlflow-artifacts:/")
    services.artifact_files.upload(world.path, io.BytesIO(b"x"))
    services.artifact_files.upload(f"{folder}/MLmodel", io.BytesIO(b"x"))
    services.artifact_files.upload(f"elsewhere/{world.run_id}/artifacts/f", io.BytesIO(b"x"))
    services.files_at(world.run.info.artifact_uri, world.run_id).write("a/b", io.BytesIO(b"x"))
    services.artifact_files.delete(world.path)
    services.artifact_files.delete(world.path)  # nothing is left to delete
    told = [
        (change.entity, change.entity_id, change.action, change.detail)
        for change in services.workspace.changes(before).changes
    ]
    assert told == [
        ("run", world.run_id, "write-artifact", "f.txt"),
        ("logged_model", world.model_id, "write-artifact", "MLmodel"),
        (
            "artifact", f"mlflow-artifacts:/elsewhere/{world.run_id}/artifacts/f", "write-artifact", "",
        ),
        ("run", world.run_id, "write-artifact", "a/b"),
        ("run", world.run_id, "remove-artifact", "f.txt"),
    ]  # fmt: skip


OTHERS = {
    "source": lambda w, v: {"source": f"runs:/{v.run_id}/other"},
    "run": lambda w, v: {"run_id": w.run_id, "source": f"runs:/{w.run_id}/model"},
    "logged model": lambda w, v: {"model_id": w.model_id},
    "author": lambda w, v: {"user_id": EVE},
    "time": lambda w, v: {"creation_timestamp": 1},
    "run link": lambda w, v: {"run_link": "http://x"},
}


# Of a deleted version its source is known.
@pytest.mark.parametrize(
    ("state", "kind"),
    [*(("there", kind) for kind in OTHERS), ("deleted", "source"), ("deleted", "run")],
)
def test_a_version_never_becomes_another_one(world, kind, state):
    services, before = world.services, world.version
    if state == "deleted":
        services.model_versions.delete(world.name, "1")
    with pytest.raises(InvalidParameter, match="another one"):
        services.transfer.import_model_version(replace(before, **OTHERS[kind](world, before)))
    if state == "there":
        assert world.version == before


def test_a_version_that_is_imported_again_changes_nothing(world):
    services = world.services
    before, last = world.version, services.workspace.changes().last
    services.transfer.import_model_version(before)
    assert world.version == before
    assert services.workspace.changes().last == last


def test_a_deleted_version_can_be_brought_back_as_it_was(world):
    services, before = world.services, world.version
    services.model_versions.delete(world.name, "1")
    services.transfer.import_model_version(replace(before, aliases=[]))
    assert world.version.source == before.source


IDENTITIES = """
from jupyter_server.auth.identity import IdentityProvider, User

class Two(IdentityProvider):
    async def get_user_token(self, handler):
        name = {"token-of-ada": "ada", "token-of-bob": "bob"}.get(self.get_token(handler))
        return User(name) if name else await super().get_user_token(handler)
"""


@pytest.fixture
def office(start_server, tmp_path):
    """A server that knows two people by their tokens."""
    (tmp_path / "identities.py").write_text(IDENTITIES)
    paths = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    return start_server(
        "--ServerApp.identity_provider_class=identities.Two", env={"PYTHONPATH": paths}
    )


def test_the_author_is_who_is_signed_in_whatever_a_client_says(office):
    def as_(token):
        headers = {"Authorization": f"Bearer {token}", "X-User": EVE}
        return httpx.Client(base_url=office.tracking_uri, headers=headers, timeout=30)

    with as_("token-of-ada") as ada, as_("token-of-bob") as bob, as_(office.token) as nobody:
        last = ada.get("/api/1/changes").json()["last"]
        said = {"user_id": EVE, "actor": EVE, "tags": [{"key": "mlflow.user", "value": EVE}]}
        made = ada.post("/api/2.0/mlflow/runs/create", json={"experiment_id": "0", **said}).json()
        run = made["run"]["info"]
        bob.post(
            "/api/2.0/mlflow/runs/set-tag",
            json={"run_id": run["run_id"], "key": "mlflow.user", "value": EVE, "actor": EVE},
        )
        path = f"/api/2.0/mlflow-artifacts/artifacts/0/{run['run_id']}/artifacts/f"
        assert bob.put(path, content=b"x", params={"user": EVE}).status_code == 200
        nobody.auth = (EVE, office.token)  # what MLflow's clients take for a user's name
        for _ in range(2):
            assert nobody.put(path, content=b"x").status_code == 200
        found = ada.get("/api/1/changes", params={"since": last}).json()["changes"]
        assert [(change["action"], change["actor"]) for change in found] == [
            ("create", "ada"),
            ("log", "bob"),
            ("write-artifact", "bob"),
            ("write-artifact", "anonymous"),
            ("write-artifact", "anonymous"),
        ]
        # What a client says of itself stays what it said: data of the run, as in MLflow.
        assert run["user_id"] == EVE
