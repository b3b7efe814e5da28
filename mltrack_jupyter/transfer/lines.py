"""The lines of an export: one JSON value each, floats that JSON lacks as text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import msgspec

from mltrack_jupyter.entities import (
    Experiment,
    LoggedModel,
    Metric,
    ModelVersion,
    RegisteredModel,
    Run,
)
from mltrack_jupyter.entities.base import Entity
from mltrack_jupyter.errors import StoreUnreadable

T = TypeVar("T")

FORMAT = 1
"""The number of the format; a reader refuses a greater one."""
MANIFEST = "mltrack-export.json"


class Blob(Entity, frozen=True, kw_only=True):
    """A file of a run or model; its bytes are in ``blobs/<sha256>``."""

    path: str
    size: int
    sha256: str


class Manifest(Entity, frozen=True, kw_only=True, omit_defaults=False):
    """What an export says of itself; it is written last, so that half an export is none."""

    format: int
    version: str
    created: int
    counts: dict[str, int] = {}


class RunLine(Entity, frozen=True, kw_only=True):
    """A run, the number of its metric points (in ``points/<run id>.jsonl``), and its files."""

    run: Run
    points: int
    files: list[Blob] | None = None


class ModelLine(Entity, frozen=True, kw_only=True):
    """A logged model and its files."""

    model: LoggedModel
    files: list[Blob] | None = None


class RegisteredLine(Entity, frozen=True, kw_only=True):
    """A registered model and its versions."""

    model: RegisteredModel
    versions: list[ModelVersion] = []


Line = Experiment | RunLine | ModelLine | RegisteredLine | Metric | Manifest


def encode(value: Line) -> bytes:
    """Write a value as one line."""
    return msgspec.json.encode(_finite(msgspec.to_builtins(value))) + b"\n"


def decode(kind: type[T], lines: Iterable[bytes], name: str) -> Iterator[T]:
    """Read the values of some lines. Raises ``StoreUnreadable``."""
    for number, line in enumerate(lines, 1):
        try:
            yield msgspec.convert(msgspec.json.decode(line), kind, strict=False)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise StoreUnreadable(f"{name}, line {number} cannot be read: {error}") from error


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value
