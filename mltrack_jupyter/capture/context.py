"""The tags that say where a run comes from: notebook, cell, code, commit, user."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from mltrack_jupyter import config
from mltrack_jupyter.capture.outcome import outcome_of_session
from mltrack_jupyter.hosted import is_kernel, kernel_id
from mltrack_jupyter.privacy.redact import redact_cut
from mltrack_jupyter.tracking.git import find_root
from mltrack_jupyter.tracking.host import Moment, Outcome
from mltrack_jupyter.tracking.notebook import Notebook, NotebookFinder, source_name

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
        """The name of the notebook's experiment, ``""`` if it is not known which notebook it is."""
        return self.source if self.notebook.path else ""


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
        "mltrack.trigger": config.trigger("cell"),
    }
    return {key: value for key, value in tags.items() if value}


def code_tag(source: str) -> str:
    """Return a cell's source as it is stored: without secrets, and cut if it is huge."""
    return redact_cut(source, MAX_CODE, mark="\n# …")


class NotebookHost:
    """A notebook: where the cell that runs now is, worked out once for all the runs that it starts."""

    def __init__(self) -> None:
        self._known: tuple[object, Place] | None = None
        self._open: Place | None = None

    def enter(self, place: Place) -> None:
        """Say that a tracked cell runs."""
        self._open = place

    def leave(self) -> None:
        """Say that the tracked cell has ended."""
        self._open = None

    def tags(self) -> dict[str, str]:
        """Return the system tags of a run that is started by hand in a notebook."""
        place = self._place()
        if place is None:
            return {}
        usual = "cell" if self._open is not None else "api"
        return {**place_tags(place), "mltrack.trigger": config.trigger(usual)}

    def experiment(self) -> str:
        """Return the name of the experiment of this notebook, ``""`` where there is none."""
        place = self._place()
        return place.experiment if place is not None else ""

    def moment(self) -> Moment:
        """Return where git is asked, and until when its answer holds: until the next cell."""
        place = self._place()
        if place is None:
            return Moment(config.working_folder())
        return Moment(place.notebook.folder, place)

    def outcome(self, noted: Outcome) -> Outcome:
        """Return how a kernel ends, by its last cell; IPython in a terminal ends as Python tells."""
        shell = _shell()
        return outcome_of_session(shell) if shell is not None and is_kernel() else noted

    def has_cells(self) -> bool:
        """Tell that it has cells."""
        return True

    def _place(self) -> Place | None:
        shell = _shell()
        if self._open is not None or shell is None:
            return self._open
        key = (id(shell), shell.execution_count)
        if self._known is None or self._known[0] != key:
            self._known = (key, find_place(shell))
        return self._known[1]


def _shell() -> Any:
    from IPython.core.getipython import get_ipython

    return get_ipython()


here = NotebookHost()
