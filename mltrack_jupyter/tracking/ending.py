"""The end of the process: runs that are still open get the status that the process deserves."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable
from typing import Any

from mltrack_jupyter.entities import RunStatus
from mltrack_jupyter.errors import MltrackError
from mltrack_jupyter.tracking import scope, session

_status = RunStatus.FINISHED


def _note_failure(previous: Callable[..., Any]) -> Callable[..., Any]:
    def excepthook(kind: type[BaseException], error: BaseException, trace: Any) -> Any:
        global _status
        _status = scope.status_of(error)
        return previous(kind, error, trace)

    return excepthook


def _end_open_runs() -> None:
    for run in scope.open_runs():
        try:
            scope.end(run, _status)
        except MltrackError as error:
            sys.stderr.write(f"mltrack: the run {run.run_id} could not be ended: {error}\n")
    session.close()


def install() -> None:
    """End open runs when the process ends: FAILED or KILLED after an uncaught exception, else FINISHED."""
    sys.excepthook = _note_failure(sys.excepthook)
    atexit.register(_end_open_runs)
