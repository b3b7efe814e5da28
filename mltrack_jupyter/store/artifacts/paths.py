"""The one resolver of artifact paths: what a caller names stays below the root it names it in."""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.plain import path_text
from mltrack_jupyter.store.rules import is_unicode

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")
_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
MAX_PATH = 4096
MAX_NAME = 255


def plain_path(path: str | os.PathLike[str], *, empty: bool = False, back: bool = True) -> str:
    """Return a path as the store names it, from one as people type it: ``./a``, ``d//a``, ``d/../a``, ``d/``.

    It is read as MLflow reads it: ``back`` tells whether ``..`` may take a name back, which it may where a
    path is typed, and not in a request. Raises ``InvalidParameter`` for one that leaves its root, and
    without ``empty`` for the root itself.
    """
    text = path_text(path, "An artifact path")
    if not back and ".." in text.split("/"):
        check_path(text)
    plain = posixpath.normpath(text) if text else ""
    try:
        return check_path("" if plain == "." else plain, empty=empty)
    except InvalidParameter:
        check_path(text)  # the message shows what was typed
        raise


def check_path(path: str | os.PathLike[str], *, empty: bool = False) -> str:
    """Return a relative path of plain names; raise ``InvalidParameter`` for anything else.

    The path has been decoded once already, by whoever received it, and is not decoded again.
    """
    path = path_text(path, "An artifact path")
    if path == "" and empty:
        return ""
    parts = path.split("/")
    encoded = re.search(r"%(25)*(2e|2f|5c|00)", path, re.IGNORECASE)  # a second decoder's bait
    if (
        not path
        or len(path) > MAX_PATH
        or _CONTROL.search(path)
        or "\\" in path
        or _SCHEME.match(path)
        or _DRIVE.match(path)
        or encoded
        or not is_unicode(path)
        or any(part in ("", ".", "..") or len(part.encode()) > MAX_NAME for part in parts)
    ):
        shown = path if len(path) <= 80 else path[:77] + "..."
        raise InvalidParameter(
            f"Invalid path {shown!r}: an artifact path is relative, with names separated by single "
            "slashes and without '.', '..', backslashes or control characters, each of 255 bytes at most, "
            "such as 'plots/roc.png'."
        )
    return path


def resolve(root: Path, path: str) -> Path:
    """Return the real place of a path below a root. Raises ``InvalidParameter`` if it leaves the root."""
    check_path(path, empty=True)
    real_root = os.path.realpath(root)
    real = os.path.realpath(os.path.join(real_root, path)) if path else real_root
    # commonpath compares whole names; a prefix test would let /root-secret pass for /root.
    if os.path.commonpath((real, real_root)) != real_root:
        raise InvalidParameter(f"Invalid path {path!r}: it leads out of the artifact root.")
    return Path(real)
