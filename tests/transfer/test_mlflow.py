"""What the real mlflow package wrote: its file store and its SQLite database."""

import math
import os
import subprocess
import sys

import pytest

pytest.importorskip("mlflow")

SCRIPT = """
import sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("alpha")
client = mlflow.MlflowClient()
with mlflow.start_run(run_name="one") as run:
    mlflow.log_param("depth", 3)
    mlflow.log_metric("acc", 0.5, step=0)
    mlflow.log_metric("acc", float("nan"), step=1)
    mlflow.log_metric("val/loss", float("-inf"))
    mlflow.set_tag("lines", "one\\ntwo")
    mlflow.log_text("hello", "sub/a.txt")
    model = mlflow.create_external_model(name="ext", source_run_id=run.info.run_id, params={"p": "1"})
    mlflow.log_metric("on_model", 0.7, model_id=model.model_id)
    mlflow.log_dict({"flavors": {}}, "model/MLmodel")
client.create_registered_model("reg", {"kind": "tree"}, "a description")
source = run.info.artifact_uri + "/model"
client.create_model_version("reg", source, run.info.run_id)
client.create_model_version("reg", source, run.info.run_id, description="second")
client.delete_model_version("reg", "1")
client.set_registered_model_alias("reg", "champion", "2")
client.transition_model_version_stage("reg", "2", "Production")
gone = client.create_run(run.info.experiment_id)
client.delete_run(gone.info.run_id)
client.delete_experiment(client.create_experiment("gone"))
print(run.info.run_id, gone.info.run_id, model.model_id)
"""


@pytest.fixture(scope="module", params=["folder", "database"])
def written(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mlflow")
    name = "mlruns" if request.param == "folder" else "mlflow.db"
    uri = str(folder / name) if request.param == "folder" else f"sqlite:///{folder / name}"
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ML")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, uri],
        cwd=folder,
        env={**clean, "MLFLOW_ALLOW_FILE_STORE": "true"},
        capture_output=True,
        check=False,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return folder / name, done.stdout.split()[-3:]


def test_everything_of_mlflow_arrives(written, target, bring):
    place, (run_id, gone, model_id) = written
    report = bring(place, target)
    assert report.matches, (report.problems, report.found, report.there)
    run = target.runs.get(run_id)
    assert run.info.run_name == "one"
    assert run.data.params == {"depth": "3"}
    assert run.data.tags["lines"] == "one\ntwo"
    assert run.data.metrics["val/loss"] == -math.inf
    history = target.metrics.history(run_id, "acc").items
    assert [point.step for point in history] == [0, 1]
    assert math.isnan(history[1].value)
    with target.run_artifacts.read(run_id, "sub/a.txt").file as file:
        assert file.read() == b"hello"
    assert target.runs.get(gone).info.lifecycle_stage == "deleted"
    assert target.experiments.get_by_name("gone").lifecycle_stage == "deleted"
    assert target.logged_models.get(model_id).data.params["p"] == "1"
    assert "on_model" in {point.key for point in target.logged_models.get(model_id).data.metrics}
    version = target.model_versions.get("reg", "2")
    assert (version.current_stage, version.description) == ("Production", "second")
    assert version.aliases == ["champion"]
    model = target.registered_models.get("reg")
    assert model.tags == {"kind": "tree"}
    assert model.description == "a description"
    location = target.model_versions.get_download_uri("reg", "2")
    assert location == f"{run.info.artifact_uri}/model"
    made = target.model_versions.create("reg", f"runs:/{run_id}/model", run_id)
    assert made.version == "3"


def test_the_second_time_skips_every_run(written, target, bring):
    place, _ = written
    bring(place, target)
    last = target.workspace.changes().last
    report = bring(place, target)
    assert report.skipped == 2
    assert report.matches
    assert target.workspace.changes().last == last
