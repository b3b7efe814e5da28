"""Registering a run in one call, importing by hand, and emptying the trash."""

import base64
import io
import math

import pytest

from mltrack_jupyter.entities import (
    Experiment,
    InlineFile,
    Metric,
    Param,
    Run,
    RunData,
    RunInfo,
    RunStatus,
    Tag,
)
from mltrack_jupyter.errors import AlreadyExists, InvalidParameter, NotFound
from mltrack_jupyter.store import open_store
from mltrack_jupyter.testing.making import below_root


def test_one_call_registers_a_run(target):
    run = target.transfer.register_run(
        experiment="old",
        run_name="by hand",
        run_id="r-1",
        start_time=1000,
        end_time=2000,
        params={"depth": 3, "rate": 0.5, "on": True, "name": "x"},
        metrics={"acc": 0.9, "bad": math.nan},
        points=[Metric("loss", 1.0, 1000, 0), Metric("loss", 0.5, 1500, 1)],
        tags={"team": "blue"},
        artifacts=[
            InlineFile(path="notes/a.txt", text="héllo"),
            InlineFile(path="b.bin", base64=base64.b64encode(b"\x00\xff").decode()),
        ],
    )
    assert run.info.status is RunStatus.FINISHED
    assert run.data.params == {"depth": "3", "name": "x", "on": "True", "rate": "0.5"}
    assert math.isnan(run.data.metrics["bad"])
    assert len(target.metrics.history("r-1", "loss").items) == 2
    with target.run_artifacts.read("r-1", "notes/a.txt").file as file:
        assert file.read().decode() == "héllo"
    with pytest.raises(AlreadyExists):
        target.transfer.register_run(run_id="r-1")


@pytest.mark.parametrize(
    "file",
    [
        InlineFile(path="../x", text="a"),
        InlineFile(path="a", base64="%%%"),
        InlineFile(path="a", text="x" * (16 * 1024 * 1024 + 1)),
    ],
)
def test_a_refused_file_leaves_nothing(target, file):
    files = [InlineFile(path="good", text="x"), file]
    with pytest.raises(InvalidParameter):
        target.transfer.register_run(experiment="new", run_id="r", artifacts=files)
    with pytest.raises(NotFound):
        target.runs.get("r")
    with pytest.raises(NotFound):
        target.experiments.get_by_name("new")


def imported(target, run_id="r1", **info):
    run = Run(
        info=RunInfo(
            run_id=run_id, experiment_id="0", status=RunStatus.FINISHED, start_time=7, **info
        ),
        data=RunData(param_list=[Param("a", "1")], tag_list=[Tag("t", "v")]),
    )
    return run, target.transfer.import_run(run, [Metric("m", -0.0, 1), Metric("m", 0.0, 1)])


def test_an_import_by_hand_is_idempotent(target):
    run, arrival = imported(target)
    assert (arrival.params, arrival.tags, arrival.points) == (1, 2, 2)
    assert target.transfer.import_run(run, [Metric("m", -0.0, 1)]) == arrival
    changed = Run(info=run.info, data=RunData(param_list=[Param("a", "2")]))
    with pytest.raises(InvalidParameter, match="param"):
        target.transfer.import_run(changed)


def test_a_caller_chooses_no_place_for_artifacts(target):
    _, arrival = imported(target, artifact_uri="file:///etc")
    assert arrival.artifact_uri == "mlflow-artifacts:/0/r1/artifacts"
    _, arrival = imported(target, "r2", artifact_uri="mlflow-artifacts:/7/other/artifacts")
    assert arrival.artifact_uri == "mlflow-artifacts:/0/r2/artifacts"
    _, arrival = imported(target, "r3", artifact_uri="s3://bucket/x")
    assert arrival.artifact_uri == "s3://bucket/x"


def test_an_experiment_keeps_its_id_where_that_is_free(target):
    made = target.transfer.import_experiment(Experiment(experiment_id="77", name="a"))
    assert made.experiment_id == "77"
    other = target.transfer.import_experiment(Experiment(experiment_id="77", name="b"))
    assert other.experiment_id not in ("77", "0")
    again = target.transfer.import_experiment(Experiment(experiment_id="9", name="a"))
    assert again.experiment_id == "77"


def upload(store, run_id, name, content=b"x" * 10):
    store.artifact_files.upload(f"0/{run_id}/artifacts/{name}", io.BytesIO(content))


def test_a_purge_takes_rows_and_files(target, tmp_path):
    run_id = target.runs.create("0").info.run_id
    kept = target.runs.create("0").info.run_id
    target.runs.log_metric(run_id, "m", 1.0, 1)
    for item in (run_id, kept):
        upload(target, item, "d/f")
    target.runs.delete(run_id)
    (item,) = target.workspace.trash().items
    assert (item.entity_id, item.files, item.size) == (run_id, 1, 10)
    assert target.workspace.trash(older_than=item.deleted_time - 1).items == []
    done = target.workspace.purge(run_ids=[run_id, kept, "none"]).items
    assert [bool(entry.kept_because) for entry in done] == [False, True, True]
    with pytest.raises(NotFound):
        target.runs.get(run_id)
    root = tmp_path / "target" / ".mltrack" / "artifacts" / "0"
    assert [place.name for place in root.iterdir()] == [kept]
    newest = target.workspace.changes(since=0).changes[-1]
    assert (newest.action, newest.entity_id) == ("purge", run_id)


