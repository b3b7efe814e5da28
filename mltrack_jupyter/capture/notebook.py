"""Which notebook a kernel belongs to: asked of the Jupyter server, else of the environment."""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from mltrack_jupyter.config import working_folder
from mltrack_jupyter.store.process import kernel_id

UNKNOWN = "<unknown notebook>"
_TIMEOUT = 1.0
_PAUSE = 30.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1", "0.0.0.0", "::", "")  # noqa: S104 - compared, never bound
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
        kernel = kernel_id()
        if not kernel or time.monotonic() < self._silent_until:
            return None
        info = _colab_info() or _server_info(os.environ.get("JPY_PARENT_PID", ""))
        if info is None:
            return None
        try:
            sessions = _sessions(info)
        except (OSError, http.client.HTTPException, ValueError):
            self._silent_until = time.monotonic() + _PAUSE
            return None
        for session in sessions:
            if isinstance(session, dict) and (session.get("kernel") or {}).get("id") == kernel:
                return _located(_path(session), str(info.get("root_dir") or ""))
        return None


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


def _server_info(parent: str) -> dict[str, Any] | None:
    if not parent.isdigit():
        return None
    from jupyter_core.paths import jupyter_runtime_dir

    try:
        text = (Path(jupyter_runtime_dir()) / f"jpserver-{parent}.json").read_text()
        info = json.loads(text)
    except (OSError, ValueError):
        return None
    # The token goes to this machine only.
    if not isinstance(info, dict) or not isinstance(info.get("port"), int) or info.get("sock"):
        return None
    return info if _is_loopback(str(info.get("hostname", ""))) else None


def _is_loopback(host: str) -> bool:
    return host in _LOOPBACK or host.startswith("127.")


def _sessions(info: Mapping[str, Any]) -> list[Any]:
    host = str(info.get("hostname", ""))
    host = host if host not in ("0.0.0.0", "::", "") else "127.0.0.1"  # noqa: S104
    kind = http.client.HTTPSConnection if info.get("secure") else http.client.HTTPConnection
    # Not urllib: that would send the token to whatever proxy the environment names.
    connection = kind(host, int(info["port"]), timeout=_TIMEOUT)
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
            return Notebook(candidate, file if file.is_absolute() and file.exists() else None)
    return None


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
