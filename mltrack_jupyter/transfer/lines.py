"""The lines of an export: one JSON value each, floats that JSON lacks as text."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, TypeVar

import msgspec

from mltrack_jupyter.entities import (
    Amendment,
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
DAMAGED = (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError)
"""What reading an export that is damaged, or locked by a password, may end in."""


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
    """A run, the number of its metric points (in ``points/<run id>.jsonl``), its files, what was amended."""

    run: Run
    points: int
    files: list[Blob] | None = None
    amendments: list[Amendment] = []


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


def decode(kind: type[T], body: BinaryIO, name: str, longest: int) -> Iterator[T | StoreUnreadable]:
    """Read the values of some lines; what cannot be read comes as an error in its place.

    A line of more than ``longest`` bytes is the last that is looked at.
    """
    number = 0
    try:
        while line := body.readline(longest + 1):
            number += 1
            if len(line) > longest:
                yield StoreUnreadable(
                    f"{name}, line {number} is longer than {longest:,} bytes; what follows is not read."
                )
                return
            try:
                yield msgspec.convert(msgspec.json.decode(line), kind, strict=False)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                yield StoreUnreadable(f"{name}, line {number} cannot be read: {error}")
    except DAMAGED as error:
        yield StoreUnreadable(f"{name} cannot be read after line {number}: {error}")


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value
