"""Whoever may write to a store makes nobody else run a pickle of his: every way in, tried one by one.

The victim logged a model, and loads it by its names, without a word about trust. The attacker has either a
token of the server, or the very files of the store, but never the victim's key.
"""

import contextlib
import json

import pytest
import yaml
from trust_scene import (
    everything_said_in_the_database_too,
    file_and_claims_replaced,
    file_replaced,
    forget_digests,
)

from mltrack_jupyter.entities import (
    LoggedModelStatus,
    MadeModel,
    NewRun,
    Run,
    RunEntry,
    Tag,
)
from mltrack_jupyter.errors import MltrackError, PermissionDenied
from mltrack_jupyter.registry import register_model

pytest.importorskip("sklearn")


def test_the_victims_own_model_is_loaded_without_a_word(scene):
    found = scene.load()
    assert isinstance(found.pop(f"mlflow-artifacts:/{scene.place()}"), PermissionDenied)
    assert not [value for value in found.values() if isinstance(value, MltrackError)]


# --- with a token of the server -----------------------------------------------------------------------


def over_the_path_of_the_run(scene):
    scene.put(f"{scene.run_root}/model/model.pkl")


def over_the_models_place(scene):
    scene.put(f"{scene.place()}/model.pkl")


def over_mlmodel(scene):
    scene.put(f"{scene.place()}/MLmodel", scene.forged())


def deleted_first(scene):
    scene.wire.artifact_files.delete(f"{scene.place()}/model.pkl")
    scene.put(f"{scene.place()}/model.pkl")


def its_folder_deleted_first(scene):
    scene.wire.artifact_files.delete(scene.place())
    scene.put(f"{scene.place()}/model.pkl")


def pending_again(scene):
    scene.wire.logged_models.finalize(scene.info.model_id, LoggedModelStatus.PENDING)
    scene.put(f"{scene.place()}/model.pkl")


def failed_again(scene):
    scene.wire.logged_models.finalize(scene.info.model_id, LoggedModelStatus.FAILED)
    scene.put(f"{scene.place()}/model.pkl")


def put_into_the_trash(scene):
    place = scene.place()
    scene.wire.logged_models.delete(scene.info.model_id)
    with contextlib.suppress(MltrackError):
        scene.put(f"{place}/model.pkl")
    scene.wire.logged_models.restore(scene.info.model_id)


def imported_over(scene):
    model = scene.wire.logged_models.get(scene.info.model_id)
    info = {**{name: getattr(model.info, name) for name in model.info.__struct_fields__}}
    info["status"] = LoggedModelStatus.PENDING
    scene.wire.transfer.import_logged_model(type(model)(info=type(model.info)(**info)))
    scene.put(f"{scene.place()}/model.pkl")


def the_tag_set(scene):
    scene.wire.runs.set_tag(scene.run_id, "mltrack.model", scene.record().to_tag())


def the_tag_in_a_batch(scene):
    scene.wire.runs.log_batch(scene.run_id, tags=[Tag("mltrack.model", scene.record().to_tag())])


def the_tag_removed(scene):
    scene.wire.runs.delete_tag(scene.run_id, "mltrack.model")


def the_tag_by_a_journal(scene):
    tags = [Tag("mltrack.model", scene.record().to_tag())]
    scene.wire.journals.append("j", 0, 1, [RunEntry(run_id=scene.run_id, tags=tags)])


def mlflows_tag(scene):
    entry = {"artifact_path": "evil", "metadata": {"mltrack": {"sha256": {}, "foreign": False}}}
    scene.wire.runs.set_tag(scene.run_id, "mlflow.log-model.history", json.dumps([entry]))
    scene.put(f"{scene.run_root}/evil/model.pkl")
    scene.put(f"{scene.run_root}/evil/MLmodel", scene.mlmodel)


def a_newer_model_at_the_path(scene):
    made = scene.wire.logged_models.create(
        "0", name="model", source_run_id=scene.run_id, artifact_path="model"
    )
    place = made.info.artifact_uri.partition(":/")[2]
    scene.put(f"{place}/model.pkl")
    scene.put(f"{place}/MLmodel", scene.forged())
    scene.wire.logged_models.finalize(made.model_id, LoggedModelStatus.READY)
    scene.wire.logged_models.note(scene.run_id, scene.record(model_id=made.model_id))


def a_model_by_a_journal(scene):
    made = MadeModel(record=scene.record(model_id="m-" + "e" * 32))
    scene.put(f"{scene.run_root}/{made.place}/model.pkl")
    scene.put(f"{scene.run_root}/{made.place}/MLmodel", scene.forged())
    scene.wire.journals.append("j", 0, 1, [RunEntry(run_id=scene.run_id, made=[made])])


def the_same_id_by_a_journal(scene):
    made = MadeModel(record=scene.record(model_id=scene.info.model_id))
    scene.put(f"{scene.run_root}/{made.place}/model.pkl")
    scene.wire.journals.append("j", 0, 1, [RunEntry(run_id=scene.run_id, made=[made])])


