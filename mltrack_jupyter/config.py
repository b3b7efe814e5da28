"""Settings: where the store is, who the user is, and the environment variables that say so."""

from __future__ import annotations

import getpass
import os
from functools import lru_cache
from pathlib import Path

from mltrack_jupyter.inheritance import STORE_SETTINGS, inherited, said

STORE_FOLDER = ".mltrack"
DATABASE = "mltrack.db"
ARTIFACTS = "artifacts"
JOURNALS = "journals"


@lru_cache(maxsize=1)
def package_version() -> str:
    """Return the version of this package as it is installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("mltrack-jupyter")
    except PackageNotFoundError:
        return "0+unknown"


def state_folder() -> Path:
    """Return the folder of what waits for stores elsewhere; nothing is created.

    ``MLTRACK_STATE_DIR`` names it, else it is in ``XDG_STATE_HOME``, else in ``~/.local/state``.
    """
    chosen = setting("MLTRACK_STATE_DIR")
    if chosen:
        return Path(chosen)
    return Path(setting("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "mltrack"


def setting(*names: str) -> str:
    """Return the first of these environment variables that is set and not empty, else ``""``."""
    for name in names:
        if found := os.environ.get(name):
            return found
    return ""


def working_folder() -> Path:
    """Return the working directory, or the user's home if it was deleted."""
    try:
        return _folder(os.getcwd())  # noqa: PTH109 - a tenth of what Path.cwd() takes
    except FileNotFoundError:
        return Path.home()


@lru_cache(maxsize=4)  # asked for with each run, and seldom another one
def _folder(path: str) -> Path:
    return Path(path)


def trigger(usual: str) -> str:
    """Return what started a run: ``cell``, ``script``, ``api``, or what the environment says."""
    return setting("MLTRACK_TRIGGER") or usual


def default_store(start: Path | None = None) -> Path:
    """Return the folder of the store; nothing is created.

    It is the nearest ``.mltrack`` upwards, else one at the git root, else one here.
    """
    here = (start or working_folder()).absolute()
    git_root = None
    for folder in (here, *here.parents):
        if (folder / STORE_FOLDER).is_dir():
            return folder / STORE_FOLDER
        if git_root is None and (folder / ".git").exists():
            git_root = folder
    return (git_root or here) / STORE_FOLDER


def moved_folder(database: Path) -> Path:
    """Return the folder that is moved when the store of a database file is: the project's, or the file's."""
    folder = database.absolute().parent
    return folder.parent if folder.name == STORE_FOLDER else folder


def chosen_uri() -> str:
    """Return the tracking URI that somebody chose for this process: its parent, or the environment."""
    told = inherited("store")
    if told is not None and not told.get("found"):
        return str(told["uri"])
    return said(*STORE_SETTINGS)


def tracking_uri() -> str:
    """Return the tracking URI that was chosen for this process, or the default store's folder.

    Where a new store would be made, and the process that started this one has one, it is that: what a
    worker with a working directory of its own logs must not be where nobody looks for it.
    """
    chosen = chosen_uri()
    if chosen:
        return chosen
    nearest = default_store()
    told = inherited("store")
    return str(told["uri"]) if told is not None and not nearest.is_dir() else str(nearest)


@lru_cache(maxsize=1)
def user_name() -> str:
    """Return the name of the user who runs this process, ``""`` if the system has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""
