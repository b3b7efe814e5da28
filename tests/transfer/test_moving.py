"""A store moves from one database to the next, and comes home as it was."""

import io
import itertools
import math

import databases
import pytest
from moved import without_folder

from mltrack_jupyter.cli import main
from mltrack_jupyter.entities import (
    Dataset,
    DatasetInput,
    Metric,
    ModelOutput,
    Param,
    RunStatus,
    Tag,
    ViewType,
)
from mltrack_jupyter.store import open_store


def fill(store):
    """Write one of everything that a store can hold."""
    store.experiments.create("filler")
    number = store.experiments.create("trees", tags=[Tag("team", "blue")])
    run_id = store.runs.create(number, "ada", run_name="one", start_time=5).info.run_id
    values = [0.5, math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308]
    points = [Metric("loss", value, 7 + step, step) for step, value in enumerate(values)]
    store.runs.log_batch(
        run_id, metrics=points, params=[Param("depth", "3" * 9000)], tags=[Tag("é", "zwei\nZeilen")]
    )
    data = Dataset(
        name="iris", digest="abc", source_type="local", source="{}", schema="s", profile="p"
    )
    store.runs.log_inputs(
        run_id, [DatasetInput(dataset=data, tags=[Tag("mlflow.data.context", "train")])]
    )
    store.artifact_files.upload(f"{number}/{run_id}/artifacts/model/MLmodel", io.BytesIO(b"{}"))
    store.artifact_files.upload(f"{number}/{run_id}/artifacts/empty", io.BytesIO(b""))
    model = store.logged_models.create(
        number, "forest", "sklearn", run_id, [Param("a", "1")], [Tag("k", "v")]
    )
    place = f"{number}/models/{model.info.model_id}/artifacts"
    store.artifact_files.upload(f"{place}/MLmodel", io.BytesIO(b"{} "))
    store.runs.log_outputs(run_id, [ModelOutput(model.info.model_id, 3)])
    store.runs.update(run_id, RunStatus.FAILED, 99)
    store.registered_models.create("reg", [Tag("kind", "tree")], "a description")
    for source in (
        f"runs:/{run_id}/model",
        f"models:/{model.info.model_id}",
        f"runs:/{run_id}/model",
    ):
        of_model = model.info.model_id if source.startswith("models:") else ""
        store.model_versions.create("reg", source, run_id, tags=[Tag("v", "1")], model_id=of_model)
    store.model_versions.delete("reg", "1")
    store.registered_models.set_alias("reg", "champion", "3")
    store.model_versions.transition_stage("reg", "2", "Production", False)
    gone = store.runs.create(number).info.run_id
    store.runs.delete(gone)
    store.experiments.delete(store.experiments.create("gone"))


def contents(store):
    """Everything of a store, comparable: NaN equals NaN, and one database's order another's."""
    found = {}
    for item in store.experiments.search(100, view_type=ViewType.ALL):
        found[item.name] = (item.experiment_id, item.lifecycle_stage, item.tags)
        for run in store.runs.search([item.experiment_id], run_view_type=ViewType.ALL):
            run = store.runs.get(run.info.run_id)
            run_id = run.info.run_id
            history = {
                key: repr(store.metrics.history(run_id, key).items) for key in run.data.metrics
            }
            found[run_id] = (
                repr(without_folder(run).info),
                run.data.params,
                run.data.tags,
                repr(run.inputs),
                repr(run.outputs),
                history,
            )
            for path in ("model/MLmodel", "empty"):
                if run.data.params:
                    with store.run_artifacts.read(run_id, path).file as file:
                        found[run_id, path] = file.read()
        if item.lifecycle_stage == "active":
            for model in store.logged_models.search([item.experiment_id]):
                found[model.info.model_id] = (
                    model.info.name,
                    model.info.source_run_id,
                    repr(model.data),
                    model.info.tags,
                )
                place = f"{item.experiment_id}/models/{model.info.model_id}/artifacts"
                with store.artifact_files.download(f"{place}/MLmodel").file as file:
                    found[model.info.model_id, "file"] = file.read()
    for model in store.registered_models.search():
        found["model", model.name] = (model.description, model.tags, model.aliases)
    for item in store.model_versions.search("name = 'reg'"):
        found["version", item.version] = (
            item.current_stage,
            item.source,
            item.run_id,
            item.tags,
            item.aliases,
            item.creation_timestamp,
        )
    return found


@pytest.mark.database
def test_from_sqlite_around_the_databases_and_home(
    database_server_of, tmp_path, environment, capsys
):
    environment.chdir(
        tmp_path
    )  # where artifacts of database servers are kept, one root after the other
    places = [str(tmp_path / "begin.db"), *(database_server_of(kind).new_database() for kind in ("postgresql", "mysql")),
              str(tmp_path / "end.zip"), str(tmp_path / "home" / "end.db")]  # fmt: skip
    store = open_store(places[0])
    fill(store)
    wanted = contents(store)
    store.close()
    for old, new in itertools.pairwise(places):
        arguments = ["import", old, "--into", new] if old.endswith(".zip") else ["export", old, new]
        assert main(arguments) == 0, capsys.readouterr()
        said = capsys.readouterr()
        assert "differs" not in said.out
        assert databases.PASSWORD not in said.out + said.err
        if not new.endswith(".zip"):
            store = open_store(new)
            assert contents(store) == wanted
            store.close()
            assert main(arguments) == 0  # and again, which changes nothing
    assert main(["import", places[1], "--into", places[1]]) == 1
    assert databases.PASSWORD not in capsys.readouterr().err
