"""Who may read what this package writes: its user alone, whatever the umask; or a group, where that was said.

It is said by the folder: one that its group may write and that hands its group on (``chmod g+ws``) is shared, and
so is what is made in it. Nothing is ever made for everybody.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

_PRIVATE_FOLDER, _SHARED_FOLDER = 0o700, 0o2770
_PRIVATE_FILE, _SHARED_FILE = 0o600, 0o660
_ATTEMPTS = 3


def make_folder(path: Path) -> None:
    """Make a folder, and those above it that are missing; one that is there keeps its rights."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _make(path)
            break
        except FileNotFoundError:  # whoever removed what was empty took a folder above away
            if attempt == _ATTEMPTS:
                raise


def _make(path: Path) -> None:
    missing = []
    while not os.path.isdir(path):
        missing.append(path)
        # What is there may be a file: whoever makes a folder in it says so.
        if os.path.lexists(path.parent) or path == path.parent:
            break
        path = path.parent
    for folder in reversed(missing):
        try:
            folder.mkdir(_PRIVATE_FOLDER)
        except FileExistsError:
            if not os.path.isdir(folder):  # else another process was quicker
                raise
        else:
            give_folder_rights(folder, folder.parent)


def open_private(path: str | os.PathLike[str], flags: int) -> int:
    """Open a file, as an ``opener`` of :func:`open` too; one that is made gets its rights at once."""
    if not flags & os.O_CREAT:
        return os.open(path, flags)
    while True:
        try:
            handle = os.open(path, flags | os.O_EXCL, _PRIVATE_FILE)
        except FileExistsError:
            if flags & os.O_EXCL:
                raise
            with suppress(FileNotFoundError):  # gone again
                return os.open(path, flags & ~os.O_CREAT)
        else:
            give_rights(handle, Path(path).parent)
            return handle


def give_rights(handle: int, folder: Path | None) -> None:
    """Give a file of ours that is open, and was just made, the rights that its folder asks for.

    Without a folder to ask it is for its user alone, wherever it is.
    """
    mode = _SHARED_FILE if folder is not None and is_shared(folder) else _PRIVATE_FILE
    if hasattr(os, "fchmod") and stat.S_IMODE(os.fstat(handle).st_mode) != mode:
        with suppress(OSError):  # a file system without rights
            os.fchmod(handle, mode)


def give_folder_rights(folder: int | Path, above: Path | None) -> None:
    """Give a folder of ours, open or by its path, that was just made, the rights that the one above asks for.

    Without one to ask it is for its user alone, wherever it is.
    """
    mode = _SHARED_FOLDER if above is not None and is_shared(above) else _PRIVATE_FOLDER
    found = stat.S_IMODE(os.stat(folder).st_mode)  # noqa: PTH116 - or a handle
    wanted = mode | (found & stat.S_ISGID)  # handed on by the folder above
    if found != wanted:
        with suppress(OSError):  # a file system without rights
            os.chmod(folder, wanted)  # noqa: PTH101 - or a handle


def is_shared(folder: Path) -> bool:
    """Tell whether a folder is for its group, by ``chmod g+ws``."""
    try:
        mode = folder.stat().st_mode
    except OSError:
        return False
    return bool(mode & stat.S_ISGID and mode & stat.S_IWGRP)


def write_new(path: Path) -> BinaryIO:
    """Create a file that must not be there yet, and open it for writing. No link is followed."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    flags |= getattr(os, "O_BINARY", 0)
    return os.fdopen(open_private(path, flags), "wb")
