"""Programs that we start ourselves: found where the user installs them, never where somebody's files lie."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path


def find_program(name: str, outside: Path | None = None) -> str:
    """Return where a program is, ``""`` without one.

    Only absolute places of ``PATH`` count, and none in ``outside``: a folder that somebody else filled
    may hold a ``git`` as well.
    """
    for place in os.environ.get("PATH", os.defpath).split(os.pathsep):
        # With a folder in front, the working directory is not searched, also not on Windows.
        if Path(place).is_absolute() and not _is_inside(place, outside):
            found = shutil.which(os.path.join(place, name))
            if found and not _is_inside(found, outside):
                return found
    return ""


def _is_inside(place: str, folder: Path | None) -> bool:
    if folder is None:
        return False
    roots = (os.path.abspath(folder), os.path.realpath(folder))
    return any(
        Path(path).is_relative_to(root)
        for path in (os.path.abspath(place), os.path.realpath(place))
        for root in roots
    )


def system_name() -> str:
    """Return the system as ``platform.platform`` has it, which would start ``uname`` from ``PATH``."""
    if not hasattr(os, "uname"):
        return platform.platform()
    told = os.uname()
    mac = platform.mac_ver()[0]
    libc = "".join(platform.libc_ver()) if not mac else ""
    name, release = ("macOS", mac) if mac else (told.sysname, told.release)
    return "-".join([name, release, told.machine, *(["with", libc] if libc else [])])
