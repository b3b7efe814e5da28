"""Folders that are gone through name by name, each opened in the one above it: no link leads out of the first.

A path that is checked and opened afterwards may have become another one in between. So every folder below the
first is opened without following links, and a file by its name in the open folder. The first one is whatever
its path leads to: a user may keep a store on another disk by a link.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store.rights import give_folder_rights, give_rights, make_folder

BY_HANDLE = (
    hasattr(os, "O_NOFOLLOW")
    and hasattr(os, "O_DIRECTORY")
    and {os.open, os.stat, os.mkdir, os.unlink, os.rmdir, os.rename} <= os.supports_dir_fd
    and os.scandir in os.supports_fd
)
"""Whether this system opens names in an open folder. Windows does not: there links are looked for by path."""
ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG}
"""What a path that leads to no file can end in; the system's limit for a whole path counts the root."""
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
# A pipe that took a file's place must not keep anybody waiting.
READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""How a file is opened to read."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS


class Folder:
    """A folder that is open; what it is asked by name is in it, whatever its path leads to by now."""

    def __init__(self, path: Path, handle: int | None) -> None:
        self.path = path
        self._handle = handle

    @property
    def place(self) -> int | Path:
        """What the system calls it by: its handle, or its path where there are no handles."""
        return self.path if self._handle is None else self._handle

    def _at(self, name: str) -> tuple[Any, dict[str, Any]]:
        if self._handle is None:
            return self.path / name, {}
        return name, {"dir_fd": self._handle}

    def enter(self, name: str, *, make: bool = False) -> Folder:
        """Open a folder in it. Raises ``InvalidParameter`` for a link, ``OSError`` for what is no folder."""
        made = make and self._make(name)
        folder = self._enter(name)
        if made:
            give_folder_rights(folder.place, self.path)
        return folder

    def _make(self, name: str) -> bool:
        place, here = self._at(name)
        try:
            os.mkdir(place, 0o700, **here)  # noqa: PTH102 - in an open folder
        except FileExistsError:
            return False
        return True

    def _enter(self, name: str) -> Folder:
        if not BY_HANDLE:
            if not stat.S_ISDIR(self.kind(name).st_mode):
                raise NotADirectoryError(
                    errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(self.path / name)
                )
            return Folder(self.path / name, None)
        place, here = self._at(name)
        flags = os.O_RDONLY | os.O_DIRECTORY | _FLAGS
        try:
            return Folder(self.path / name, os.open(place, flags, **here))
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EMLINK):
                self.kind(name)  # says which of the two it is
            raise

    def kind(self, name: str) -> os.stat_result:
        """Return what a name is. Raises ``InvalidParameter`` for a link, ``OSError`` if there is none."""
        found = self.stat(name)
        if stat.S_ISLNK(found.st_mode) or (not BY_HANDLE and _is_junction(self.path / name)):
            raise InvalidParameter(
                f"{name!r} is a link, and links below an artifact root are not followed. Only the root itself "
                "may be one: make that lead to where the files are, or move them."
            )
        return found

    def stat(self, name: str) -> os.stat_result:
        """Return what the system knows of a name; a link is not followed."""
        place, here = self._at(name)
        return os.stat(place, follow_symlinks=False, **here)  # noqa: PTH116 - in an open folder

    def open(self, name: str) -> int:
        """Open a regular file to read. Raises ``InvalidParameter`` for anything else."""
        check_regular(self.kind(name), name)
        place, here = self._at(name)
        handle = os.open(place, READ | _FLAGS, **here)
        try:
            check_regular(os.fstat(handle), name)
        except BaseException:
            os.close(handle)
            raise
        return handle

    def create(self, name: str) -> int:
        """Make a file that is not there yet and open it to write."""
        place, here = self._at(name)
        handle = os.open(place, _NEW, 0o600, **here)
        give_rights(handle, self.path)
        return handle

    def entries(self) -> Iterator[os.DirEntry[str]]:
        """Return what is in it."""
        found: Any = os.scandir(self.path if self._handle is None else self._handle)
        with found as entries:
            yield from entries

    def unlink(self, name: str) -> None:
        """Remove a file, or a link and not what it leads to."""
        place, here = self._at(name)
        os.unlink(place, **here)

    def rmdir(self, name: str) -> None:
        """Remove an empty folder."""
        place, here = self._at(name)
        os.rmdir(place, **here)

    def move(self, name: str, to: Folder, new: str) -> None:
        """Give a file or folder another name, in another folder; a file that has it is replaced."""
        old, here = self._at(name)
        fresh, there = to._at(new)
        handles = {"src_dir_fd": here["dir_fd"], "dst_dir_fd": there["dir_fd"]} if here else {}
        os.replace(old, fresh, **handles)

    def close(self) -> None:
        """Close it."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = -1  # what is asked of it now is an error, and not answered by its path


@contextmanager
def walked(top: Path, names: Sequence[str], *, make: bool = False) -> Iterator[Folder]:
    """Open a folder by its names below another one, which may be reached through links.

    Raises ``InvalidParameter`` if one of the names is a link, ``OSError`` if one is absent or no folder.
    """
    if make:
        make_folder(top)
    if BY_HANDLE:
        flags = os.O_RDONLY | os.O_DIRECTORY | getattr(os, "O_CLOEXEC", 0)
        folder = Folder(top, os.open(top, flags))
    else:
        folder = Folder(top, None)
    try:
        for name in names:
            if name in ("", ".", "..") or "/" in name:
                raise InvalidParameter(f"{name!r} is not the name of a folder below {top}.")
            below = folder.enter(name, make=make)
            folder.close()
            folder = below
        yield folder
    finally:
        folder.close()


def tree(
    top: Path, names: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], list[os.DirEntry[str]]]]:
    """Return every folder below a folder, by its names from there, with what is in it that is no folder.

    Folders come before what is in them; only one is open at a time, however deep they go.
    """
    waiting: list[tuple[str, ...]] = [()]
    while waiting:
        below = waiting.pop()
        others: list[os.DirEntry[str]] = []
        try:
            with walked(top, (*names, *below)) as folder:
                for entry in folder.entries():
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append((*below, entry.name))
                    elif _is_there(entry):
                        others.append(entry)
        except OSError as error:
            if error.errno not in ABSENT:
                raise
        yield below, others


def _is_there(entry: os.DirEntry[str]) -> bool:
    try:
        entry.stat(follow_symlinks=False)  # it keeps the answer, when the folder is closed
    except FileNotFoundError:
        return False
    return True


def check_regular(found: os.stat_result, name: str) -> None:
    """Raise ``InvalidParameter`` for what is no file with a content: a folder, a pipe, a socket, a device."""
    if stat.S_ISDIR(found.st_mode):
        raise InvalidParameter(f"{name!r} is a directory; list it and ask for its files.")
    if not stat.S_ISREG(found.st_mode):
        raise InvalidParameter(
            f"{name!r} is {_kind(found.st_mode)}, not a regular file, and is not read."
        )


def _kind(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "a pipe (FIFO)"
    if stat.S_ISSOCK(mode):
        return "a socket"
    return "a link" if stat.S_ISLNK(mode) else "a device"


def _is_junction(place: Path) -> bool:
    asked = getattr(os.path, "isjunction", None)  # Python 3.12
    return bool(asked and asked(place))
