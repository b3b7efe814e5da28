"""Writing what a cell made to its run, in batches; what is refused becomes a note, not an error."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from mltrack_jupyter.entities import Metric, Param, Tag
from mltrack_jupyter.errors import InvalidParameter, MltrackError
from mltrack_jupyter.services import Runs, Services

_PAIRS = 100
_POINTS = 1000
# MLflow's servers refuse longer tags.
_SHORT_TAG = 5000


def write_run(
    services: Services,
    run_id: str,
    *,
    params: Mapping[str, str] | None = None,
    metrics: Mapping[str, float] | None = None,
    tags: Mapping[str, str] | None = None,
) -> list[str]:
    """Write params, metrics and tags, and return notes on those that the store refused.

    Raises nothing that a store raises: what it did not take is in the notes.
    """
    now = int(time.time() * 1000)
    runs = services.runs
    notes: list[str] = []
    points = [Metric(key, value, now) for key, value in (metrics or {}).items()]
    pairs = [Param(key, value) for key, value in (params or {}).items()]
    marks = [Tag(key, value) for key, value in (tags or {}).items()]
    if max(len(pairs), len(marks)) <= _PAIRS and len(points) <= _POINTS - 2 * _PAIRS:
        # Nearly every cell: one transaction instead of three.
        with suppress(InvalidParameter):
            return _all_at_once(runs, run_id, points, pairs, marks)
    _send(points, _POINTS, lambda part: runs.log_batch(run_id, metrics=part), "metric", notes)
    _send(pairs, _PAIRS, lambda part: runs.log_batch(run_id, params=part), "param", notes)
    _send(marks, _PAIRS, lambda part: runs.log_batch(run_id, tags=part), "tag", notes)
    return notes


def _all_at_once(
    runs: Runs, run_id: str, points: list[Metric], pairs: list[Param], marks: list[Tag]
) -> list[str]:
    try:
        if points or pairs or marks:
            runs.log_batch(run_id, metrics=points, params=pairs, tags=marks)
    except InvalidParameter:
        raise
    except MltrackError as error:
        return [f"params, metrics and tags could not be stored: {error}"]
    return []


def _send(
    items: Sequence[Any], size: int, send: Callable[[list[Any]], None], kind: str, notes: list[str]
) -> None:
    for first in range(0, len(items), size):
        part = list(items[first : first + size])
        try:
            send(part)
        except InvalidParameter:
            # One bad name must not lose the others of its batch.
            for item in part:
                _send_one(item, send, kind, notes)
        except MltrackError as error:
            notes.append(f"{len(part)} {kind}s could not be stored: {error}")


def _send_one(item: Any, send: Callable[[list[Any]], None], kind: str, notes: list[str]) -> None:
    try:
        if isinstance(item, Tag) and len(item.value) > _SHORT_TAG:
            item = Tag(item.key, item.value[: _SHORT_TAG - 1] + "…")
        send([item])
    except MltrackError as error:
        notes.append(f"the {kind} {item.key!r} was not stored: {error}")
