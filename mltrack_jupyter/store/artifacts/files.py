"""Files below a local folder: written whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, cast

from mltrack_jupyter.entities import FileInfo
from mltrack_jupyter.errors import InvalidParameter, NotFound, StoreUnwritable
from mltrack_jupyter.services import Download, Written
from mltrack_jupyter.store.artifacts.paths import check_path, resolve
from mltrack_jupyter.store.artifacts.streams import CHUNK, TEMPORARY, HashedReader

# What a path that leads to no file can end in; the system's limit for a whole path counts the root.
_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG}


class LocalFiles:
    """Artifacts below one folder, which is created when the first of them is written.

    ``top`` is the folder up to which folders go that are empty when the root was removed.
    """

    def __init__(self, root: Path, top: Path | None = None) -> None:
        self.root = root
        self._top = top or root

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
            if entry.name.startswith(TEMPORARY) or entry.is_symlink():
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

    def write(self, path: str, body: BinaryIO) -> Written:
        """Write a file under a temporary name and then give it its own."""
        place = resolve(self.root, check_path(path))
        if os.path.isdir(place):
            raise InvalidParameter(f"{path!r} is a directory and cannot be overwritten by a file.")
        temporary = ""
        hashed = HashedReader(body)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                dir=place.parent, prefix=TEMPORARY, delete=False
            ) as file:
                temporary = file.name
                shutil.copyfileobj(cast(BinaryIO, hashed), file, CHUNK)
                file.flush()
                os.fsync(file.fileno())
                stamp = _stamp(os.fstat(file.fileno()))
            os.replace(temporary, place)
        except OSError as error:
            raise _unwritable(path, error) from error
        finally:
            if temporary and os.path.exists(temporary):
                os.unlink(temporary)
        return Written(hashed.size, hashed.sha256, stamp)

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

    # --- for the store that keeps them --------------------------------------------------------------

    def stamp(self, path: str) -> str:
        """Return the mark of the last writing of a file, ``""`` if it is gone."""
        try:
            return _stamp(resolve(self.root, path).stat(follow_symlinks=False))
        except OSError:
            return ""

    def walk(self, path: str = "") -> Mapping[str, int]:
        """Return the size of every file below a path, or of the file there; links are not followed."""
        top = Path(os.path.realpath(self.root))
        start = resolve(self.root, path)
        places = [start] if path and not os.path.isdir(start) else _below(start)
        found = {}
        for place in places:
            try:
                found[place.relative_to(top).as_posix()] = place.stat(follow_symlinks=False).st_size
            except OSError as error:
                if error.errno not in _ABSENT:
                    raise
        return found

    def remove(self) -> Mapping[str, int]:
        """Delete everything and the root, and its parents that are empty then."""
        found = self.walk()
        for name in found:
            place = self.root / name
            try:
                place.unlink()
            except OSError as error:
                raise StoreUnwritable(
                    f"The file {place} cannot be deleted: {error.strerror or error}. It can be removed "
                    "by hand."
                ) from error
        for folder, _, _ in os.walk(self.root, topdown=False):
            _rmdir(Path(folder))
        top = Path(os.path.realpath(self._top))
        parent = self.root.parent
        while parent != top and top in Path(os.path.realpath(parent)).parents and _rmdir(parent):
            parent = parent.parent
        return found


def _below(root: Path) -> list[Path]:
    """Return the files below a folder; links are listed as themselves and never followed."""
    found = []
    for folder, names, files in os.walk(root, followlinks=False):
        here = Path(folder)
        found += [here / name for name in files]
        found += [here / name for name in names if (here / name).is_symlink()]
    return found


def _rmdir(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:  # not empty, or gone already
        return False
    return True


def _stamp(found: os.stat_result) -> str:
    return f"{found.st_ino}-{found.st_mtime_ns}-{found.st_size}"


def _unwritable(path: str, error: OSError) -> InvalidParameter | StoreUnwritable:
    if isinstance(error, NotADirectoryError | FileExistsError) or error.errno == errno.ENAMETOOLONG:
        return InvalidParameter(
            f"The artifact {path!r} cannot be written: a part of its path is a file, or too long."
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreUnwritable(f"The disk is full: the artifact {path!r} was not written.")
    return StoreUnwritable(f"The artifact {path!r} cannot be written: {error.strerror or error}.")
