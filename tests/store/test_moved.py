"""A project that was moved or renamed: every artifact is found where it is now."""

from pathlib import Path

import pytest

import mltrack_jupyter as mltrack
from mltrack_jupyter.store import open_store


@pytest.fixture
def project(tmp_path):
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.mark.parametrize("where", ["", "outputs/here", ".mltrack/artifacts/mine", "../elsewhere"])
def test_artifacts_of_a_moved_project(project, tmp_path, environment, where):
    environment.chdir(project)
    client = mltrack.Client(project / ".mltrack")
    experiment = client.create_experiment(
        "e", artifact_location=where.replace("../", f"{tmp_path}/") or None
    )
    run = client.create_run(experiment)
    client.log_text(run.info.run_id, "hello", "a/b.txt")
    uri = client.get_run(run.info.run_id).info.artifact_uri
    assert Path(uri, "a", "b.txt").read_text() == "hello"  # the place opens
    client.services.close()

    moved = project.rename(tmp_path / "renamed")
    environment.chdir(tmp_path)
    client = mltrack.Client(moved / ".mltrack")
    found = client.get_run(run.info.run_id).info.artifact_uri
    assert found == uri.replace(str(project), str(moved))
    assert Path(found, "a", "b.txt").read_text() == "hello"
    target = client.download_artifacts(run.info.run_id, "a", tmp_path / "out")
    assert (tmp_path / "out" / "a" / "b.txt").read_text() == "hello"
    assert target == str(tmp_path / "out" / "a")
    download = client.services.run_artifacts.read(run.info.run_id, "a/b.txt")
    download.file.close()
    assert len(download.sha256) == 64  # what is known of the file came along


def test_nothing_of_the_machine_is_written_for_what_is_in_the_project(project, tmp_path):
    services = open_store(project / ".mltrack")
    experiment = services.experiments.create("e", str(project / "outputs"))
    assert services.experiments.get(experiment).artifact_location == str(project / "outputs")
    services.runs.create(experiment)
    services.close()
    assert str(tmp_path).encode() not in (project / ".mltrack" / "mltrack.db").read_bytes()


def test_a_run_is_found_by_where_its_artifacts_are(project):
    services = open_store(project / ".mltrack")
    experiment = services.experiments.create("e", str(project / "outputs"))
    run = services.runs.create(experiment)
    wanted = f"attributes.artifact_uri = '{run.info.artifact_uri}'"
    assert [
        found.info.run_id for found in services.runs.search([experiment], filter=wanted).items
    ] == [run.info.run_id]
    services.close()
