"""Reading the small files of an ``mlruns`` folder: nothing outside it, nothing but plain data."""

from __future__ import annotations

import os
import reprlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from msgspec.structs import replace

from mltrack_jupyter.entities import Metric, RunStatus
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store.artifacts import LocalFiles, tree, walked
from mltrack_jupyter.store.yaml_text import MAX_BYTES, parse_mapping

_MAX_TEXT = 16 * 1024 * 1024
_MAX_LINE = 10_000
_MAX_KEYS = 100_000
_MAX_DEPTH = 60
_MAX_NOTES = 10_000
_CHUNK = 1024 * 1024
_SHOWN = 300
_STATUSES = list(RunStatus)
_SOURCE_TYPES = {"1": "NOTEBOOK", "2": "JOB", "3": "PROJECT", "4": "LOCAL"}
# What 2018 kept in a run's meta.yaml, and in columns of its row, is a tag today.
_OLD_FIELDS = {
    "source_name": "mlflow.source.name",
    "source_version": "mlflow.source.git.commit",
    "entry_point_name": "mlflow.project.entryPoint",
}


class UnreadableError(ValueError):
    """A file of the folder that is not what it should be."""


@contextmanager
def opened(root: Path, path: Path) -> Iterator[BinaryIO]:
    """Open a regular file below ``root`` that is reached without a link. Raises ``UnreadableError``."""
    try:
        *above, name = path.relative_to(root).parts
        with walked(root, above) as folder:
            handle = folder.open(name)
    except FileNotFoundError as error:
        raise UnreadableError(f"there is no {path.name}") from error
    except InvalidParameter as error:
        raise UnreadableError(_why(path, error)) from error
    except (OSError, ValueError) as error:
        raise UnreadableError(f"{path.name} cannot be read: {_line(error)}") from error
    with os.fdopen(handle, "rb") as file:
        yield file


def _why(path: Path, error: InvalidParameter) -> str:
    if "is a link" in error.message:
        return (
            f"{path.name!r} is, or is behind, a link, and what leads out of the folder is not read"
        )
    return error.message.rstrip(".")


def _line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def artifacts_of(root: Path, place: Path, what: str, notes: list[str]) -> LocalFiles:
    """Return the files of a folder; what of them is none goes to the notes."""
    return LocalFiles(place, root, lambda text: _note(notes, f"{what}: left out: {text}"))


