"""Which notebook a kernel belongs to: asked of the Jupyter server, else of the environment."""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from mltrack_jupyter.config import working_folder
from mltrack_jupyter.hosted import host_of, is_kernel, nearest_kernel_id, server_info
from mltrack_jupyter.tracking.git import find_root

UNKNOWN = "<unknown notebook>"
_TIMEOUT = 1.0
_PAUSE = 30.0
_MAX_ANSWER = 5_000_000


@dataclass(frozen=True)
class Notebook:
    """Where a notebook is.

    ``path`` is relative to the server's root where that is known, else absolute; empty if unknown.
    ``file`` is the file itself, if it is one on this machine.
    """

    path: str = ""
    file: Path | None = None

    @property
    def folder(self) -> Path:
        """The folder that git is asked about."""
        return self.file.parent if self.file is not None else working_folder()


class NotebookFinder:
    """Finds the notebook of this kernel, anew each time, so that a renamed one is followed.

    A server that does not answer within a second is left alone for half a minute; the last answer
    counts until then.
    """

    def __init__(self) -> None:
        self._last: Notebook | None = None
        self._silent_until = 0.0

    def find(self, namespace: Mapping[str, Any]) -> Notebook:
        """Return the notebook; one with an empty path if nobody knows."""
        found = self._from_server()
        if found is not None:
            self._last = found
            return found
        if self._last is not None:
            return self._last
        return _from_environment(namespace) or Notebook()

    def _from_server(self) -> Notebook | None:
        kernel = nearest_kernel_id()
        if not kernel or time.monotonic() < self._silent_until:
            return None
        info = _colab_info() or server_info()
        if info is None:
            return None
        try:
            sessions = _sessions(info)
        except (OSError, http.client.HTTPException, ValueError):
            self._silent_until = time.monotonic() + _PAUSE
            return None
        root = str(info.get("root_dir") or "")
        of_kernel = (
            _located(_path(session), root)
            for session in sessions
            if isinstance(session, dict) and (session.get("kernel") or {}).get("id") == kernel
        )
        # A console that was opened for the notebook has a session of its own.
        return next((found for found in of_kernel if found is not None), None)


_finder = NotebookFinder()


def _colab_info() -> dict[str, Any] | None:
    """Return where Colab's server is, which keeps no file about itself and listens at an address of its own."""
    host, port = os.environ.get("COLAB_JUPYTER_IP"), os.environ.get("KMP_TARGET_PORT", "9000")
    if not host or not port.isdigit():
        return None
    return {"hostname": host, "port": int(port), "token": os.environ.get("COLAB_JUPYTER_TOKEN", "")}


def _path(session: Mapping[str, Any]) -> str:
    path = str(session.get("path") or "")
    # A notebook in a drive has an id for a path in Colab, and an encoded name.
    return unquote(str(session.get("name") or "")) if path.startswith("fileId=") else path


def _sessions(info: dict[str, Any]) -> list[Any]:
    kind = http.client.HTTPSConnection if info.get("secure") else http.client.HTTPConnection
    # Not urllib: that would send the token to whatever proxy the environment names.
    connection = kind(host_of(info), int(info["port"]), timeout=_TIMEOUT)
    try:
        headers = {"Authorization": f"token {info.get('token', '')}"}
        connection.request("GET", f"{info.get('base_url', '/')}api/sessions", headers=headers)
        answer = connection.getresponse()
        found = json.loads(answer.read(_MAX_ANSWER)) if answer.status == 200 else []
    finally:
        connection.close()
    return found if isinstance(found, list) else []


def _located(path: str, root: str) -> Notebook | None:
    if ":" in path and not (root and Path(root, path).exists()):
        # Another drive than the file system stands before the path, as in RTC:train.ipynb.
        path = path.split(":", 1)[1].lstrip("/")
    if not path.endswith(".ipynb"):
        return None
    file = Path(root, path) if root else None
    return Notebook(path, file if file is not None and file.exists() else None)


def _from_environment(namespace: Mapping[str, Any]) -> Notebook | None:
    for candidate in (os.environ.get("JPY_SESSION_NAME"), namespace.get("__vsc_ipynb_file__")):
        if isinstance(candidate, str) and candidate.endswith(".ipynb"):
            file = Path(candidate)
            path, known = _as_the_server_says(file), file.is_absolute() and file.exists()
            return Notebook(path, file if known else None)
    return None


def _as_the_server_says(file: Path) -> str:
    """Return the path of a notebook as the server would say it, which may only have been too busy to."""
    root = str((server_info() or {}).get("root_dir") or "")
    inside = bool(root) and file.is_absolute() and file.is_relative_to(root)
    return file.relative_to(root).as_posix() if inside else str(file)


def experiment_of(notebook: Notebook) -> str:
    """Return the name of a notebook's experiment, ``""`` if it is not known which notebook it is."""
    return source_name(notebook, find_root(notebook.folder)) if notebook.path else ""


def experiment_of_process() -> str:
    """Return the name of the experiment of the notebook that this process belongs to, ``""`` of none.

    A script asks once: it is of the notebook that it was started in, whatever that is called later.
    """
    return experiment_of(_finder.find({})) if is_kernel() else _experiment_of_script(os.getpid())


@lru_cache(maxsize=1)
def _experiment_of_script(_pid: int) -> str:
    return experiment_of(NotebookFinder().find({}))


def source_name(notebook: Notebook, git_root: Path | None) -> str:
    """Return the name that a run's source has: relative to the repository, else to the server's root."""
    if not notebook.path:
        return UNKNOWN
    absolute = Path(notebook.path).is_absolute()
    # A server's own paths are good names already, so that the working directory need not serve.
    for root in (git_root, working_folder() if absolute else None):
        if root is not None and notebook.file is not None and notebook.file.is_relative_to(root):
            return notebook.file.relative_to(root).as_posix()
    return Path(notebook.path).name if absolute else notebook.path
