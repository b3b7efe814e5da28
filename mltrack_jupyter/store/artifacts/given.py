"""Files that a user gives to be logged: read where they are, links followed, but never a pipe or a device."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import BinaryIO

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store.artifacts.walking import READ, check_regular


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
    """Return the files below a folder, sorted; what is none, and no folder either, is told of and left out."""
    found, odd = [], []
    for place in sorted(folder.rglob("*")):
        if place.is_file():
            found.append(place)
        elif not place.is_dir():
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