def read_text(root: Path, path: Path, limit: int = _MAX_TEXT) -> str:
    """Return a small file. Raises ``UnreadableError``."""
    with opened(root, path) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise UnreadableError(f"{path.name} is larger than {limit:,} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise UnreadableError(f"{path.name} cannot be read: {error}") from error


def read_yaml(root: Path, path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file. Raises ``UnreadableError``."""
    content = read_text(root, path, MAX_BYTES)
    if not content.strip():
        raise UnreadableError(f"{path.name} is empty")
    try:
        return parse_mapping(content, path.name)
    except (InvalidParameter, OverflowError) as error:
        raise UnreadableError(f"{path.name} cannot be read: {_line(error)}") from error


def read_pairs(root: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """Return name and text of every file below a folder; slashes of a name are folders."""
    for name, place, _ in key_files(root, folder):
        yield name, read_text(root, place).removesuffix("\n")


def key_files(root: Path, folder: Path) -> Iterator[tuple[str, Path, int]]:
    """Return name, place and size of every file below a folder, sorted by name."""
    names = folder.relative_to(root).parts
    found: list[tuple[str, Path, int]] = []
    try:
        for below, entries in tree(root, names):
            for entry in entries:
                if not entry.name.startswith(".DS_Store"):
                    size = entry.stat(follow_symlinks=False).st_size
                    place = folder.joinpath(*below, entry.name)
                    found.append(("/".join((*below, entry.name)), place, size))
            if len(found) > _MAX_KEYS or len(below) > _MAX_DEPTH:
                raise UnreadableError(
                    f"{folder.name} has more than {_MAX_KEYS:,} files, or is deeper than {_MAX_DEPTH} folders"
                )
    except InvalidParameter as error:
        raise UnreadableError(_why(folder, error)) from error
    yield from sorted(found)


def read_points(root: Path, folder: Path, notes: list[str], what: str) -> Iterator[Metric]:
    """Return the points of every metric below a folder; a damaged line is left out with a note.

    A line that comes again was logged again: each has its ordinal.
    """
    for key, place, _ in key_files(root, folder):
        seen: Counter[tuple[int, int, str]] = Counter()
        with opened(root, place) as file:
            for number, line in enumerate(_lines(file), 1):
                if not line.strip():
                    continue
                point = _point(key, line)
                if point is None:
                    shown = line.strip()[:60]
                    _note(notes, f"{what}: metric {key!r}, line {number} is left out: {shown!r}")
                else:
                    alike = point.timestamp, point.step, repr(point.value)
                    yield replace(point, ordinal=seen[alike])
                    seen[alike] += 1


def _lines(file: BinaryIO) -> Iterator[str]:
    """Return the lines of a file, of one that is too long only its beginning."""
    while line := file.readline(_MAX_LINE):
        text = line.decode("utf-8", "replace")
        while line and not line.endswith(b"\n"):
            line = file.readline(_CHUNK)
            text += "…" if line else ""
        yield text[: _MAX_LINE + 1]


def _note(notes: list[str], text: str) -> None:
    if len(notes) < _MAX_NOTES:
        notes.append(text)
    elif len(notes) == _MAX_NOTES:
        notes.append("there is more of this kind")


def _point(key: str, line: str) -> Metric | None:
    parts = line.split()
    if len(line) > _MAX_LINE:
        return None
    try:
        if len(parts) == 2:  # before MLflow 1.0: seconds and no step
            return Metric(key, float(parts[1]), int(parts[0]) * 1000)
        time, value, step = int(parts[0]), float(parts[1]), int(parts[2])
    except (ValueError, IndexError):
        return None
    run_id, name, digest = [*parts[3:6], "", "", ""][:3]
    return Metric(key, value, time, step, name, digest, "", run_id)


def status_of(value: object) -> RunStatus:
    """Return the status that a file names by number (2018) or name."""
    text = str(value)
    if text.isdigit() and 1 <= int(text) <= len(_STATUSES):
        return _STATUSES[int(text) - 1]
    try:
        return RunStatus(text)
    except ValueError as error:
        raise UnreadableError(f"the status {text!r} is unknown") from error


def old_tags(meta: dict[str, Any]) -> dict[str, str]:
    """Return the tags that stand for the fields of before MLflow 1.0."""
    found = {key: text_of(meta, name) for name, key in _OLD_FIELDS.items() if text_of(meta, name)}
    kind = text_of(meta, "source_type")
    kind = _SOURCE_TYPES.get(kind, kind if kind in _SOURCE_TYPES.values() else "")
    return found | ({"mlflow.source.type": kind} if kind and text_of(meta, "source_name") else {})


def whole_number(meta: dict[str, Any], name: str) -> int:
    """Return a number of a mapping, 0 where it is absent."""
    value = meta.get(name)
    try:
        return int(value) if value is not None else 0
    except (TypeError, ValueError, OverflowError) as error:
        raise UnreadableError(f"{name} is no whole number: {_shown(value)}") from error


def text_of(meta: dict[str, Any], name: str) -> str:
    """Return a text of a mapping, ``""`` where it is absent."""
    value = meta.get(name)
    if isinstance(value, list | dict | set | bytes):
        raise UnreadableError(f"{name} is no text: {_shown(value)}")
    try:
        return "" if value is None else str(value)
    except ValueError as error:  # a number of too many digits
        raise UnreadableError(f"{name} cannot be read: {_line(error)}") from error


def _shown(value: object) -> str:
    return reprlib.repr(value)
