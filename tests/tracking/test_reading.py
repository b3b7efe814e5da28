"""Histories and runs as columns."""

import json
import math

import pytest

import mltrack_jupyter as mltrack
from mltrack_jupyter.errors import InvalidParameter


@pytest.fixture
def run_id(tmp_path):
    mltrack.set_tracking_uri(tmp_path / ".mltrack")
    with mltrack.start_run() as run:
        for step, value in enumerate([1.0, math.nan, -math.inf]):
            mltrack.log_metric("loss", value, step=step, timestamp=1000 - step)
    return run.info.run_id


def test_a_history_as_columns_is_sorted_by_time(run_id):
    columns = mltrack.get_metric_history(run_id, "loss", output_format="columns")
    assert columns["timestamp"] == [998, 999, 1000]
    assert columns["step"] == [2, 1, 0]
    assert columns["value"][0] == -math.inf
    assert math.isnan(columns["value"][1])


def test_a_history_as_a_frame(run_id):
    frame = mltrack.get_metric_history(run_id, "loss", output_format="pandas")
    assert list(frame.columns) == ["step", "timestamp", "value"]
    assert str(frame["timestamp"].dt.tz) == "UTC"


def test_another_format_is_refused(run_id):
    with pytest.raises(InvalidParameter, match="'list', 'columns' or 'pandas'"):
        mltrack.get_metric_history(run_id, "loss", output_format="csv")


def test_a_run_as_a_dictionary(run_id):
    found = mltrack.get_run(run_id).to_dictionary()
    assert found["info"]["run_id"] == run_id
    assert "loss" in found["data"]["metrics"]
    assert json.loads(json.dumps(found))["info"] == found["info"]
