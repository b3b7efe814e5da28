"""The tags that say where a run comes from: notebook, cell, code, commit, user."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from typing import Any

from mltrack_jupyter import config
from mltrack_jupyter.capture.git import GitState, find_root, read_git
from mltrack_jupyter.capture.notebook import Notebook, NotebookFinder, source_name
from mltrack_jupyter.store.process import kernel_id
from mltrack_jupyter.tracking.redact import redact

MAX_CODE = 100_000
_finder = NotebookFinder()


@dataclass(frozen=True)
class Place:
    """Where a cell runs."""

    notebook: Notebook
    source: str
    cell_id: str = ""
    execution_count: int | None = None

    @property
    def experiment(self) -> str:
        """The experiment that runs of this notebook belong to if nobody chose one."""
        return self.source if self.notebook.path else "Default"


def find_place(shell: Any, info: Any = None) -> Place:
    """Return where the cell of ``info`` (IPython's ``ExecutionInfo``) runs."""
    notebook = _finder.find(shell.user_ns)
    source = source_name(notebook, find_root(notebook.folder))
    count = shell.execution_count
    # A stored cell has raised the counter before its code runs.
    counted = count - 1 if getattr(info, "store_history", False) else count
    return Place(notebook, source, _cell_id(shell, info), counted)


def _cell_id(shell: Any, info: Any) -> str:
    found = getattr(info, "cell_id", None)
    if not found:
        parent = getattr(shell, "parent_header", None) or {}
        metadata = parent.get("metadata") if isinstance(parent, dict) else None
        found = metadata.get("cellId") if isinstance(metadata, dict) else None
    return str(found or "")


def place_tags(place: Place) -> dict[str, str]:
    """Return the tags of where a cell runs; what is unknown is left out."""
    user = os.environ.get("JUPYTERHUB_USER") or config.user_name()
    count = place.execution_count
    tags = {
        "mlflow.source.name": place.source,
        "mlflow.source.type": "NOTEBOOK",
        "mlflow.user": user,
        "mltrack.notebook.path": place.notebook.path,
        "mltrack.cell.id": place.cell_id,
        "mltrack.execution_count": "" if count is None else str(count),
        "mltrack.kernel.id": kernel_id(),
        "mltrack.trigger": "cell",
    }
    return {key: value for key, value in tags.items() if value}


def code_tag(source: str) -> str:
    """Return a cell's source as it is stored: without secrets, and cut if it is huge."""
    return redact(source[:MAX_CODE]) + ("\n# …" if len(source) > MAX_CODE else "")


@dataclass
class GitLook:
    """A look at the repository, taken beside the cell so that the cell does not wait for git."""

    _found: list[GitState | None] = field(default_factory=list)
    _thread: threading.Thread | None = None

    def start(self, notebook: Notebook) -> GitLook:
        """Begin to look."""
        folder = notebook.folder
        if find_root(folder) is not None:
            target = lambda: self._found.append(read_git(folder))  # noqa: E731
            self._thread = threading.Thread(target=target, name="mltrack-git", daemon=True)
            self._thread.start()
        return self

    def tags(self) -> dict[str, str]:
        """Return what was seen, waiting for it at most three seconds; nothing without a repository."""
        if self._thread is not None:
            self._thread.join(3.0)
        state = self._found[0] if self._found else None
        if state is None:
            return {}
        tags = {
            "mlflow.source.git.commit": state.commit,
            "mlflow.source.git.branch": state.branch,
            "mltrack.git.dirty": str(state.dirty).lower(),
        }
        return {key: value for key, value in tags.items() if value}


class Here:
    """The tags of the cell that runs now, worked out once for all the runs that it starts."""

    def __init__(self) -> None:
        self._known: tuple[object, dict[str, str]] | None = None
        self._open: tuple[Place, GitLook] | None = None

    def enter(self, place: Place, git: GitLook) -> None:
        """Say that a tracked cell runs."""
        self._open, self._known = (place, git), None

    def leave(self) -> None:
        """Say that the tracked cell has ended."""
        self._open = self._known = None

    def tags(self) -> dict[str, str]:
        """Return the system tags of a run that is started by hand in a notebook."""
        from IPython.core.getipython import get_ipython

        shell = get_ipython()
        if shell is None:
            return {}
        key = (id(shell), shell.execution_count)
        if self._known is None or self._known[0] != key:
            self._known = (key, self._look(shell))
        return dict(self._known[1])

    def _look(self, shell: Any) -> dict[str, str]:
        if self._open is not None:
            place, git = self._open
            return {**place_tags(place), **git.tags()}
        place = find_place(shell)
        git = GitLook().start(place.notebook)
        return {**place_tags(place), **git.tags(), "mltrack.trigger": "api"}


here = Here()
