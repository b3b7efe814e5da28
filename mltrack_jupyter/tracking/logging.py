"""Logging to the active run: params, metrics, tags and artifacts. Without a run, one is opened."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from mltrack_jupyter.entities import Metric, Param, Tag
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.services import Services
from mltrack_jupyter.tracking import scope, session
from mltrack_jupyter.tracking.artifacts import PathLike, RunFiles, dict_text, figure_bytes
from mltrack_jupyter.tracking.clock import now_ms
from mltrack_jupyter.tracking.corrections import corrected
from mltrack_jupyter.tracking.runs import start_run

_BATCH = 100
_POINTS = 1000


def _target(run_id: str | None) -> tuple[str, Services, tuple[set[str], set[str]]]:
    run = scope.active_run() if run_id is None else scope.find(run_id)
    if run is not None:
        return run.info.run_id, run.services, run.logged
    if run_id is not None:
        return run_id, session.services(), (set(), set())
    run = start_run()
    run.implicit = True
    return run.info.run_id, run.services, run.logged


def target_run(run_id: str | None) -> tuple[str, Services]:
    """Return the run to log to and its services: ``run_id``, the active run, or a new one."""
    target, services, _ = _target(run_id)
    return target, services


def _files(run_id: str | None) -> RunFiles:
    target, services = target_run(run_id)
    return RunFiles(services, target)


def logged_keys(run_id: str) -> tuple[set[str], set[str]]:
    """Return the names of the params and of the metrics that this process logged to an open run."""
    found = scope.find(run_id)
    return found.logged if found else (set(), set())


def to_number(key: str, value: Any) -> float:
    """Return a metric's value as a float. Raises ``InvalidParameter`` for what is no number."""
    try:
        # Arrays of one element, tensors on any device and numpy's scalars have item().
        return float(value.item() if hasattr(value, "item") else value)
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        shown = repr(value)[:80]
        raise InvalidParameter(
            f"The metric {key!r} needs a number, not {shown} ({type(value).__name__}). Text belongs into "
            "log_param or set_tag."
        ) from error


def to_whole(name: str, key: str, value: Any) -> int:
    """Return a step or a time as an int. Raises ``InvalidParameter`` for what is no whole number."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None or number != value:
        raise InvalidParameter(
            f"The {name} of the metric {key!r} must be a whole number, not {value!r}."
        )
    return number


def log_metric(
    key: str,
    value: float,
    step: int | None = None,
    synchronous: bool | None = None,
    timestamp: int | None = None,
    run_id: str | None = None,
) -> None:
    """Add a point to a metric of the active run.

    ``value`` may be NaN or infinite; ``step`` counts from 0 (0 where absent); ``timestamp`` is in
    milliseconds since the Unix epoch. Raises ``InvalidParameter``.
    """
    log_metrics({key: value}, step=step, timestamp=timestamp, run_id=run_id)


def log_metrics(
    metrics: Mapping[str, float],
    step: int | None = None,
    synchronous: bool | None = None,
    run_id: str | None = None,
    timestamp: int | None = None,
) -> None:
    """Add a point to several metrics: to all of them or, on an error, to none (1,000 at a time)."""
    time = now_ms() if timestamp is None else timestamp
    points = [
        Metric(
            key,
            to_number(key, value),
            to_whole("timestamp", key, time),
            to_whole("step", key, 0 if step is None else step),
        )
        for key, value in metrics.items()
    ]
    target, services, logged = _target(run_id)
    for first in range(0, len(points), _POINTS):
        services.runs.log_batch(target, metrics=points[first : first + _POINTS])
    logged[1].update(metrics)


def log_param(key: str, value: Any, synchronous: bool | None = None) -> Any:
    """Write a param of the active run, as text, and return its value.

    Raises ``InvalidParameter`` if it was logged with another value.
    """
    log_params({key: value})
    return value


def log_params(
    params: Mapping[str, Any], synchronous: bool | None = None, run_id: str | None = None
) -> None:
    """Write several params: all of them or, on an error, none (100 at a time)."""
    pairs = [Param(key, str(value)) for key, value in params.items()]
    target, services, logged = _target(run_id)
    pairs = corrected(services, target, pairs)
    for first in range(0, len(pairs), _BATCH):
        services.runs.log_batch(target, params=pairs[first : first + _BATCH])
    logged[0].update(params)


def set_tag(key: str, value: Any, synchronous: bool | None = None) -> None:
    """Set a tag of the active run."""
    set_tags({key: value})


def set_tags(
    tags: Mapping[str, Any], synchronous: bool | None = None, run_id: str | None = None
) -> None:
    """Set several tags."""
    pairs = [Tag(key, str(value)) for key, value in tags.items()]
    target, services, _ = _target(run_id)
    for first in range(0, len(pairs), _BATCH):
        services.runs.log_batch(target, tags=pairs[first : first + _BATCH])


def delete_tag(key: str) -> None:
    """Remove a tag of the active run. Raises ``NotFound`` if there is none of that key."""
    target, services, _ = _target(None)
    services.runs.delete_tag(target, key)


def log_bytes(run_id: str, path: str, data: bytes) -> None:
    """Write bytes as one file of a run."""
    _files(run_id).write(path, io.BytesIO(data))


def log_artifact(
    local_path: PathLike, artifact_path: str | None = None, run_id: str | None = None
) -> None:
    """Copy a file or a directory into the artifacts of the active run, below ``artifact_path``.

    Raises ``NotFound`` if there is nothing at ``local_path``.
    """
    _files(run_id).add(local_path, artifact_path or "")


def log_artifacts(
    local_dir: PathLike, artifact_path: str | None = None, run_id: str | None = None
) -> None:
    """Copy what is in a directory into the artifacts of the active run."""
    _files(run_id).add_content(local_dir, artifact_path or "")


def log_text(text: str, artifact_file: str, run_id: str | None = None) -> None:
    """Write text (UTF-8) as a file of the active run."""
    _files(run_id).write_text(artifact_file, text)


def log_dict(dictionary: Any, artifact_file: str, run_id: str | None = None) -> None:
    """Write a dict or list as a JSON file, or as YAML if the name ends in ``.yaml`` or ``.yml``."""
    log_text(dict_text(dictionary, artifact_file), artifact_file, run_id)


def log_figure(
    figure: Any, artifact_file: str, *, save_kwargs: dict[str, Any] | None = None
) -> None:
    """Write a matplotlib figure (in the format of the name's ending) or a plotly figure (``.html``)."""
    data = figure_bytes(figure, artifact_file, save_kwargs or {})
    _files(None).write(artifact_file, io.BytesIO(data))
