"""What a caller logs at once, made of plain values and divided as a store takes it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mltrack_jupyter.entities import Metric, Param, Tag
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store import rules

Batch = tuple[list[Metric], list[Param], list[Tag]]


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


def points(metrics: Iterable[Any]) -> list[Metric]:
    """Return points of plain numbers for points with any: arrays, tensors, fractions, texts of numbers."""
    return [
        Metric(
            rules.check_key(point.key, "metric"),
            to_number(point.key, point.value),
            _time(point.key, point.timestamp),
            to_whole("step", point.key, point.step),
            dataset_name=getattr(point, "dataset_name", "") or "",
            dataset_digest=getattr(point, "dataset_digest", "") or "",
            model_id=getattr(point, "model_id", "") or "",
            ordinal=getattr(point, "ordinal", 0),
        )
        for point in metrics
    ]


def _time(key: str, value: Any) -> int:
    # Seconds times 1,000 are rarely whole; what is less than a millisecond is left out, as MLflow does.
    if isinstance(value, float) and math.isfinite(value):
        value = math.floor(value)
    return to_whole("timestamp", key, value)


def params(given: Iterable[Any]) -> list[Param]:
    """Return params whose values are text."""
    return [Param(param.key, str(param.value)) for param in given]


def tags(given: Iterable[Any]) -> list[Tag]:
    """Return tags whose values are text."""
    return [Tag(tag.key, str(tag.value)) for tag in given]


def divided(
    metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[Tag]
) -> Iterator[Batch]:
    """Yield what is logged in batches that a store takes, after all of it was checked.

    Raises ``InvalidParameter`` before the first of them.
    """
    for point in metrics:
        rules.check_metric(point)
    rules.check_pairs(params, "param")
    rules.check_unique(params, "param")
    rules.check_run_tags(tags)
    points = 0
    for first in range(0, max(len(params), len(tags)), rules.MAX_PAIRS):
        some, others = (
            params[first : first + rules.MAX_PAIRS],
            tags[first : first + rules.MAX_PAIRS],
        )
        room = rules.MAX_BATCH - len(some) - len(others)
        yield list(metrics[points : points + room]), list(some), list(others)
        points += room
    for first in range(points, len(metrics), rules.MAX_BATCH):
        yield list(metrics[first : first + rules.MAX_BATCH]), [], []