def test_a_purged_experiment_takes_its_runs_and_models(target, tmp_path):
    number = target.experiments.create("e")
    run_id = target.runs.create(number).info.run_id
    model = target.logged_models.create(number, source_run_id=run_id)
    path = below_root(model.info.artifact_uri)
    target.artifact_files.upload(f"{path}/MLmodel", io.BytesIO(b"{}"))
    target.artifact_files.upload(f"{number}/{run_id}/artifacts/f", io.BytesIO(b"x"))
    target.experiments.delete(number)
    target.workspace.purge(experiment_ids=[number])
    assert target.workspace.trash().items == []
    assert not (tmp_path / "target" / ".mltrack" / "artifacts" / number).exists()
    assert target.experiments.create("e") != number


def test_what_a_registered_model_is_made_of_stays(target):
    run_id = target.runs.create("0").info.run_id
    upload(target, run_id, "model/MLmodel")
    target.registered_models.register("reg", run_id, "model")
    target.runs.delete(run_id)
    (item,) = target.workspace.purge(run_ids=[run_id]).items
    assert "reg" in item.kept_because
    assert target.runs.get(run_id).info.lifecycle_stage == "deleted"


def test_a_purge_never_follows_a_link(tmp_path):
    store = open_store(tmp_path / ".mltrack")
    run_id = store.runs.create("0").info.run_id
    upload(store, run_id, "f")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    folder = tmp_path / ".mltrack" / "artifacts" / "0" / run_id / "artifacts"
    (folder / "link").symlink_to(outside)
    store.runs.delete(run_id)
    store.workspace.purge(run_ids=[run_id])
    store.close()
    assert (outside / "precious").exists()
    assert not folder.exists()


@pytest.fixture
def model_with_files(target):
    model = target.logged_models.create("0", name="forest", params=[Param("depth", "3")])
    path = below_root(model.info.artifact_uri)
    target.artifact_files.upload(f"{path}/MLmodel", io.BytesIO(b"{}"))
    return model


def test_a_logged_model_in_the_trash(target, tmp_path, model_with_files):
    model_id = model_with_files.info.model_id
    folder = tmp_path / "target" / ".mltrack" / "artifacts" / "0" / "models" / model_id
    (left,) = target.workspace.purge(model_ids=[model_id]).items
    assert left.kept_because == "it is not in the trash"
    target.logged_models.delete(model_id)
    (item,) = target.workspace.trash().items
    assert (item.entity, item.entity_id, item.name) == ("logged_model", model_id, "forest")
    assert (item.files, item.size) == (1, 2)
    assert target.workspace.trash(older_than=item.deleted_time - 1).items == []
    assert target.workspace.trash(experiment_ids=["7"]).items == []

    target.logged_models.restore(model_id)
    assert target.logged_models.get(model_id).data.params["depth"] == "3"
    assert target.workspace.trash().items == []

    target.logged_models.delete(model_id)
    (gone,) = target.workspace.purge(model_ids=[model_id]).items
    assert (gone.kept_because, gone.files, gone.size) == ("", 1, 2)
    assert not folder.exists()
    assert target.workspace.trash().items == []
    for call in (target.logged_models.get, target.logged_models.restore):
        with pytest.raises(NotFound):
            call(model_id)
    newest = target.workspace.changes(since=0).changes[-1]
    assert (newest.action, newest.entity_id) == ("purge", model_id)


def test_a_logged_model_stays_as_long_as_a_version_is_made_of_it(target, model_with_files):
    model_id = model_with_files.info.model_id
    target.registered_models.create("reg")
    target.model_versions.create("reg", f"models:/{model_id}", model_id=model_id)
    target.logged_models.delete(model_id)
    (item,) = target.workspace.trash().items
    assert "version 1 of the model 'reg'" in item.kept_because
    (left,) = target.workspace.purge(model_ids=[model_id]).items
    assert left.kept_because == item.kept_because
    target.registered_models.delete("reg")  # what it left over may go now
    (gone,) = target.workspace.purge(model_ids=[model_id]).items
    assert gone.kept_because == ""


def test_a_deleted_experiment_has_its_models_with_it(target, model_with_files):
    number = target.experiments.create("e")
    model = target.logged_models.create(number)
    target.logged_models.delete(model.info.model_id)
    target.experiments.delete(number)
    assert [item.entity for item in target.workspace.trash().items] == ["experiment"]
    with pytest.raises(InvalidParameter):
        target.logged_models.restore(model.info.model_id)
    target.workspace.purge(experiment_ids=[number])
    assert target.workspace.purge(model_ids=[model.info.model_id]).items[0].kept_because
