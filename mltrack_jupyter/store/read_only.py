"""Stores that may be read and not written: on a file system that is mounted so, of another user, of a course."""

from __future__ import annotations

import os
from pathlib import Path

from mltrack_jupyter.entities import WorkspaceInfo
from mltrack_jupyter.errors import StoreReadOnly
from mltrack_jupyter.store.uri import MEMORY, StoreUri


def reason_of(path: str) -> str:
    """Return why a database file that exists may not be written by us, ``""`` if it may."""
    if path in ("", MEMORY) or not os.path.exists(path):
        return ""
    file = os.path.realpath(path)
    folder = str(Path(file).parent)
    beside = [f"{file}{suffix}" for suffix in ("-wal", "-shm")]
    if not may(file, os.W_OK):
        return (
            "its file system is mounted read-only"
            if _is_mounted_so(file)
            else "its file may not be written"
        )
    # SQLite makes files beside the database, unless another user left them to be written.
    if may(folder, os.W_OK | os.X_OK) or all(may(item, os.W_OK) for item in beside):
        return ""
    return f"nothing may be written into {folder}"


def may(path: str, mode: int) -> bool:
    """Tell whether this process may do something with a file, as :func:`os.access` does."""
    if os.access in os.supports_effective_ids:
        return os.access(path, mode, effective_ids=True)
    return os.access(path, mode)


def _is_mounted_so(path: str) -> bool:
    try:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except (AttributeError, OSError):  # Windows
        return False


def refusal(path: str, reason: str) -> str:
    """Return what to say to whoever wants to write to a store that may only be read."""
    return (
        f"{path} can only be read ({reason}): nothing will be recorded there. To record, choose a folder that you "
        "can write with set_tracking_uri(...) or MLTRACK_TRACKING_URI, or be given the right to write this one."
    )


def check_writable(uri: str) -> None:
    """Raise ``StoreReadOnly`` for a store in a file that may only be read."""
    path = StoreUri.of(uri).path
    if reason := reason_of(path):
        raise StoreReadOnly(refusal(path, reason))


def check_info(info: WorkspaceInfo) -> None:
    """Raise ``StoreReadOnly`` if the store of a server says that it may only be read."""
    if info.read_only:
        raise StoreReadOnly(info.read_only)


def is_read_only(uri: str) -> bool:
    """Tell whether a store is a file that may only be read."""
    return bool(reason_of(StoreUri.of(uri).path))
