"""Downloading a folder from wherever a store keeps it; names that a server sends are checked first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mltrack_jupyter.entities import FileInfo
from mltrack_jupyter.errors import InvalidParameter, Unavailable
from mltrack_jupyter.services import Download, Repository
from mltrack_jupyter.store.artifacts import check_path, resolve, save

MAX_FILES = 10_000
MAX_DEPTH = 30


def download_tree(
    tree: Repository, path: str, target: Path, top: Sequence[FileInfo] | None = None
) -> None:
    """Copy a folder and everything below it into an existing, empty folder.

    ``top`` is what is in the folder itself, for who has asked for that already.

    Raises
    ------
    InvalidParameter
        A name would lead out of the folder, or there are more files than a model may have.
    Unavailable
        A file arrived shorter or longer than announced.
    DamagedArtifact
        A file is not the one that was logged.
    """
    waiting = [""]
    count = 0
    while waiting:
        below = waiting.pop()
        if below or top is None:
            top = tree.list(f"{path}/{below}" if below and path else below or path)
        for item in top:
            count += 1
            name = _child(below, item.path)
            if count > MAX_FILES or name.count("/") > MAX_DEPTH:
                raise InvalidParameter(
                    f"'{path}' is not downloaded: a model may have {MAX_FILES:,} files and folders, "
                    f"{MAX_DEPTH} levels deep at most."
                )
            place = resolve(target, name)
            if item.is_dir:
                place.mkdir()
                waiting.append(name)
            else:
                _copy(tree.open(f"{path}/{name}" if path else name), place)


def _child(below: str, name: str) -> str:
    check_path(name)
    if "/" in name:
        raise InvalidParameter(f"{name!r} is not the name of one file.")
    return f"{below}/{name}" if below else name


def _copy(download: Download, place: Path) -> None:
    # A name that is listed twice, or differs only in case on some systems, is an error.
    if place.exists():
        raise InvalidParameter(f"The file '{place.name}' is listed twice.")
    save(download, place)
    size = place.stat().st_size
    if download.size > 0 and size != download.size:
        raise Unavailable(
            f"The file '{place.name}' arrived with {size:,} bytes instead of {download.size:,}."
        )
