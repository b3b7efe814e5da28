"""Files that a user gives to be logged: read where they are, links followed, but never a pipe or a device."""

from __future__ import annotations

import errno
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from mltrack_jupyter.errors import InvalidParameter, NotReadable
from mltrack_jupyter.store.artifacts.walking import READ, check_regular
from mltrack_jupyter.store.read_only import may


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Let a block read a file or a folder of this machine. Raises ``NotReadable`` if it may not be read."""
    try:
        yield
    except NotReadable:
        raise
    except PermissionError as error:
        raise _unread(path, error.strerror or str(error)) from error


def _unread(path: Path, reason: str) -> NotReadable:
    return NotReadable(
        f"{os.fspath(path)!r} may not be read by you: {reason}. Is it another user's?"
    )


def open_given(path: Path) -> BinaryIO:
    """Open a regular file. Raises ``InvalidParameter`` for a pipe, which would keep its reader waiting."""
    shown = os.fspath(path)
    check_regular(path.stat(), shown)
    handle = os.open(path, READ)
    try:
        check_regular(os.fstat(handle), shown)
    except InvalidParameter:
        os.close(handle)
        raise
    return os.fdopen(handle, "rb")


def files_in(folder: Path) -> list[Path]:
    """Return the files below a folder, sorted; what is none, and no folder either, is told of and left out.

    Raises ``NotReadable`` for a folder that keeps what is in it to itself.
    """
    found, odd = [], []
    _check_opens(folder)
    for place in sorted(folder.rglob("*")):
        if place.is_file():
            found.append(place)
        elif place.is_dir():
            _check_opens(place)
        else:
            odd.append(place.relative_to(folder).as_posix())
    if odd:
        shown = ", ".join(map(repr, odd[:5])) + (
            f" and {len(odd) - 5} more" if len(odd) > 5 else ""
        )
        warnings.warn(
            f"Not logged from {os.fspath(folder)!r}, because they are no files with a content (pipes, sockets, "
            f"devices, links to nothing): {shown}",
            stacklevel=4,
        )
    return found


def _check_opens(folder: Path) -> None:
    if not may(os.fspath(folder), os.R_OK | os.X_OK):
        raise _unread(folder, os.strerror(errno.EACCES))
