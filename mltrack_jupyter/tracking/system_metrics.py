"""The load of the machine as metrics of a run, sampled by a thread that ends with the run.

Names and units are MLflow's. Whatever goes wrong here is said in the log, and never in the training.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from typing import Any

from mltrack_jupyter import config
from mltrack_jupyter.errors import InvalidParameter, MltrackError
from mltrack_jupyter.tracking import logging as verbs
from mltrack_jupyter.tracking import session
from mltrack_jupyter.tracking.scope import ActiveRun

_ENABLED = "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING"
_INTERVAL = "MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL"
_SAMPLES = "MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING"
_NODE = "MLFLOW_SYSTEM_METRICS_NODE_ID"
_PREFIX = "system/"
_MEGABYTE = 1e6
_log = logging.getLogger(__name__)


def enable_system_metrics_logging() -> None:
    """Log the load of the machine to the runs that are started from now on."""
    os.environ[_ENABLED] = "true"


def disable_system_metrics_logging() -> None:
    """Log no load of the machine any more, except to runs that ask for it."""
    os.environ[_ENABLED] = "false"


def set_system_metrics_sampling_interval(interval: float | None) -> None:
    """Look every ``interval`` seconds; ``None`` stands for 10."""
    _set(_INTERVAL, interval, "seconds")


def set_system_metrics_samples_before_logging(samples: int | None) -> None:
    """Log the mean of so many samples; ``None`` stands for 1."""
    _set(_SAMPLES, samples, "samples")


def set_system_metrics_node_id(node_id: str | None) -> None:
    """Put the name of this machine into the names of the metrics; ``None`` leaves it out."""
    if node_id is None:
        os.environ.pop(_NODE, None)
    else:
        os.environ[_NODE] = str(node_id)


def _set(name: str, value: float | None, unit: str) -> None:
    if value is None:
        os.environ.pop(name, None)
    elif isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise InvalidParameter(f"The number of {unit} must be greater than 0, not {value!r}.")
    else:
        os.environ[name] = str(value)


def _number(name: str, default: float) -> float:
    text = config.setting(name)
    try:
        found = float(text or default)
    except ValueError:
        found = 0.0
    if found > 0:
        return found
    _log.warning("%s=%r is no number greater than 0; %s is used.", name, text, default)
    return default


def is_wanted(asked: bool | None) -> bool:
    """Tell whether a run is to have the load of the machine: as asked, else by the environment."""
    return asked if asked is not None else config.setting(_ENABLED).lower() in ("true", "1")


def watch(run: ActiveRun, asked: bool | None = None) -> None:
    """Log the load of the machine to a run until it ends, if that is wanted."""
    if not is_wanted(asked):
        return
    try:
        sampler = Sampler(run.info.run_id, _next_step(run))
    except (ImportError, OSError, RuntimeError) as error:
        _log.warning("The load of the machine is not logged: %s (pip install psutil)", error)
        return
    run.on_end.append(sampler.stop)
    sampler.start()


def install() -> None:
    """Watch every run that is started."""
    session.default.watch = watch


def _next_step(run: ActiveRun) -> int:
    # A run that is resumed goes on with the steps where it stopped.
    steps = [item.step for item in run.data.metric_list if item.key.startswith(_PREFIX)]
    return max(steps, default=-1) + 1


class Sampler(threading.Thread):
    """Looks at the machine every few seconds and logs what it saw, until it is stopped."""

    def __init__(self, run_id: str, step: int = 0) -> None:
        super().__init__(name=f"mltrack-system-metrics-{run_id[:8]}", daemon=True)
        self._run_id = run_id
        self._step = step
        self._interval = _number(_INTERVAL, 10)
        self._samples = max(1, int(_number(_SAMPLES, 1)))
        node = config.setting(_NODE)
        self._prefix = f"{_PREFIX}{node}/" if node else _PREFIX
        self._ended = threading.Event()
        self._before = _network()

    def run(self) -> None:
        """Sample until the run ends; a failure ends the sampling and nothing else."""
        import psutil

        samples: list[Mapping[str, float]] = []
        try:
            while not self._ended.is_set():
                samples.append(self._look())
                if self._ended.wait(self._interval) or len(samples) < self._samples:
                    continue
                self._write(samples)
                samples = []
            if samples:
                self._write(samples)
        except (MltrackError, psutil.Error, OSError, RuntimeError, ValueError) as error:
            _log.warning("The load of the machine is no longer logged: %s", error)

    def stop(self) -> None:
        """End the sampling, and wait until what was seen is written."""
        self._ended.set()
        if self.is_alive() and threading.current_thread() is not self:
            self.join(timeout=5)

    def _look(self) -> dict[str, float]:
        received, sent = _network()
        return {
            **_machine(),
            "network_receive_megabytes": received - self._before[0],
            "network_transmit_megabytes": sent - self._before[1],
        }

    def _write(self, samples: list[Mapping[str, float]]) -> None:
        last = samples[-1]
        found: dict[str, Any] = {
            # Traffic is counted from the start; everything else is a mean.
            name: last[name]
            if name.startswith("network_")
            else round(sum(sample[name] for sample in samples) / len(samples), 1)
            for name in last
        }
        points = {self._prefix + name: value for name, value in found.items()}
        verbs.log_metrics(points, step=self._step, run_id=self._run_id)
        self._step += 1


def _network() -> tuple[float, float]:
    """Return what was received and sent since the machine was started, in megabytes."""
    import psutil

    counted = psutil.net_io_counters()
    if counted is None:  # a machine without a network
        return 0.0, 0.0
    return counted.bytes_recv / _MEGABYTE, counted.bytes_sent / _MEGABYTE


def _machine() -> dict[str, float]:
    import psutil

    memory, disk = psutil.virtual_memory(), psutil.disk_usage(os.sep)
    return {
        "cpu_utilization_percentage": psutil.cpu_percent(),
        "system_memory_usage_megabytes": memory.used / _MEGABYTE,
        "system_memory_usage_percentage": memory.used / memory.total * 100,
        "disk_usage_percentage": disk.percent,
        "disk_usage_megabytes": disk.used / _MEGABYTE,
        "disk_available_megabytes": disk.free / _MEGABYTE,
    }
