"""Reading the small files of an ``mlruns`` folder: nothing outside it, nothing but plain data."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from msgspec.structs import replace

from mltrack_jupyter.entities import Metric, RunStatus

_MAX_META = 16 * 1024 * 1024
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


def inside(root: Path, path: Path) -> Path:
    """Return the real place of a path below the real ``root``. Raises ``UnreadableError`` if it leaves it."""
    real = os.path.realpath(path)
    if os.path.commonpath((real, root)) != str(root):
        raise UnreadableError(f"{path.name!r} is a link that leads out of the folder")
    return Path(real)


def read_yaml(root: Path, path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file. Raises ``UnreadableError``."""
    try:
        place = inside(root, path)
        if place.stat().st_size > _MAX_META:
            raise UnreadableError(f"{path.name} is larger than {_MAX_META} bytes")
        found = yaml.safe_load(place.read_text("utf-8"))
    except FileNotFoundError as error:
        raise UnreadableError(f"there is no {path.name}") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise UnreadableError(
            f"{path.name} cannot be read: {' '.join(str(error).split())}"
        ) from error
    if not isinstance(found, dict):
        raise UnreadableError(
            f"{path.name} is empty" if found is None else f"{path.name} is no mapping"
        )
    return found


def read_pairs(root: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """Return name and text of every file below a folder; slashes of a name are folders."""
    for name, place in key_files(root, folder):
        try:
            yield name, place.read_text("utf-8").removesuffix("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise UnreadableError(f"{folder.name}/{name} cannot be read: {error}") from error


def key_files(root: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    """Return name and real place of every file below a folder, sorted by name."""
    if not folder.is_dir():
        return
    top = inside(root, folder)
    found = []
    for here, _, names in os.walk(top, followlinks=False):
        found += [Path(here) / name for name in names if not name.startswith(".DS_Store")]
    for place in sorted(found):
        yield place.relative_to(top).as_posix(), inside(root, place)


def read_points(root: Path, folder: Path, notes: list[str], what: str) -> Iterator[Metric]:
    """Return the points of every metric below a folder; a damaged line is left out with a note.

    A line that comes again was logged again: each has its ordinal.
    """
    for key, place in key_files(root, folder):
        seen: Counter[tuple[int, int, str]] = Counter()
        with place.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                point = _point(key, line)
                if point is None:
                    shown = line.strip()[:60]
                    notes.append(f"{what}: metric {key!r}, line {number} is left out: {shown!r}")
                else:
                    alike = point.timestamp, point.step, repr(point.value)
                    yield replace(point, ordinal=seen[alike])
                    seen[alike] += 1


def _point(key: str, line: str) -> Metric | None:
    parts = line.split()
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
    except (TypeError, ValueError) as error:
        raise UnreadableError(f"{name} is no number: {value!r}") from error


def text_of(meta: dict[str, Any], name: str) -> str:
    """Return a text of a mapping, ``""`` where it is absent."""
    value = meta.get(name)
    return "" if value is None else str(value)
