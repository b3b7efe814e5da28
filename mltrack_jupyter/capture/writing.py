"""Writing what a cell made to its run, by the journal; what no store takes becomes a note, not an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from mltrack_jupyter.errors import InvalidParameter, MltrackError
from mltrack_jupyter.store import rules
from mltrack_jupyter.tracking.writer import RunWriter

T = TypeVar("T")


def write_run(
    writer: RunWriter,
    *,
    params: Mapping[str, str] | None = None,
    metrics: Mapping[str, float] | None = None,
    tags: Mapping[str, str] | None = None,
) -> list[str]:
    """Write params, metrics and tags, and return notes on those that were refused.

    A store that is away refuses nothing: it gets them later. Raises nothing that a store raises.
    """
    notes: list[str] = []
    _send(writer.params, _valid(params or {}, "param", notes), "params", notes)
    _send(writer.metrics, _valid(metrics or {}, "metric", notes), "metrics", notes)
    _send(writer.tags, _valid(tags or {}, "tag", notes), "tags", notes)
    return notes


def _valid(values: Mapping[str, T], kind: str, notes: list[str]) -> dict[str, T]:
    """Return what a store takes: one bad name must not lose the others."""
    found: dict[str, T] = {}
    for key, value in values.items():
        try:
            rules.check_key(key, kind)
            if isinstance(value, str):
                rules.check_text(value, kind, key=key)
        except InvalidParameter as error:
            notes.append(f"the {kind} {key!r} was not stored: {error}")
        else:
            found[key] = value
    return found


def _send(
    send: Callable[[Mapping[str, T]], None], values: dict[str, T], what: str, notes: list[str]
) -> None:
    try:
        if values:
            send(values)
    except MltrackError as error:  # in strict mode
        notes.append(f"{len(values)} {what} could not be stored: {error}")
