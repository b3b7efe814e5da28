"""Trees of files, wherever they are: listed, read, and written below an artifact URI of a store."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlsplit

from mltrack_jupyter.entities import FileInfo
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.services import Download, Repository, Services
from mltrack_jupyter.store.artifacts import (
    PROXY,
    RootServed,
    check_path,
    chosen_location,
    is_direct,
    is_here,
    is_local,
    local_path,
    scheme_of,
)

_MAX_DEPTH = 60
_MAX_FILES = 1_000_000


class Files(Protocol):
    """Folders and files by paths relative to some root."""

    def list(self, path: str = "") -> Sequence[FileInfo]:
        """Return the children of a folder by base name; nothing for a file or a missing path."""
        ...

    def open(self, path: str) -> Download:
        """Open a file."""
        ...


def files_at(services: Services, uri: str) -> Repository | None:
    """Return the files behind an artifact URI of a store; ``None`` where the store cannot reach them."""
    scheme = scheme_of(uri)
    if scheme == PROXY:
        return RootServed(services.artifact_files, check_path(urlsplit(uri).path.strip("/")))
    return services.files_at(uri, "") if is_here(uri, services.uri) or is_direct(scheme) else None


def is_there(uri: str) -> bool:
    """Tell whether a place of this machine exists."""
    return is_local(uri) and os.path.exists(local_path(uri))


def not_copied(uri: str, source: object) -> str:
    """Say that files are not read, because nobody but a database names their place; and what would be right."""
    if not is_there(uri):
        return f"its files are not here: {uri}"
    place = chosen_location(local_path(uri))  # the same for all runs of its experiment
    return (
        f"its files are not copied: {uri} is outside of the folder of {source}. If they are yours, say: "
        f"--artifacts {shlex.quote(str(place))}"
    )


def walk(files: Files, notes: list[str], what: str) -> dict[str, int]:
    """Return every file below a tree with its size; names that cannot be kept go to the notes."""
    found: dict[str, int] = {}
    waiting = [""]
    while waiting:
        below = waiting.pop()
        if len(found) + len(waiting) > _MAX_FILES:
            raise InvalidParameter(f"there are more than {_MAX_FILES:,} files and folders.")
        for item in files.list(below):
            path = f"{below}/{item.path}" if below else item.path
            try:
                check_path(path)
                if "/" in item.path or path.count("/") > _MAX_DEPTH:
                    raise InvalidParameter(f"{path!r} is not the path of a file.")
            except InvalidParameter as error:
                notes.append(f"{what}: a file is left out: {error}")
                continue
            if item.is_dir:
                waiting.append(path)
            else:
                found[path] = item.file_size
    return dict(sorted(found.items()))
