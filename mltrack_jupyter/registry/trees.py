"""Downloading a folder from wherever a store keeps it; names that a server sends are checked first."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mltrack_jupyter.entities import FileInfo
from mltrack_jupyter.errors import InvalidParameter, Unavailable
from mltrack_jupyter.services import ArtifactFiles, Download, RunArtifacts
from mltrack_jupyter.store.artifacts import check_path, resolve

MAX_FILES = 10_000
MAX_DEPTH = 30
_CHUNK = 1024 * 1024


class Tree(Protocol):
    """Folders and files by paths relative to some root."""

    def list(self, path: str = "") -> Sequence[FileInfo]:
        """Return the children of a folder by base name; nothing for a file or a missing path."""
        ...

    def open(self, path: str) -> Download:
        """Open a file."""
        ...


@dataclass(frozen=True)
class RunTree:
    """The artifacts of a run."""

    artifacts: RunArtifacts
    run_id: str

    def list(self, path: str = "") -> Sequence[FileInfo]:
        """Return the children of a folder by base name."""
        prefix = f"{path}/" if path else ""
        found: list[FileInfo] = []
        token = ""
        while True:
            page = self.artifacts.list(self.run_id, path, token)
            # A listing of a file answers the file itself on some servers; it is no child.
            children = [item for item in page.files if item.path.startswith(prefix)]
            found += [
                FileInfo(
                    path=item.path.removeprefix(prefix),
                    is_dir=item.is_dir,
                    file_size=item.file_size,
                )
                for item in children
            ]
            if not page.next_page_token or len(found) > MAX_FILES:
                return found
            token = page.next_page_token

    def open(self, path: str) -> Download:
        """Open a file."""
        return self.artifacts.read(self.run_id, path)


@dataclass(frozen=True)
class RootTree:
    """The files below a store's artifact root."""

    files: ArtifactFiles

    def list(self, path: str = "") -> Sequence[FileInfo]:
        """Return the children of a folder by base name."""
        return self.files.list(path).files

    def open(self, path: str) -> Download:
        """Open a file."""
        return self.files.download(path)


def download_tree(tree: Tree, path: str, target: Path) -> None:
    """Copy a folder and everything below it into an existing, empty folder.

    Raises
    ------
    InvalidParameter
        A name would lead out of the folder, or there are more files than a model may have.
    Unavailable
        A file arrived shorter or longer than announced.
    """
    waiting = [""]
    count = 0
    while waiting:
        below = waiting.pop()
        for item in tree.list(f"{path}/{below}" if below and path else below or path):
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
    # "x": a name that is listed twice, or differs only in case on some systems, is an error.
    try:
        with download.file as source, place.open("xb") as target:
            shutil.copyfileobj(source, target, _CHUNK)
            size = target.tell()
    except FileExistsError as error:
        raise InvalidParameter(f"The file '{place.name}' is listed twice.") from error
    if download.size > 0 and size != download.size:
        raise Unavailable(
            f"The file '{place.name}' arrived with {size:,} bytes instead of {download.size:,}."
        )
