"""Where artifacts are, as whoever uses a store in their own process is told: places that open."""

import contextlib
import os
import sqlite3
from pathlib import Path
from urllib.parse import urlparse

import pytest

import mltrack_jupyter as mltrack
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.remote import connect
from mltrack_jupyter.store.transport import LocalTransport
from mltrack_jupyter.testing.making import new_run


@pytest.fixture
def project(environment, tmp_path):
    environment.chdir(tmp_path)
    mltrack.set_tracking_uri(tmp_path / ".mltrack")
    yield tmp_path
    while mltrack.active_run():
        mltrack.end_run()
    mltrack.set_tracking_uri("")


OPENED = {
    "as it is": lambda uri: os.path.join(uri, "a.txt"),
    "without the scheme": lambda uri: os.path.join(uri.removeprefix("file://"), "a.txt"),
    "parsed": lambda uri: Path(urlparse(uri).path, "a.txt"),
    "downloaded": lambda uri: mltrack.artifacts.download_artifacts(artifact_uri=f"{uri}/a.txt"),
}


@pytest.mark.parametrize("way", OPENED)
def test_the_place_of_a_run_opens(project, way):
    with mltrack.start_run() as run:
        mltrack.log_text("hello", "a.txt")
        client = mltrack.MlflowClient()
        experiment = client.get_experiment(run.info.experiment_id)
        told = {
            mltrack.get_artifact_uri(),
            run.info.artifact_uri,
            client.get_run(run.info.run_id).info.artifact_uri,
            client.search_runs([experiment.experiment_id])[0].info.artifact_uri,
            mltrack.search_runs(output_format="list")[0].info.artifact_uri,
            f"{experiment.artifact_location}/{run.info.run_id}/artifacts",
        }
    assert len(told) == 1
    assert Path(OPENED[way](told.pop())).read_text() == "hello"


def test_what_a_script_writes_there_is_an_artifact(project):
    with mltrack.start_run() as run:
        place = Path(mltrack.get_artifact_uri())
        (place / "plots").mkdir()  # the folder is there before anything was logged
        (place / "plots" / "own.csv").write_text("a\n1\n")
    client = mltrack.MlflowClient()
    (found,) = client.list_artifacts(run.info.run_id, "plots")
    assert (found.path, found.file_size) == ("plots/own.csv", 4)
    fetched = client.download_artifacts(run.info.run_id, "plots/own.csv", project / "to")
    assert Path(fetched).read_text() == "a\n1\n"
    assert mltrack.artifacts.list_artifacts(artifact_uri=str(place / "plots"))[0].file_size == 4


def test_a_run_is_found_by_the_place_that_is_told(project):
    services = open_store(project / ".mltrack")
    run = new_run(services)
    kept = services.kept(run.info.artifact_uri)
    assert kept == f"mlflow-artifacts:/{run.info.experiment_id}/{run.info.run_id}/artifacts"
    for wanted in (
        f"= '{run.info.artifact_uri}'",
        f"= '{kept}'",
        f"LIKE '{project}/%'",
        f"LIKE '%{run.info.run_id}%'",
    ):
        page = services.runs.search([run.info.experiment_id], f"attributes.artifact_uri {wanted}")
        assert [found.info.run_id for found in page.items] == [run.info.run_id], wanted
    services.close()


def test_through_a_server_they_are_what_they_were(project):
    services = open_store(project / ".mltrack")
    wire = connect(LocalTransport(services), "http://in-this-process")
    run, model = new_run(services), services.logged_models.create("0")
    experiment = services.experiments.get(run.info.experiment_id)
    assert wire.experiments.get(experiment.experiment_id).artifact_location == (
        f"mlflow-artifacts:/{experiment.experiment_id}"
    )
    uri = f"mlflow-artifacts:/{experiment.experiment_id}/{run.info.run_id}/artifacts"
    assert wire.runs.get(run.info.run_id).info.artifact_uri == uri
    assert wire.run_artifacts.list(run.info.run_id).root_uri == uri
    assert services.run_artifacts.list(run.info.run_id).root_uri == run.info.artifact_uri
    assert wire.logged_models.get(model.info.model_id).info.artifact_uri == (
        f"mlflow-artifacts:/0/models/{model.info.model_id}/artifacts"
    )
    wire.registered_models.create("m")
    version = wire.model_versions.create("m", f"{uri}/model", run_id=run.info.run_id)
    assert version.source == wire.model_versions.get_download_uri("m", "1") == f"{uri}/model"
    here = services.model_versions.get_download_uri("m", "1")
    assert here == services.model_versions.get("m", "1").source == f"{run.info.artifact_uri}/model"
    services.close()


