"""Which run is active: nested scopes that threads, tasks and later cells see.

A scope is kept in a context variable, so that concurrent tasks do not mix, and beside it as the
process's newest one, because a notebook runs each cell in a context of its own and a plain thread
begins with an empty one.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from types import TracebackType
from typing import Any

from mltrack_jupyter import config
from mltrack_jupyter.entities import Run, RunData, RunInfo, RunInputs, RunOutputs, RunStatus, Tag
from mltrack_jupyter.errors import InvalidParameter, MltrackError
from mltrack_jupyter.services import Services
from mltrack_jupyter.tracking import session
from mltrack_jupyter.tracking.clock import now_ms

PARENT = "mlflow.parentRunId"


class ActiveRun:
    """A run that is being written; leaving its ``with`` block ends it with the true status."""

    def __init__(self, run: Run, services: Services, parent: ActiveRun | None) -> None:
        self._run = run
        self.services = services
        self.parent = parent
        self.closed = False
        self.in_with = False
        self.implicit = False
        self.logged: tuple[set[str], set[str]] = (set(), set())

    @property
    def info(self) -> RunInfo:
        """What was known of the run when it was started."""
        return self._run.info

    @property
    def data(self) -> RunData:
        """Params, metrics and tags when it was started; ``get_run`` returns what is stored now."""
        return self._run.data

    @property
    def inputs(self) -> RunInputs:
        """What the run had read when it was started."""
        return self._run.inputs

    @property
    def outputs(self) -> RunOutputs:
        """What the run had made when it was started."""
        return self._run.outputs

    def __enter__(self) -> ActiveRun:
        self.in_with = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self.closed:
            finish_run(self.info.run_id, status_of(kind).value)

    def __repr__(self) -> str:
        state = "ended" if self.closed else "active"
        return f"<ActiveRun {self.info.run_name} {self.info.run_id} ({state})>"


def status_of(kind: type[BaseException] | None) -> RunStatus:
    """Return the status that a block deserves which was left with this exception."""
    if kind is None:
        return RunStatus.FINISHED
    return RunStatus.KILLED if issubclass(kind, KeyboardInterrupt) else RunStatus.FAILED


_current: ContextVar[ActiveRun | None] = ContextVar("mltrack_run", default=None)
_newest: ActiveRun | None = None
_lock = threading.RLock()
_last: ContextVar[str | None] = ContextVar("mltrack_last_run", default=None)
_last_of_process: str | None = None
_failed = False


def active_run() -> ActiveRun | None:
    """Return the innermost run that is open, or ``None``."""
    return _open(_current.get()) or _open(_newest)


def _open(run: ActiveRun | None) -> ActiveRun | None:
    while run is not None and run.closed:
        run = run.parent
    return run


def last_run_id() -> str | None:
    """Return the id of the run that was started last."""
    return _last.get() or _last_of_process


def script_context() -> dict[str, str]:
    """Return the system tags of a run that a script starts."""
    name = sys.argv[0] if sys.argv and sys.argv[0] else "<stdin>"
    return {
        "mlflow.user": config.user_name(),
        "mlflow.source.name": name,
        "mlflow.source.type": "LOCAL",
    }


_context: Callable[[], Mapping[str, str]] = script_context


def set_context_provider(provider: Callable[[], Mapping[str, str]]) -> None:
    """Choose who tells the system tags of new runs; a notebook knows more than a script."""
    global _context
    _context = provider


def open_run(
    *, experiment_id: str, run_name: str = "", tags: Mapping[str, Any] | None = None
) -> ActiveRun:
    """Create a run and make it the active one, inside the run that is active now (if any)."""
    services = session.services()
    parent = active_run()
    values = {**_context(), **{key: str(value) for key, value in (tags or {}).items()}}
    if parent is not None:
        values.setdefault(PARENT, parent.info.run_id)
    run = services.runs.create(
        experiment_id=experiment_id,
        user_id=values.get("mlflow.user", ""),
        run_name=run_name,
        start_time=now_ms(),
        tags=[Tag(key, value) for key, value in values.items()],
    )
    return _push(ActiveRun(run, services, parent))


def resume_run(run_id: str) -> ActiveRun:
    """Make a run that exists the active one; its status is RUNNING again."""
    services = session.services()
    services.runs.update(run_id, status=RunStatus.RUNNING)
    return _push(ActiveRun(services.runs.get(run_id), services, active_run()))


def _push(run: ActiveRun) -> ActiveRun:
    global _newest, _last_of_process
    with _lock:
        _newest = run
        _last_of_process = run.info.run_id
    _current.set(run)
    _last.set(run.info.run_id)
    return run


def find(run_id: str) -> ActiveRun | None:
    """Return the open scope of a run, or ``None``."""
    for start in (_current.get(), _newest):
        run = start
        while run is not None:
            if run.info.run_id == run_id and not run.closed:
                return run
            run = run.parent
    return None


def finish_run(run_id: str, status: str = "FINISHED") -> None:
    """End an open run, and what is still open inside it, with a status."""
    known = RunStatus.__members__.get(status)
    if known is None or not known.is_terminated:
        raise InvalidParameter(
            f"{status!r} is no status that a run can end with; right are FINISHED, FAILED and KILLED."
        )
    scope = find(run_id)
    inner = active_run()
    while scope is not None and inner is not None and inner is not scope:
        _end(inner, known)
        inner = _open(inner)
    if scope is not None:
        _end(scope, known)
    else:
        session.services().runs.update(run_id, status=known, end_time=now_ms())


def _end(run: ActiveRun, status: RunStatus) -> None:
    # Closed first: whatever the store says, the scope is left and cannot be entered again by accident.
    run.closed = True
    run.services.runs.update(run.info.run_id, status=status, end_time=now_ms())


def end_implicit(status: str) -> None:
    """End the runs that a log call opened by itself; a notebook does so after each cell."""
    run = active_run()
    while run is not None:
        if run.implicit:
            finish_run(run.info.run_id, status)
        run = _open(run.parent)


def _note_failure(previous: Callable[..., Any]) -> Callable[..., Any]:
    def excepthook(kind: type[BaseException], error: BaseException, trace: Any) -> Any:
        global _failed
        _failed = True
        return previous(kind, error, trace)

    return excepthook


def _end_at_exit() -> None:
    status = RunStatus.FAILED if _failed else RunStatus.FINISHED
    run = active_run()
    while run is not None:
        try:
            _end(run, status)
        except MltrackError as error:
            sys.stderr.write(f"mltrack: the run {run.info.run_id} could not be ended: {error}\n")
        run = _open(run.parent)


def _forget_after_fork() -> None:
    global _newest, _lock
    _lock = threading.RLock()
    _newest = None
    _current.set(None)


sys.excepthook = _note_failure(sys.excepthook)
atexit.register(_end_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
