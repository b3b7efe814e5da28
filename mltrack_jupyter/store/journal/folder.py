"""The folder of journals: what is in it is ours only if nobody else can have put it there.

A journal is acted upon by whoever comes next, who uploads and removes files for it. So a folder is trusted
that belongs to this user and that nobody else can write, and in it plain files of this user that have no
second name. Everything is reached through the opened folder, never by a path that may lead elsewhere by now.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from mltrack_jupyter.store.rights import give_folder_rights, give_rights, make_folder

log = logging.getLogger("mltrack_jupyter")
_HAS_FOLDERS = os.open in os.supports_dir_fd and hasattr(os, "geteuid")  # Windows has neither
_PLAIN = (
    getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
)  # fmt: skip
_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_said: set[tuple[str, str]] = set()


class UntrustedError(PermissionError):
    """A file or a folder that somebody else may have put there; the text says why, and what is right."""


class Folder:
    """A trusted folder, open until the end of a ``with`` block."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self._handle = handle

    @classmethod
    def open(cls, path: Path, *, make: bool = False) -> Folder:
        """Open a folder; ``make`` it, for this user alone, if it is not there.

        Raises ``UntrustedError``, and ``OSError`` if there is none.
        """
        if make:
            make_folder(path.parent)
        made = make and _make(str(path), None)
        if not _HAS_FOLDERS:
            os.listdir(path)
            return cls(path, -1)
        return cls._checked(path, str(path), None, made=made)

    @classmethod
    def _checked(cls, path: Path, name: str, within: int | None, *, made: bool) -> Folder:
        found = os.stat(name, dir_fd=within, follow_symlinks=False)
        if not stat.S_ISDIR(found.st_mode) and not stat.S_ISLNK(found.st_mode):
            raise NotADirectoryError(f"{path} is no folder")
        handle = -1
        if not (why := _why_not(found, stat.S_ISDIR)):
            handle = os.open(name, os.O_RDONLY | os.O_DIRECTORY | _PLAIN, dir_fd=within)
            why = _why_not(os.fstat(handle), stat.S_ISDIR)
        if why:
            if handle >= 0:
                os.close(handle)
            raise UntrustedError(
                f"the folder {path} {why}; right is a folder of the user who runs this, which nobody "
                f"else may write (chmod go-w {path})"
            )
        if made:
            give_folder_rights(handle, None)
        return cls(path, handle)

    def __enter__(self) -> Folder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)

    def names(self) -> list[str]:
        """Return the names of what is in the folder, in their order."""
        return sorted(os.listdir(self._handle if _HAS_FOLDERS else self.path))

    def folder(self, name: str, *, make: bool = False) -> Folder:
        """Open a folder in this one, on the same terms."""
        if not _HAS_FOLDERS:
            return Folder.open(self.path / name, make=make)
        made = make and _make(name, self._handle)
        return self._checked(self.path / name, name, self._handle, made=made)

    def create(self, name: str, flags: int = os.O_RDWR) -> int:
        """Create a file that is not there yet, for this user alone, and return its descriptor."""
        flags |= os.O_CREAT | os.O_EXCL | _PLAIN
        place, within = self._place(name)
        handle = os.open(place, flags, 0o600, dir_fd=within)
        give_rights(handle, None)
        return handle

    def take(self, name: str, flags: int = os.O_RDONLY) -> int:
        """Open a file that is there and return its descriptor.

        Raises ``UntrustedError`` if it is none of this user's plain files.
        """
        place, within = self._place(name)
        # A device may do something when it is opened, and a pipe waits: looked at first.
        self._check(name, os.stat(place, dir_fd=within, follow_symlinks=False))
        handle = os.open(place, flags | _PLAIN, dir_fd=within)
        try:
            self._check(name, os.fstat(handle))
        except BaseException:
            os.close(handle)
            raise
        return handle

    def append_to(self, name: str) -> int:
        """Open a file to append to, a new one if there is none, and return its descriptor."""
        try:
            return self.create(name, os.O_WRONLY | os.O_APPEND)
        except FileExistsError:
            return self.take(name, os.O_WRONLY | os.O_APPEND)

    def remove(self, name: str, handle: int) -> bool:
        """Remove a name if it is still that of an open file; tell whether it was."""
        place, within = self._place(name)
        try:
            found = os.stat(place, dir_fd=within, follow_symlinks=False)
            if not os.path.samestat(found, os.fstat(handle)):
                return False
            os.unlink(place, dir_fd=within)
        except FileNotFoundError:
            return False
        return True

    def rename(self, name: str, to: str) -> None:
        """Give a file another name, in place of what has it."""
        place, within = self._place(name)
        os.replace(place, self._place(to)[0], src_dir_fd=within, dst_dir_fd=within)

    def remove_folder(self, name: str) -> None:
        """Remove a folder that is empty, and leave one that is not."""
        place, within = self._place(name)
        try:
            os.rmdir(place, dir_fd=within)
        except OSError:
            pass

    def _place(self, name: str) -> tuple[str, int | None]:
        if Path(name).name != name or name in ("", ".", ".."):
            raise UntrustedError(f"{name!r} is no plain name")
        return (name, self._handle) if _HAS_FOLDERS else (str(self.path / name), None)

    def _check(self, name: str, found: os.stat_result) -> None:
        if why := _why_not(found, stat.S_ISREG):
            raise UntrustedError(
                f"{self.path / name} {why}; right is a plain file of the user who runs this, with one name, "
                "which nobody else may write"
            )


def _make(name: str, within: int | None) -> bool:
    """Make a folder for this user alone; tell whether it was not there."""
    try:
        os.mkdir(name, 0o700, dir_fd=within)
    except FileExistsError:
        return False
    return True


def _why_not(found: os.stat_result, is_kind: object) -> str:
    """Return why somebody else may have made a file or folder, ``""`` if nobody else can have."""
    if is_kind is stat.S_ISREG and not stat.S_ISREG(found.st_mode):
        return "is no plain file"
    if is_kind is stat.S_ISDIR and not stat.S_ISDIR(found.st_mode):
        return "is a link"
    if not _HAS_FOLDERS:
        return ""
    if found.st_uid != os.geteuid():
        return f"belongs to another user ({found.st_uid})"
    if found.st_mode & _OTHERS:
        return f"may be written by others (mode {stat.S_IMODE(found.st_mode):04o})"
    if is_kind is stat.S_ISREG and found.st_nlink > 1:
        return "has a second name elsewhere (a hard link)"
    return ""


def is_private(path: Path) -> bool:
    """Tell whether a folder is there and trusted."""
    try:
        with Folder.open(path):
            return True
    except OSError:
        return False


def say_what_is_left(path: Path, why: object) -> None:
    """Say once in this process why a journal, or a folder of them, is left as it is."""
    if (str(path), str(why)) not in _said:
        _said.add((str(path), str(why)))
        log.warning(
            "mltrack: what is logged in %s is not taken over, and left as it is: %s.", path, why
        )


def first_private(places: Iterable[Path]) -> Path:
    """Return the first place that is a trusted folder, or is made one now.

    Where that cannot be done, the first who writes is told why.
    """
    place = Path()
    for place in places:
        try:
            with Folder.open(place, make=True):
                return place
        except UntrustedError:
            continue  # somebody else's, or on a disk that knows no owners
        except OSError:
            break
    return place