def test_no_row_holds_the_folder(project):
    services = open_store(project / ".mltrack")
    run = new_run(services)
    services.registered_models.create("m")
    source = f"{run.info.artifact_uri}/model"
    assert services.model_versions.create("m", source, run_id=run.info.run_id).source == source
    services.experiments.create("e", f"{project}/.mltrack/artifacts/mine")
    services.experiments.create("f", (project / "out put").as_uri())
    services.close()
    with contextlib.closing(sqlite3.connect(project / ".mltrack" / "mltrack.db")) as database:
        assert [line for line in database.iterdump() if str(project) in line] == []


@pytest.mark.parametrize("name", ["plain", "a b", "100%", "what?", "#1", "ünï", "%20"])
def test_a_file_uri_stays_one(project, name):
    uri = (project / name).as_uri()
    client = mltrack.MlflowClient()
    experiment = client.create_experiment("e", artifact_location=uri)
    assert client.get_experiment(experiment).artifact_location == uri
    run = client.create_run(experiment)
    assert run.info.artifact_uri == f"{uri}/{run.info.run_id}/artifacts"
    client.log_text(run.info.run_id, "hello", "a b/c.txt")
    assert (project / name / run.info.run_id / "artifacts" / "a b" / "c.txt").read_text() == "hello"
    assert [item.path for item in client.list_artifacts(run.info.run_id)] == ["a b"]
    client.create_registered_model("m")
    for source in (f"{run.info.artifact_uri}/m", f"{project / name}/{run.info.run_id}/artifacts/m"):
        version = client.create_model_version("m", source, run_id=run.info.run_id)
        assert version.source == f"{run.info.artifact_uri}/m"


@pytest.mark.parametrize("uri", ["file://elsewhere/x", "file:///x?y", "file:///x/../y"])
def test_a_file_uri_of_no_place_here(project, uri):
    with pytest.raises(InvalidParameter, match="Invalid artifact"):
        mltrack.MlflowClient().create_experiment("e", artifact_location=uri)


def test_a_location_in_the_folder_of_a_run_is_refused_however_it_is_spelled(project):
    client = mltrack.MlflowClient()
    experiment = client.create_experiment("e", artifact_location=str(project / "out"))
    run = client.create_run(experiment)
    inside = Path(run.info.artifact_uri, "inner")
    for location in (str(inside), inside.as_uri(), inside.as_uri().upper().replace("FILE", "file")):
        with pytest.raises(InvalidParameter, match="in the folder of a run"):
            client.create_experiment("f", artifact_location=location)


def test_a_server_keeps_the_scheme_of_its_default_root(tmp_path):
    root = tmp_path / "shared files"
    services = open_store(tmp_path / "s.db", local_paths=False, default_artifact_root=root.as_uri())
    run = new_run(services)
    assert run.info.artifact_uri == (
        f"{root.as_uri()}/{run.info.experiment_id}/{run.info.run_id}/artifacts"
    )
    services.files_at(run.info.artifact_uri, run.info.run_id)
    model = services.logged_models.create(run.info.experiment_id, source_run_id=run.info.run_id)
    services.registered_models.create("m")
    for source in (
        model.info.artifact_uri,
        str(root / run.info.experiment_id / "models" / model.info.model_id / "artifacts"),
    ):
        made = services.model_versions.create("m", source, model_id=model.info.model_id)
        assert (made.source, made.model_id) == (model.info.artifact_uri, model.info.model_id)
    for source in (root.as_uri(), f"{root}/x", "/etc/passwd", "file:///etc"):
        with pytest.raises(InvalidParameter, match="must lie inside the artifacts"):
            services.model_versions.create("m", source, model_id=model.info.model_id)
    services.close()
