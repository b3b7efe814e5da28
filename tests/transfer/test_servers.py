"""From a real MLflow server by REST; and a transfer that is cut off and taken up again."""

import os
import socket
import subprocess
import sys
import time
from dataclasses import replace

import httpx
import pytest

from mltrack_jupyter.errors import ServerUnreachable
from mltrack_jupyter.store import open_store

LOG = """
import mlflow
mlflow.set_experiment("remote")
with mlflow.start_run(run_name="one") as run:
    mlflow.log_params({"depth": 3})
    for step in range(5):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_text("hello", "sub/a b.txt")
    mlflow.log_dict({"flavors": {}}, "model/MLmodel")
    model = mlflow.create_external_model(name="ext", source_run_id=run.info.run_id)
client = mlflow.MlflowClient()
client.create_registered_model("it's")
client.create_model_version("it's", run.info.artifact_uri + "/model", run.info.run_id)
client.set_registered_model_alias("it's", "champion", "1")
print(run.info.run_id, model.model_id)
"""


@pytest.fixture(scope="module")
def mlflow_server(tmp_path_factory):
    pytest.importorskip("mlflow")
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("ML")}
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1"),
            *("--backend-store-uri", f"sqlite:///{folder}/m.db"),
            *("--artifacts-destination", str(folder / "artifacts")),
        ],
        cwd=folder,
        env=clean,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            time.sleep(0.5)
            try:
                if httpx.get(f"{url}/health").status_code == 200:
                    break
            except httpx.HTTPError:
                continue
        yield url, clean
    finally:
        os.killpg(process.pid, 15)  # its workers too; the group is this process's own
        process.wait(30)


@pytest.mark.server
def test_an_mlflow_server_is_copied(mlflow_server, target, bring, tmp_path):
    url, clean = mlflow_server
    marker = tmp_path.parent / "logged.txt"
    if not marker.exists():
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", LOG],
            env={**clean, "MLFLOW_TRACKING_URI": url},
            capture_output=True,
            check=False,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        marker.write_text(" ".join(done.stdout.split()[-2:]))
    run_id, model_id = marker.read_text().split()
    report = bring(url, target)
    assert report.matches, (report.problems, report.found, report.there)
    assert report.there["metric points"] == 5
    assert target.runs.get(run_id).data.params == {"depth": "3"}
    with target.run_artifacts.read(run_id, "sub/a b.txt").file as file:
        assert file.read() == b"hello"
    assert target.logged_models.get(model_id).info.name == "ext"
    version = target.registered_models.get_by_alias("it's", "champion")
    assert version.version == "1"
    assert target.model_versions.get_download_uri("it's", "1").endswith(f"{run_id}/artifacts/model")
    assert bring(url, target).skipped == 1


def test_a_transfer_goes_on_where_it_was_cut_off(tmp_path, target, bring):
    source = open_store(tmp_path / "a" / ".mltrack")
    for number in range(6):
        run_id = source.runs.create("0", start_time=number).info.run_id
        source.runs.log_metric(run_id, "m", number, 1)
    source.close()

    class Failing:
        calls = 0

        def __getattr__(self, name):
            return getattr(target.transfer, name)

        def import_run(self, run, points):
            self.calls += 1
            if self.calls > 3:
                raise ServerUnreachable("The server is gone.")
            return target.transfer.import_run(run, points)

    with pytest.raises(ServerUnreachable):
        bring(tmp_path / "a", replace(target, transfer=Failing()))
    report = bring(tmp_path / "a", target)
    assert report.skipped == 3
    assert report.matches
    assert report.there["runs"] == 6
    assert len(target.runs.search(["0"])) == 6


def test_a_long_history_arrives_whole(tmp_path, target, bring, monkeypatch):
    monkeypatch.setattr("mltrack_jupyter.transfer.copying._POINTS", 70)
    monkeypatch.setattr("mltrack_jupyter.transfer.store_source._POINTS", 60)
    from mltrack_jupyter.entities import Metric

    source = open_store(tmp_path / "a" / ".mltrack")
    run_id = source.runs.create("0").info.run_id
    for key in ("a", "b"):
        points = [Metric(key, step / 3, step, step) for step in range(200)]
        source.runs.log_batch(run_id, metrics=points)
    expected = source.metrics.history(run_id, "a").items
    source.close()
    report = bring(tmp_path / "a", target)
    assert report.matches
    assert report.there["metric points"] == 400
    assert target.metrics.history(run_id, "a").items == expected
    (metric,) = [point for point in target.runs.get(run_id).data.metric_list if point.key == "b"]
    assert metric.step == 199
