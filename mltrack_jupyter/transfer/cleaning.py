"""Leaving out what a store would refuse, with a note, so that one odd tag does not cost the run."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from msgspec.structs import replace

from mltrack_jupyter.entities import Metric, Param, Run, Tag
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store import rules

T = TypeVar("T")
_NOTED = 20


def clean_run(run: Run, what: str, notes: list[str]) -> Run:
    """Return a run with the params and tags that a store accepts; of a key given twice the first."""
    params = _accepted(run.data.param_list, _check_param, what, notes)
    unique = {param.key: param for param in reversed(params)}
    data = replace(
        run.data,
        metric_list=[],
        param_list=[param for param in params if unique[param.key] is param],
        tag_list=clean_tags(run.data.tag_list, what, notes),
    )
    return replace(run, data=data)


def clean_tags(tags: Sequence[Tag], what: str, notes: list[str]) -> list[Tag]:
    """Return the tags that a store accepts."""
    return _accepted(tags, _check_tag, what, notes)


def clean_points(points: Iterable[Metric], what: str, notes: list[str]) -> list[Metric]:
    """Return the points that a store accepts, exact repetitions once."""
    found: dict[tuple[str, int, int, int, bytes], Metric] = {}
    for point in _accepted(points, rules.check_metric, what, notes):
        value = struct.pack("<d", point.value)
        key = (point.key, point.timestamp, point.step, point.ordinal, value)
        if key not in found:
            found[key] = Metric(
                point.key, point.value, point.timestamp, point.step, ordinal=point.ordinal
            )
    return list(found.values())


def _accepted(
    items: Iterable[T], check: Callable[[T], object], what: str, notes: list[str]
) -> list[T]:
    found = []
    refused = 0
    for item in items:
        try:
            check(item)
        except InvalidParameter as error:
            refused += 1
            if refused <= _NOTED:
                notes.append(f"{what}: left out: {error}")
            continue
        found.append(item)
    if refused > _NOTED:
        notes.append(f"{what}: {refused - _NOTED} more left out for such reasons")
    return found


def _check_param(param: Param) -> None:
    rules.check_pairs([param], "param")


def _check_tag(tag: Tag) -> None:
    rules.check_pairs([tag], "tag")
