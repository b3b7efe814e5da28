"""MLflow's own files, named as a store: they are MLflow's, and nothing is written into or beside them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from mltrack_jupyter import config
from mltrack_jupyter.errors import InvalidParameter

_SQLITE = b"SQLite format 3\0"
_ours: set[Path] = set()
"""Database files that were looked into: what is ours stays ours."""
_open: list[Any] = []
"""What they were looked into by, for as long as this process lives."""


def refuse_mlflows(database: Path, named: str) -> None:
    """Raise ``InvalidParameter`` if the file of a store is MLflow's database, or would lie in its ``mlruns``.

    Nothing is created. It costs a look into a set for a database that was looked into before.
    """
    if database in _ours:
        return
    try:
        is_there = database.exists()
    except PermissionError:  # whoever opens it is told so
        return
    if not is_there:
        folder = database.parent
        if database.name == config.DATABASE and _is_filestore(folder):
            raise _refusal(folder, "a folder of runs of MLflow", named)
        return
    if _is_mlflows(database):
        raise _refusal(database, "a database of MLflow", named)
    _ours.add(database)


def _refusal(place: Path, what: str, named: str) -> InvalidParameter:
    return InvalidParameter(
        f"{named!r} is {what}, and mltrack does not write into it. To bring its runs and models into a store of "
        f"your own: mltrack import {place}. To write there, start MLflow's server on it and name that: http://…"
    )


def _is_filestore(folder: Path) -> bool:
    """Tell whether a folder holds experiments as MLflow keeps them in files."""
    for place in (folder, folder / ".trash"):
        try:
            with os.scandir(place) as children:
                if any(os.path.exists(os.path.join(child.path, "meta.yaml")) for child in children):
                    return True
        except OSError:  # it is not there, or no folder, or not ours to read
            continue
    return False


def _is_mlflows(file: Path) -> bool:
    import sqlite3

    try:
        opened = file.open("rb")
    except OSError:
        return False
    # Kept open where it may be ours: to close any descriptor of a file gives up all locks that this process
    # has on it, and with them the log of a database that it writes to.
    _open.append(opened)
    try:
        if opened.read(len(_SQLITE)) != _SQLITE:
            return False
        # Not even a journal of SQLite's is made, or a lock taken.
        connection = sqlite3.connect(
            f"{file.as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
        )
        _open.append(connection)
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    except (OSError, sqlite3.Error):  # damaged, or being written: whoever opens it will say
        return False
    names = {name for (name,) in rows}
    if not {"experiments", "runs", "metrics"} <= names or "changes" in names:
        return False
    for item in (connection, opened):
        _open.remove(item)
        item.close()
    return True
