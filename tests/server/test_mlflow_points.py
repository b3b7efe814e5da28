"""An unmodified MLflow client reads every point that a journal brought."""

import uuid

import pytest

from mltrack_jupyter.entities import Points, RunEntry

mlflow = pytest.importorskip("mlflow")
pytestmark = pytest.mark.server


def test_points_that_are_alike(server, monkeypatch):
    """What a journal brought is all there, point by point; what MLflow sends again is the same point."""
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", server.token)
    services, client = server.services(), mlflow.MlflowClient(server.tracking_uri)
    run = client.create_run("0")
    for _ in range(2):
        client.log_metric(run.info.run_id, "m", 1.0, timestamp=5, step=1)
    points = Points(key="m", steps=[1] * 3, timestamps=[5] * 3, values=[1.0, 1.0, 0.5])
    services.journals.append(
        uuid.uuid4().hex, 0, 3, [RunEntry(run_id=run.info.run_id, points=[points])]
    )
    found = client.get_metric_history(run.info.run_id, "m")
    assert [(p.step, p.timestamp, p.value) for p in found] == [
        (1, 5, value) for value in (1.0, 1.0, 1.0, 0.5)
    ]
    assert client.get_run(run.info.run_id).data.metrics == {"m": 0.5}
    services.close()
