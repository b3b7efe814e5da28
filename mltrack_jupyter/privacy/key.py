"""The reader's key: a random file of the user, outside every store.

Whoever may write to a store may write anything into it, digests and tags included, but has not got this
key. So only what is signed by it is proof that the user made a thing.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from pathlib import Path

from mltrack_jupyter import config
from mltrack_jupyter.errors import PermissionDenied

SIZE = 32
_FOLDER, _FILE = "key", "reader.key"
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_HAS_OWNERS = hasattr(os, "geteuid")
"""Elsewhere (Windows) the user's own folder is kept from others by the system's lists of rights."""
_WAIT = 1.0
"""How many seconds a process that has just made the file may take to fill it."""


def key_place() -> Path:
    """Return where the key is: in a folder of its own, below what belongs to the user and to no store."""
    return config.state_folder().absolute() / _FOLDER / _FILE


def read_key() -> bytes | None:
    """Return the key, ``None`` if there is none yet.

    Raises
    ------
    PermissionDenied
        Others may have made it, or may read or change it, so that it proves nothing.
    """
    place = key_place()
    try:
        folder = _open_folder(place.parent)
    except FileNotFoundError:
        return None
    try:
        return _read(place, folder)
    finally:
        _close(folder)


def make_key() -> bytes:
    """Return the key, which is made if there is none yet. Raises ``PermissionDenied``, see :func:`read_key`."""
    place = key_place()
    try:
        # These two are made as the user's alone; those above them as the system makes folders.
        place.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.parent.mkdir(mode=0o700, exist_ok=True)
        folder = _open_folder(place.parent)
    except OSError as error:
        raise _unusable(place.parent, str(error.strerror or error)) from error
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW
        try:
            handle = _open(place, folder, flags)
        except FileExistsError:
            pass
        except OSError as error:
            raise _unusable(place, str(error.strerror or error)) from error
        else:
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(SIZE))
                file.flush()
                os.fsync(file.fileno())
        found = _read(place, folder)
        if found is None:
            raise _unusable(place, "it was removed while it was read")
        return found
    finally:
        _close(folder)


def _open(place: Path, folder: int | None, flags: int) -> int:
    if folder is None:
        return os.open(place, flags | getattr(os, "O_BINARY", 0), 0o600)
    return os.open(place.name, flags, 0o600, dir_fd=folder)


def _close(folder: int | None) -> None:
    if folder is not None:
        os.close(folder)


def _open_folder(path: Path) -> int | None:
    """Open the folder of the key, which nobody else may have made or may write to."""
    if not _HAS_OWNERS:
        path.stat()
        return None
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | _NOFOLLOW)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise _unusable(path, "it is a link or a file instead of a folder") from error
        if error.errno == errno.EACCES:
            raise _unusable(path, "you may not read it") from error
        raise
    try:
        found = os.fstat(handle)
        _check_owner(path, found)
        if found.st_mode & _OTHERS_WRITE:
            raise _unusable(path, f"others may write to it ({_mode(found)}): chmod 700 {path}")
        _check_above(path.parent)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _check_above(path: Path) -> None:
    """Refuse a folder in which anybody could put another one in the place of the key's."""
    found = path.stat()
    is_anyones = found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX
    if found.st_uid not in (0, os.geteuid()) or is_anyones:
        raise _unusable(path, f"its folder is not yours alone ({_mode(found)})")


def _read(place: Path, folder: int | None) -> bytes | None:
    try:
        # Never waits, whatever somebody put there.
        handle = _open(place, folder, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = "it is a link" if error.errno == errno.ELOOP else str(error.strerror or error)
        raise _unusable(place, reason) from error
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
            raise _unusable(place, "it is no regular file of one name")
        _check_owner(place, found)
        if _HAS_OWNERS and found.st_mode & _OTHERS:
            raise _unusable(
                place,
                f"others may read or write it ({_mode(found)}). Remove it: a new one is made, and the "
                "models that were logged with this one have to be trusted by hand",
            )
        until = time.monotonic() + _WAIT
        while True:
            file.seek(0)
            data = file.read(SIZE + 1)
            if len(data) == SIZE:
                return data
            if len(data) > SIZE or time.monotonic() > until:
                raise _unusable(place, f"it has not the {SIZE} bytes of a key. Remove it")
            time.sleep(0.01)


def _check_owner(place: Path, found: os.stat_result) -> None:
    if _HAS_OWNERS and found.st_uid != os.geteuid():
        raise _unusable(place, f"it belongs to the user {found.st_uid}, not to you")


def _mode(found: os.stat_result) -> str:
    return f"mode {stat.S_IMODE(found.st_mode):o}"


def _unusable(place: Path, reason: str) -> PermissionDenied:
    return PermissionDenied(f"Your key at '{place}' is not used: {reason}.")
