"""The load of the machine: sampled while a run is open, and never in the way."""

import threading
import time

import pytest

from mltrack_jupyter.tracking import system_metrics


def samplers():
    return [thread for thread in threading.enumerate() if thread.name.startswith("mltrack-system")]


def system(mltrack, run):
    metrics = mltrack.get_run(run.info.run_id).data.metrics
    return {name for name in metrics if name.startswith("system/")}


@pytest.fixture
def quick(environment):
    environment.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.05")


def test_the_names_are_mlflows(mltrack, quick):
    monitors = pytest.importorskip("mlflow.system_metrics.metrics.cpu_monitor")
    from mlflow.system_metrics.metrics.disk_monitor import DiskMonitor
    from mlflow.system_metrics.metrics.network_monitor import NetworkMonitor

    expected = set()
    for monitor in (monitors.CPUMonitor(), DiskMonitor(), NetworkMonitor()):
        monitor.collect_metrics()
        expected |= {f"system/{name}" for name in monitor.metrics}
    with mltrack.start_run(log_system_metrics=True) as run:
        pass
    assert system(mltrack, run) == expected


def test_it_goes_on_until_the_run_ends(mltrack, quick):
    with mltrack.start_run(log_system_metrics=True) as run:
        assert len(samplers()) == 1
        end = time.monotonic() + 20
        while time.monotonic() < end:
            name = "system/cpu_utilization_percentage"
            if len(mltrack.get_metric_history(run.info.run_id, name)) > 2:
                break
            time.sleep(0.05)
    assert samplers() == []
    steps = [point.step for point in mltrack.get_metric_history(run.info.run_id, name)]
    assert steps == list(range(len(steps)))
    assert len(steps) > 2
    with mltrack.start_run(run_id=run.info.run_id, log_system_metrics=True):
        pass
    more = [point.step for point in mltrack.get_metric_history(run.info.run_id, name)]
    assert more == list(range(len(more)))
    assert len(more) > len(steps)


def test_the_switch_and_its_exceptions(mltrack, quick):
    mltrack.enable_system_metrics_logging()
    with (
        mltrack.start_run() as watched,
        mltrack.start_run(nested=True, log_system_metrics=False) as not_,
    ):
        pass
    mltrack.disable_system_metrics_logging()
    with mltrack.start_run() as neither:
        pass
    assert system(mltrack, watched)
    assert not system(mltrack, not_)
    assert not system(mltrack, neither)


def test_the_mean_of_samples_under_the_name_of_the_node(mltrack, environment):
    environment.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "60")
    mltrack.set_system_metrics_samples_before_logging(3)
    mltrack.set_system_metrics_node_id("n1")
    started = time.monotonic()
    with mltrack.start_run(log_system_metrics=True) as run:
        time.sleep(0.2)
    assert time.monotonic() - started < 20  # nobody waits for the next look
    assert "system/n1/disk_usage_percentage" in system(mltrack, run)
    mltrack.set_system_metrics_samples_before_logging(None)
    mltrack.set_system_metrics_node_id(None)


def test_a_failure_does_not_reach_the_training(mltrack, quick, environment, caplog):
    def broken():
        raise OSError("no such sensor")

    environment.setattr(system_metrics, "_machine", broken)
    with mltrack.start_run(log_system_metrics=True) as run:
        time.sleep(0.1)
        mltrack.log_metric("loss", 1.0)
    assert mltrack.get_run(run.info.run_id).info.status == "FINISHED"
    assert "no such sensor" in caplog.text
    assert samplers() == []


@pytest.mark.parametrize("text", ["soon", "0", "-1", "nan"])
def test_an_interval_that_is_none_is_said_and_not_used(mltrack, environment, caplog, text):
    environment.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", text)
    with mltrack.start_run(log_system_metrics=True):
        pass
    assert "is no number greater than 0" in caplog.text
