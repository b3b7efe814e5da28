"""Logging to the active run: params, metrics, tags and artifacts. Without a run, one is opened."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from mltrack_jupyter.entities import Metric, Param, Tag
from mltrack_jupyter.errors import InvalidParameter, NotFound
from mltrack_jupyter.services import Services
from mltrack_jupyter.store.artifacts import PROXY, LocalFiles, Locations, check_path, scheme_of
from mltrack_jupyter.tracking import scope, session
from mltrack_jupyter.tracking.clock import now_ms
from mltrack_jupyter.tracking.runs import start_run

_BATCH = 100
_POINTS = 1000


def _target(run_id: str | None) -> tuple[str, Services, tuple[set[str], set[str]]]:
    if run_id is not None:
        found = scope.find(run_id)
        return run_id, session.services(), found.logged if found else (set(), set())
    run = scope.active_run()
    if run is None:
        run = start_run()
        run.implicit = True
    return run.info.run_id, run.services, run.logged


def logged_keys(run_id: str) -> tuple[set[str], set[str]]:
    """Return the names of the params and of the metrics that this process logged to an open run."""
    found = scope.find(run_id)
    return found.logged if found else (set(), set())


def to_number(key: str, value: Any) -> float:
    """Return a metric's value as a float. Raises ``InvalidParameter`` for what is no number."""
    try:
        # Arrays of one element, tensors on any device and numpy's scalars have item().
        return float(value.item() if hasattr(value, "item") else value)
    except (TypeError, ValueError) as error:
        shown = repr(value)[:80]
        raise InvalidParameter(
            f"The metric {key!r} needs a number, not {shown} ({type(value).__name__}). Text belongs into "
            "log_param or set_tag."
        ) from error


def _step(key: str, step: Any) -> int:
    if step is None:
        return 0
    try:
        number = int(step)
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None or number != step:
        raise InvalidParameter(f"The step of the metric {key!r} must be a whole number, not {step!r}.")
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
    now = now_ms() if timestamp is None else timestamp
    points = [Metric(key, to_number(key, v), now, _step(key, step)) for key, v in metrics.items()]
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


def upload(services: Services, run_id: str, path: str, body: BinaryIO) -> None:
    """Write one file of a run, wherever its artifacts are."""
    check_path(path)
    uri = services.runs.get(run_id).info.artifact_uri
    if scheme_of(uri) == PROXY:
        root = Locations(Path(), local_paths=False).split(uri)
        services.artifact_files.upload(f"{root}/{path}", body)
    elif scheme_of(uri) in ("", "file"):
        LocalFiles(Path(uri.removeprefix("file://"))).write(path, body)
    else:
        raise InvalidParameter(
            f"The artifacts of the run {run_id} are at {scheme_of(uri)}:, which this version cannot write."
        )


def log_bytes(run_id: str, path: str, data: bytes) -> None:
    """Write bytes as one file of a run."""
    upload(session.services(), run_id, path, io.BytesIO(data))


def log_artifact(
    local_path: str | os.PathLike[str],
    artifact_path: str | None = None,
    run_id: str | None = None,
) -> None:
    """Copy a file or a directory into the artifacts of the active run, below ``artifact_path``.

    Raises ``NotFound`` if there is nothing at ``local_path``.
    """
    source = Path(local_path)
    if source.is_dir():
        log_artifacts(source, "/".join(filter(None, (artifact_path, source.name))), run_id)
        return
    target, services, _ = _target(run_id)
    path = "/".join(filter(None, ((artifact_path or "").strip("/"), source.name)))
    try:
        with source.open("rb") as file:
            upload(services, target, path, file)
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {os.fspath(source)!r} to log.") from error


def log_artifacts(
    local_dir: str | os.PathLike[str],
    artifact_path: str | None = None,
    run_id: str | None = None,
) -> None:
    """Copy what is in a directory into the artifacts of the active run."""
    root = Path(local_dir)
    if not root.is_dir():
        raise NotFound(f"There is no directory {os.fspath(root)!r} to log.")
    target, _, _ = _target(run_id)
    for place in sorted(root.rglob("*")):
        if place.is_file():
            inner = place.relative_to(root).parent.as_posix()
            below = "/".join(p for p in ((artifact_path or "").strip("/"), inner) if p not in ("", "."))
            log_artifact(place, below, target)


def log_text(text: str, artifact_file: str, run_id: str | None = None) -> None:
    """Write text (UTF-8) as a file of the active run."""
    target, services, _ = _target(run_id)
    upload(services, target, artifact_file, io.BytesIO(text.encode()))


def log_dict(dictionary: Any, artifact_file: str, run_id: str | None = None) -> None:
    """Write a dict or list as a JSON file, or as YAML if the name ends in ``.yaml`` or ``.yml``."""
    if artifact_file.endswith((".yaml", ".yml")):
        import yaml

        text = yaml.safe_dump(dictionary, allow_unicode=True, sort_keys=False)
    else:
        text = json.dumps(dictionary, indent=2, default=str, ensure_ascii=False)
    log_text(text, artifact_file, run_id)


def log_figure(figure: Any, artifact_file: str, *, save_kwargs: dict[str, Any] | None = None) -> None:
    """Write a matplotlib figure (in the format of the name's ending) or a plotly figure (``.html``)."""
    target, services, _ = _target(None)
    buffer = io.BytesIO()
    if hasattr(figure, "savefig"):
        kind = Path(artifact_file).suffix.lstrip(".") or "png"
        figure.savefig(buffer, format=kind, **(save_kwargs or {}))
    elif hasattr(figure, "write_html") and artifact_file.endswith(".html"):
        text = io.StringIO()
        figure.write_html(text, include_plotlyjs="cdn", auto_open=False)
        buffer.write(text.getvalue().encode())
    else:
        name = type(figure).__name__
        raise InvalidParameter(
            f"log_figure takes a matplotlib figure, or a plotly figure with a name ending in .html, not "
            f"a {name} for {artifact_file!r}."
        )
    buffer.seek(0)
    upload(services, target, artifact_file, buffer)


