"""Files below a local folder: written whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path
from typing import BinaryIO

from mltrack_jupyter.entities import FileInfo
from mltrack_jupyter.errors import InvalidParameter, NotFound, StoreUnwritable
from mltrack_jupyter.services import Download
from mltrack_jupyter.store.artifacts.paths import check_path, resolve

_CHUNK = 1024 * 1024
_TEMPORARY = ".upload-"
# What a path that leads to no file can end in; the system's limit for a whole path counts the root.
_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG}


class LocalFiles:
    """Artifacts below one folder, which is created when the first of them is written."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def list(self, path: str = "") -> list[FileInfo]:
        """Return the children of a directory by base name; nothing for a file or a missing path."""
        place = resolve(self.root, path)
        try:
            entries = sorted(os.scandir(place), key=lambda entry: entry.name)
        except OSError as error:
            if error.errno in _ABSENT:
                return []
            raise
        found = []
        for entry in entries:
            if entry.name.startswith(_TEMPORARY) or entry.is_symlink():
                continue
            is_dir = entry.is_dir()
            size = 0 if is_dir else entry.stat().st_size
            found.append(FileInfo(path=entry.name, is_dir=is_dir, file_size=size))
        return found

    def open(self, path: str) -> Download:
        """Open a file. Raises ``NotFound``, and ``InvalidParameter`` for a directory."""
        place = resolve(self.root, check_path(path))
        if os.path.isdir(place):
            raise InvalidParameter(f"{path!r} is a directory; list it and ask for its files.")
        try:
            handle = os.open(place, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        except OSError as error:
            raise NotFound(f"There is no artifact {path!r}.") from error
        file = os.fdopen(handle, "rb")
        found = os.fstat(handle)
        return Download(file, place.name, found.st_size, found.st_mtime_ns)

    def write(self, path: str, body: BinaryIO) -> None:
        """Write a file under a temporary name and then give it its own."""
        place = resolve(self.root, check_path(path))
        if os.path.isdir(place):
            raise InvalidParameter(f"{path!r} is a directory and cannot be overwritten by a file.")
        temporary = ""
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                dir=place.parent, prefix=_TEMPORARY, delete=False
            ) as file:
                temporary = file.name
                shutil.copyfileobj(body, file, _CHUNK)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, place)
        except OSError as error:
            raise _unwritable(path, error) from error
        finally:
            if temporary and os.path.exists(temporary):
                os.unlink(temporary)

    def delete(self, path: str) -> None:
        """Delete a file or a tree; the root itself can never be named."""
        place = resolve(self.root, check_path(path))
        try:
            if os.path.isdir(place):
                shutil.rmtree(place)
            else:
                place.unlink()
        except OSError as error:
            if error.errno not in _ABSENT:
                raise StoreUnwritable(
                    f"The artifact {path!r} cannot be deleted: {error.strerror or error}."
                ) from error


def _unwritable(path: str, error: OSError) -> InvalidParameter | StoreUnwritable:
    if isinstance(error, NotADirectoryError | FileExistsError) or error.errno == errno.ENAMETOOLONG:
        return InvalidParameter(
            f"The artifact {path!r} cannot be written: a part of its path is a file, or too long."
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreUnwritable(f"The disk is full: the artifact {path!r} was not written.")
    return StoreUnwritable(f"The artifact {path!r} cannot be written: {error.strerror or error}.")
