"""Files below a local folder: written whole or not at all, and never through a link."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from mltrack_jupyter.entities import FileInfo
from mltrack_jupyter.errors import InvalidParameter, NotFound, NotReadable, StoreUnwritable
from mltrack_jupyter.services import Download, Written
from mltrack_jupyter.store.artifacts.paths import check_path
from mltrack_jupyter.store.artifacts.streams import CHUNK, TEMPORARY, HashedReader
from mltrack_jupyter.store.artifacts.walking import (
    ABSENT,
    Folder,
    check_regular,
    tree,
    walked,
)

ASIDE = ".purged"
"""The folder of a store's root in which lies what is about to be deleted; no caller reaches it."""

UNNOTED = f"{TEMPORARY}unnoted"
"""The name of the note in a folder whose files belong to nobody yet; no listing shows it."""

SHARED = ".shared"
"""The folder of a store's root in which is what several runs have."""


class LocalFiles:
    """Artifacts below one folder, which is created when the first of them is written.

    ``top`` is the folder from which the way there is gone without following a link, and up to which folders
    go that are empty when the root was removed; by default the root itself. ``skipped`` is told of what
    listings leave out.
    """

    def __init__(
        self,
        root: Path,
        top: Path | None = None,
        skipped: Callable[[str], None] | None = None,
    ) -> None:
        self.root = Path(root)
        self._skipped = skipped
        self.closed = ""
        """Why nothing is written or deleted here, if so."""
        self._top = top if top is not None and self.root.is_relative_to(top) else self.root
        self._names = self.root.relative_to(self._top).parts

    @property
    def top(self) -> Path:
        """The folder from which the way to the root is gone without links."""
        return self._top

    @property
    def way(self) -> str:
        """The path of the root below the top."""
        return "/".join(self._names)

    def make(self) -> None:
        """Make the root. Raises ``InvalidParameter`` if it is behind a link, or nothing is written here."""
        self._check_open()
        with walked(self._top, self._names, make=True):
            pass

    def exists(self) -> bool:
        """Tell whether the root is there. Raises ``InvalidParameter`` if it is behind a link."""
        try:
            with walked(self._top, self._names):
                return True
        except OSError:
            return False

    def _way(self, path: str) -> tuple[tuple[str, ...], str]:
        """Return the names of the folders above a path, from the top, and its own name."""
        *above, name = check_path(path).split("/")
        if not self._names and (above or [name])[0].lower() == ASIDE:
            raise InvalidParameter(f"Invalid path {path!r}: {ASIDE} is the store's own folder.")
        return (*self._names, *above), name

    def _check_open(self) -> None:
        if self.closed:
            raise InvalidParameter(self.closed)

    @contextmanager
    def _above(self, path: str, *, make: bool = False) -> Iterator[tuple[Folder, str]]:
        names, name = self._way(path)
        with walked(self._top, names, make=make) as folder:
            yield folder, name

    def list(self, path: str = "") -> list[FileInfo]:
        """Return the children of a directory by base name; nothing for a file or a missing path."""
        names: tuple[str, ...] = self._names
        if path:
            above, name = self._way(path)
            names = (*above, name)
        found = []
        try:
            with walked(self._top, names) as folder:
                for entry in folder.entries():
                    if not entry.name.startswith(TEMPORARY) and (names or entry.name != ASIDE):
                        item = _info(entry)
                        found += item
                        if not item and self._skipped:
                            self._skipped(f"{entry.name!r} is a link, a pipe or a device")
        except OSError as error:
            if error.errno in ABSENT:
                return []
            raise _unread(path, error) from error
        return sorted(found, key=lambda item: item.path)

    def open(self, path: str) -> Download:
        """Open a file. Raises ``NotFound``, and ``InvalidParameter`` for what is no regular file."""
        try:
            with self._above(path) as (folder, name):
                handle = folder.open(name)
        except PermissionError as error:
            raise _unread(path, error) from error
        except OSError as error:
            raise NotFound(f"There is no artifact {path!r}.") from error
        found = os.fstat(handle)
        return Download(os.fdopen(handle, "rb"), name, found.st_size, found.st_mtime_ns)

    def write(self, path: str, body: BinaryIO) -> Written:
        """Write a file under a temporary name and then give it its own."""
        check_path(path)
        self._check_open()
        hashed = HashedReader(body)
        try:
            with self._above(path, make=True) as (folder, name):
                _check_free(folder, name, path)
                mark = _write(folder, name, hashed)
        except OSError as error:
            raise _unwritable(path, error) from error
        return Written(hashed.size, hashed.sha256, mark)

    def delete(self, path: str) -> None:
        """Delete a file or a tree; the root itself can never be named, nor what a link leads to."""
        self._check_open()
        try:
            with self._above(path) as (folder, name):
                is_folder = stat.S_ISDIR(folder.kind(name).st_mode)
                if not is_folder:
                    folder.unlink(name)
            if is_folder:
                names, name = self._way(path)
                _delete_tree(self._top, (*names, name))
        except OSError as error:
            if error.errno not in ABSENT:
                raise StoreUnwritable(
                    f"The artifact {path!r} cannot be deleted: {error.strerror or error}."
                ) from error

    # --- for the store that keeps them --------------------------------------------------------------

    def mark(self) -> None:
        """Note that what is written here belongs to nobody yet."""
        with suppress(OSError), walked(self._top, self._names, make=True) as folder:
            os.close(folder.create(UNNOTED))

    def unmark(self) -> None:
        """Take that note away."""
        with suppress(OSError), walked(self._top, self._names) as folder:
            folder.unlink(UNNOTED)

    def marked_s(self) -> float | None:
        """Return when that was noted, in seconds since 1970; ``None`` if it is not."""
        with suppress(OSError), walked(self._top, self._names) as folder:
            return folder.kind(UNNOTED).st_mtime
        return None

    def stamp(self, path: str) -> str:
        """Return the mark of the last writing of a file, ``""`` if it is gone."""
        try:
            with self._above(path) as (folder, name):
                return _stamp(folder.stat(name))
        except OSError:
            return ""

    def walk(self, path: str = "") -> Mapping[str, int]:
        """Return the size of every file below a path, or of the file there; links are not followed."""
        names = self._names
        if path:
            above, name = self._way(path)
            names = (*above, name)
            try:
                with walked(self._top, above) as folder:
                    size = folder.kind(name)
            except OSError as error:
                if error.errno in ABSENT:
                    return {}
                raise _unread(path, error) from error
            if not stat.S_ISDIR(size.st_mode):
                return {path: size.st_size}
        start = tuple(path.split("/")) if path else ()
        found = {}
        for below, entries in tree(self._top, names):
            if not names and below[:1] == (ASIDE,):
                continue
            for entry in entries:
                size = entry.stat(follow_symlinks=False)
                found["/".join((*start, *below, entry.name))] = size.st_size
        return found

    def remove(self) -> Mapping[str, int]:
        """Delete everything and the root, and its parents that are empty then."""
        self._check_open()
        found = self.walk()
        try:
            _delete_tree(self._top, self._names)
        except OSError as error:
            raise StoreUnwritable(
                f"The file {error.filename or self.root} in {self.root} cannot be deleted: "
                f"{error.strerror or error}. It can be removed by hand."
            ) from error
        self.prune()
        return found

    def prune(self) -> None:
        """Remove the folders above the root that are empty, up to the top."""
        for end in range(len(self._names) - 1, 0, -1):
            try:
                with walked(self._top, self._names[: end - 1]) as folder:
                    folder.rmdir(self._names[end - 1])
            except OSError:  # not empty, or gone already
                return

    def move_to(self, other: LocalFiles) -> bool:
        """Give the root, with all that is in it, the place of another one below the same top.

        Tells whether there was anything. What is there already stays. Raises ``StoreUnwritable``.
        """
        self._check_open()
        try:
            with walked(self._top, self._names[:-1]) as folder:
                folder.kind(self._names[-1])
                with walked(self._top, other._names[:-1], make=True) as to:
                    _move(folder, self._names[-1], to, other._names[-1])
        except OSError as error:
            if error.errno in ABSENT:
                return False
            raise StoreUnwritable(
                f"The folder {self.root} cannot be moved: {error.strerror or error}."
            ) from error
        return True