def a_run_of_the_attackers(scene):
    new = NewRun(experiment_id="0", start_time=1)
    scene.wire.journals.append("j", 0, 1, [RunEntry(run_id="evil", new=new)])
    root = scene.wire.runs.get("evil").info.artifact_uri
    scene.put(f"{root.partition(':/')[2]}/model/model.pkl")
    scene.put(f"{root.partition(':/')[2]}/model/MLmodel", scene.forged())
    return "evil", f"{root}/model"


def another_newest_version(scene):
    run_id, source = a_run_of_the_attackers(scene)
    scene.wire.model_versions.create("iris", source, run_id=run_id)
    scene.wire.registered_models.set_alias("iris", "champion", "2")


def the_version_made_anew(scene):
    run_id, source = a_run_of_the_attackers(scene)
    scene.wire.registered_models.delete("iris")
    scene.wire.registered_models.create("iris")
    scene.wire.model_versions.create("iris", source, run_id=run_id)
    scene.wire.registered_models.set_alias("iris", "champion", "1")


def the_version_imported_over(scene):
    run_id, source = a_run_of_the_attackers(scene)
    version = scene.wire.model_versions.get("iris", "1")
    values = {name: getattr(version, name) for name in version.__struct_fields__}
    values |= {"source": source, "run_id": run_id, "model_id": ""}
    scene.wire.transfer.import_model_version(type(version)(**values))


def a_run_imported_over(scene):
    run = scene.wire.runs.get(scene.run_id)
    tags = [Tag("mltrack.model", scene.record().to_tag())]
    scene.wire.transfer.import_run(Run(info=run.info, data=type(run.data)(tag_list=tags)), [])


def registered_from_a_folder(scene):
    folder = scene.folder / "evil folder"
    folder.mkdir()
    (folder / "model.pkl").write_bytes(scene.evil)
    (folder / "MLmodel").write_bytes(scene.forged())
    register_model(scene.wire, folder, "iris", alias="champion")


WITH_A_TOKEN = [
    over_the_path_of_the_run, over_the_models_place, over_mlmodel, deleted_first, its_folder_deleted_first,
    pending_again, failed_again, put_into_the_trash, imported_over, the_tag_set, the_tag_in_a_batch,
    the_tag_removed, the_tag_by_a_journal, mlflows_tag, a_newer_model_at_the_path, a_model_by_a_journal,
    the_same_id_by_a_journal, another_newest_version, the_version_made_anew, the_version_imported_over,
    a_run_imported_over, registered_from_a_folder,
]  # fmt: skip
LOOKS_REPLACED = {another_newest_version, the_version_made_anew, registered_from_a_folder}


@pytest.mark.parametrize("attack", WITH_A_TOKEN, ids=lambda attack: attack.__name__)
def test_with_a_token_of_the_server(scene, attack):
    with contextlib.suppress(MltrackError):
        attack(scene)
    found = scene.load()
    assert not isinstance(found[scene.info.model_uri], MltrackError)  # the victim's own, as ever
    if attack not in LOOKS_REPLACED:
        assert not isinstance(found["models:/iris/1"], MltrackError)


# --- with the files of the store ----------------------------------------------------------------------


def the_victims_seal_with_other_bytes(scene):
    about = scene.mlmodel
    file_replaced(scene)
    (scene.on_disk() / "MLmodel").write_bytes(about)
    forget_digests(scene)
    scene.sql("DELETE FROM tags")


def another_file_named(scene):
    about = yaml.safe_load((scene.on_disk() / "MLmodel").read_text())
    about["flavors"]["sklearn"]["pickled_model"] = "evil.pkl"
    seals = about["metadata"]["mltrack"]["seals"]
    seals["evil.pkl"] = seals["model.pkl"]
    (scene.on_disk() / "MLmodel").write_text(yaml.safe_dump(about))
    (scene.on_disk() / "evil.pkl").write_bytes(scene.evil)
    forget_digests(scene)
    scene.sql("DELETE FROM tags")


def a_link_to_the_pickle(scene):
    (scene.folder / "evil.pkl").write_bytes(scene.evil)
    (scene.on_disk() / "model.pkl").unlink()
    (scene.on_disk() / "model.pkl").symlink_to(scene.folder / "evil.pkl")


def the_place_moved_in_the_database(scene):
    folder = scene.folder / "evil place"
    folder.mkdir()
    (folder / "model.pkl").write_bytes(scene.evil)
    (folder / "MLmodel").write_bytes(scene.forged())
    scene.sql("UPDATE logged_models SET artifact_uri = ?", str(folder))
    scene.sql("UPDATE model_versions SET download_uri = ?", str(folder))


WITH_THE_FILES = [
    file_replaced, file_and_claims_replaced, everything_said_in_the_database_too,
    the_victims_seal_with_other_bytes, another_file_named, a_link_to_the_pickle,
    the_place_moved_in_the_database,
]  # fmt: skip


@pytest.mark.parametrize("attack", WITH_THE_FILES, ids=lambda attack: attack.__name__)
def test_with_the_files_of_the_store(scene, attack):
    attack(scene)
    found = scene.load()
    assert isinstance(found["models:/iris/1"], MltrackError)
