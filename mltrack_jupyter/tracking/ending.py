"""The end of the process: runs that are still open get the status that the process deserves.

Python tells an exception that ends it to ``sys.excepthook``, but ``SystemExit`` to nobody, nor its code
to ``atexit``. So ``sys.exit()`` (and ``exit()``) raise a ``SystemExit`` here that notices when its code
is asked for by the interpreter itself, from below all Python code, which happens only when it ends the
process. One that is caught is never noticed. ``raise SystemExit(1)`` outside a ``with`` block is not seen.

A thread that ends by an exception tells ``threading.excepthook``, also of a ``SystemExit``; runs that it
began end there. A worker of ``multiprocessing`` ends without ``atexit``, see ``session.keeper``.

All of these are hooked while a run is open, and put back as they were found when the last one ends.
"""

from __future__ import annotations

import atexit
import builtins
import functools
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, Never

from mltrack_jupyter.errors import MltrackError
from mltrack_jupyter.tracking import reasons, scope, session
from mltrack_jupyter.tracking.host import Outcome


def _note(error: BaseException) -> None:
    if scope.open_runs():  # another library may call our hook for as long as it likes
        session.default.ended = scope.status_of(error), reasons.tags_of(error)


class _Hook:
    """A function of somebody else's that is wrapped for a time; one that came upon ours meanwhile stays."""

    def __init__(
        self, owner: Any, name: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]
    ) -> None:
        self._owner, self._name, self._wrap = owner, name, wrap
        self._found: Callable[..., Any] | None = None
        self._ours: Callable[..., Any] | None = None

    def put(self) -> None:
        found = getattr(self._owner, self._name)
        if found is self._ours:
            return
        # Mostly it is the same as for the run before: a run is begun in microseconds.
        if found is not self._found:
            self._found, self._ours = found, self._wrap(found)
        setattr(self._owner, self._name, self._ours)

    def put_back(self) -> None:
        if self._ours is not None and getattr(self._owner, self._name) is self._ours:
            setattr(self._owner, self._name, self._found)


class _NoticedExit(SystemExit):
    """A ``SystemExit`` whose code cannot be asked for by the interpreter without being noticed."""

    @property
    def code(self) -> Any:
        try:
            sys._getframe(1)  # noqa: SLF001 - the one way to ask who calls
        except ValueError:  # nobody calls: this is the end
            _note(SystemExit(self._code))
        return self._code

    @code.setter
    def code(self, value: Any) -> None:
        self._code = value

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._code = SystemExit(*arguments).code

    def __reduce__(self) -> Any:
        return SystemExit, self.args


_NoticedExit.__name__ = _NoticedExit.__qualname__ = "SystemExit"
_NoticedExit.__module__ = "builtins"


def _noticing(leave: Callable[..., Never]) -> Callable[..., Never]:
    @functools.wraps(leave)
    def noticed(*arguments: Any) -> Never:
        try:
            leave(*arguments)
        except SystemExit as error:
            # Other threads end silently by a SystemExit of exactly this type.
            if threading.current_thread() is not threading.main_thread():
                raise
            raise _NoticedExit(*error.args) from None

    return noticed


def _note_failure(previous: Callable[..., Any]) -> Callable[..., Any]:
    def excepthook(kind: type[BaseException], error: BaseException, trace: Any) -> Any:
        _note(error)
        return previous(kind, error, trace)

    return excepthook


def _note_failure_of_thread(previous: Callable[..., Any]) -> Callable[..., Any]:
    def excepthook(arguments: Any) -> None:
        try:
            _end_runs_of_thread(arguments.exc_value)
        finally:
            previous(arguments)

    return excepthook


def _end_runs_of_thread(error: BaseException | None) -> None:
    """End the runs that this thread began and leaves open by an exception; nobody else would know of it."""
    if not reasons.is_good(error):
        mine = [run for run in scope.open_runs() if run.thread is threading.current_thread()]
        _end_all(mine, (scope.status_of(error), reasons.tags_of(error)))


def _end_with_worker() -> None:
    """End the runs that a worker of ``multiprocessing`` left open, by what its target raised, if it did."""
    error = sys.exc_info()[1]
    _end_all(scope.open_runs(), (scope.status_of(error), reasons.tags_of(error)))


def _end_open_runs() -> None:
    _end_all(scope.open_runs(), session.host().outcome(session.default.ended))
    session.close()


def _end_all(runs: Sequence[scope.ActiveRun], outcome: Outcome) -> None:
    status, why = outcome
    for run in runs:
        try:
            scope.end(run, status, why)
        except MltrackError as error:
            sys.stderr.write(f"mltrack: the run {run.run_id} could not be ended: {error}\n")


def _make_hooks() -> list[_Hook]:
    hooks = [
        _Hook(sys, "excepthook", _note_failure),
        _Hook(threading, "excepthook", _note_failure_of_thread),
        _Hook(sys, "exit", _noticing),
    ]
    quitter = type(getattr(builtins, "exit", None))
    if quitter.__name__ == "Quitter":
        hooks.append(_Hook(quitter, "__call__", _noticing))
    return hooks


_hooks = _make_hooks()


def _hear() -> None:
    for hook in _hooks:
        hook.put()


def _hear_no_more() -> None:
    for hook in _hooks:
        hook.put_back()


def install() -> None:
    """End open runs when the process ends: FAILED or KILLED if it ends so, else FINISHED."""
    scope.scopes.first, scope.scopes.last = _hear, _hear_no_more
    session.default.stores.end_of_worker = _end_with_worker
    atexit.register(_end_open_runs)