def _move(folder: Folder, name: str, to: Folder, new: str) -> None:
    try:
        to.stat(new)
    except FileNotFoundError:
        folder.move(name, to, new)
        return
    if not stat.S_ISDIR(folder.stat(name).st_mode):
        return  # the newer one stays
    inner, outer = folder.enter(name), to.enter(new)
    try:
        for child in [entry.name for entry in inner.entries()]:
            _move(inner, child, outer, child)
    finally:
        inner.close()
        outer.close()


def _unread(path: str, error: OSError) -> OSError:
    """Return what is raised where artifacts are, and cannot be read."""
    if not isinstance(error, PermissionError):
        return error
    shown = f"The artifact {path!r}" if path else "The folder of the artifacts"
    return NotReadable(f"{shown} may not be read by you: {error.strerror}. Is it another user's?")


def _info(entry: os.DirEntry[str]) -> list[FileInfo]:
    """Return what an entry is told as, or nothing: links, pipes and devices are no artifacts."""
    try:
        found = entry.stat(follow_symlinks=False)
    except FileNotFoundError:  # it was deleted meanwhile
        return []
    if stat.S_ISDIR(found.st_mode):
        return [FileInfo(path=entry.name, is_dir=True, file_size=0)]
    if stat.S_ISREG(found.st_mode):
        return [FileInfo(path=entry.name, is_dir=False, file_size=found.st_size)]
    return []


def _check_free(folder: Folder, name: str, path: str) -> None:
    """Raise ``InvalidParameter`` where a file cannot take its place."""
    try:
        found = folder.kind(name)
    except FileNotFoundError:
        return
    if stat.S_ISDIR(found.st_mode):
        raise InvalidParameter(f"{path!r} is a directory and cannot be overwritten by a file.")
    check_regular(found, path)


def _write(folder: Folder, name: str, body: HashedReader) -> str:
    temporary = f"{TEMPORARY}{uuid.uuid4().hex}"
    handle = folder.create(temporary)
    done = False
    try:
        with os.fdopen(handle, "wb") as file:
            shutil.copyfileobj(cast(BinaryIO, body), file, CHUNK)
            file.flush()
            os.fsync(file.fileno())
            mark = _stamp(os.fstat(file.fileno()))
        folder.move(temporary, folder, name)
        done = True
    finally:
        if not done:
            folder.unlink(temporary)
    return mark


def _delete_tree(top: Path, names: tuple[str, ...]) -> None:
    """Delete a folder and what is in it. Raises ``OSError`` for a file that stays; then its folders stay too."""
    folders = []
    for below, entries in tree(top, names):
        folders.append((*names, *below))
        if entries:
            with walked(top, (*names, *below)) as folder:
                for entry in entries:
                    try:
                        folder.unlink(entry.name)
                    except FileNotFoundError:
                        continue
    for place in sorted(folders, key=len, reverse=True):
        try:
            if place:
                with walked(top, place[:-1]) as folder:
                    folder.rmdir(place[-1])
            else:
                top.rmdir()
        except OSError:  # somebody wrote into it meanwhile, or it is gone
            continue


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
