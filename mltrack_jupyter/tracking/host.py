"""What runs are made in: a script or a notebook. It says who starts them, where "here" is, and how it ended."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from mltrack_jupyter import config
from mltrack_jupyter.entities import RunStatus
from mltrack_jupyter.hosted import is_kernel, nearest_kernel_id

Outcome = tuple[RunStatus, dict[str, str]]
"""The status of runs that are left open when a process ends, and its reason as tags."""


@dataclass(frozen=True)
class Moment:
    """A folder in a repository, and what its state belongs to: it is looked at once for each."""

    folder: Path
    what: object = "script"


class Host(Protocol):
    """What this process is, as far as runs are concerned; asked anew for each run."""

    def tags(self) -> dict[str, str]:
        """Return the system tags of a run that starts now: who and what starts it."""
        ...

    def experiment(self) -> str:
        """Return the name of the experiment of the notebook that this is, or was started in; ``""`` of none."""
        ...

    def moment(self) -> Moment:
        """Return where git is asked, and until when its answer holds."""
        ...

    def outcome(self, noted: Outcome) -> Outcome:
        """Return how the process ends, of which ``noted`` is what Python told."""
        ...

    def has_cells(self) -> bool:
        """Tell whether each cell ends, with itself, what a log call opened by itself."""
        ...


class ScriptHost:
    """A script, a worker, or Python as one types it."""

    def tags(self) -> dict[str, str]:
        """Return the system tags of a run that a script starts."""
        name = sys.argv[0] if sys.argv and sys.argv[0] else "<stdin>"
        return {
            "mlflow.user": config.user_name(),
            "mlflow.source.name": name,
            "mlflow.source.type": "LOCAL",
            "mltrack.trigger": config.trigger("script"),
        }

    def experiment(self) -> str:
        """Return the name of the experiment of the notebook that started this process."""
        if not is_kernel() and not nearest_kernel_id():
            return ""
        from mltrack_jupyter.tracking.notebook import experiment_of_process

        return experiment_of_process()

    def moment(self) -> Moment:
        """Return the folder of the script: Python read it once, and so is its repository."""
        return _moment_of(sys.argv[0] if sys.argv else "", config.working_folder())

    def outcome(self, noted: Outcome) -> Outcome:
        """Return what Python told."""
        return noted

    def has_cells(self) -> bool:
        """Tell that it has no cells."""
        return False


@lru_cache(maxsize=1)
def _moment_of(script: str, here: Path) -> Moment:
    place = here / script
    return Moment(place.parent if script and place.is_file() else here)
