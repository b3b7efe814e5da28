"""One training that is logged: which run it writes to, and how that run ends.

A training inside another one (a step of a pipeline, a candidate of a search) is not logged by itself.
"""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, TypeVar

from mltrack_jupyter.privacy.redact import redact
from mltrack_jupyter.tracking import fluent, origins, scope, session
from mltrack_jupyter.tracking.autolog.border import Border
from mltrack_jupyter.tracking.autolog.integration import Integration
from mltrack_jupyter.tracking.autolog.record import Record

T = TypeVar("T")
AUTOLOGGING = "mlflow.autologging"
WARNINGS_TAG = "mltrack.autolog.warnings"
_current: ContextVar[Training | None] = ContextVar("mltrack_training", default=None)
_lock = threading.Lock()
_numbers = itertools.count()
# Depth of joblib's nesting at which each training that runs now began.
_levels: dict[int, int] = {}


def current() -> Training | None:
    """Return the training that this thread or task is in, whatever its library."""
    return _current.get()


def is_inside() -> bool:
    """Tell whether this code runs inside a training that is watched, or in one of its workers."""
    if _current.get() is not None:
        return True
    level = _joblib_level()
    # A worker thread of joblib belongs to a training that began further out. One with a run of its own
    # is the user's: a loop over settings, spread over threads.
    return level > 0 and any(began < level for began in list(_levels.values())) and _no_own_run()


def _no_own_run() -> bool:
    return scope.own_run() is None


def _joblib_level() -> int:
    joblib = sys.modules.get("joblib")
    if joblib is None:
        return 0
    return joblib.parallel.get_active_backend()[0].nesting_level or 0


Halves = Generator[Callable[[], Any] | None, Any, None]
"""What is done before a call of the user's, and with its result; between them, the call to make."""
Watch = Callable[["Training"], Halves]
"""Returns what is done beside a training. A call that it yields is made in place of the user's."""


def watched(
    integration: Integration,
    begin: Callable[[], Training | None],
    call: Callable[[], Any],
    watch: Watch | None = None,
) -> Any:
    """Make a call of the user's as the training that ``begin`` returns; whatever fails, it is made."""
    training = integration.attempt("beginning to log", begin, None)
    if training is None:
        return call()
    with training:
        return training.around(call, watch)


def watched_method(
    integration: Integration,
    original: Callable[..., Any],
    self: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    watch: Watch,
) -> Any:
    """Call a method as a training of its object's class, unless it is a part of another training."""
    return watched(
        integration,
        lambda: Training(integration, type(self).__name__) if current() is None else None,
        lambda: original(self, *args, **kwargs),
        watch,
    )


def _begun(halves: Halves) -> tuple[Halves, Callable[[], Any] | None]:
    return halves, next(halves)


def _end(halves: Halves, result: Any) -> None:
    with suppress(StopIteration):
        halves.send(result)


class Training:
    """A training from begin to end, as a context: entering never fails, leaving ends an own run.

    Parameters
    ----------
    integration
        The library.
    label
        Name of the model's class.
    is_model
        ``False`` for what only transforms data.
    logged
        ``False`` for code whose inner trainings are nobody's concern, such as a cross-validation.
    """

    def __init__(
        self, integration: Integration, label: str, *, is_model: bool = True, logged: bool = True
    ) -> None:
        self.integration = integration
        self.options = integration.options
        self.label = label
        self.killed = False
        self.fed = False
        self._is_model = is_model
        self._logged = logged
        self._border = Border(integration.name, silent=self.options.silent)
        self._own_run = ""
        self._number = next(_numbers)
        self._token: Token[Training | None] | None = None
        self.record: Record | None = None

    def __enter__(self) -> Training:
        if self.integration.on and not self.attempt("looking around", is_inside, True):
            if self._logged:
                self.record = self.attempt("opening a run", self._open, None)
            _levels[self._number] = self.attempt("asking joblib", _joblib_level, 0)
            self._token = _current.set(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._token is None:
            return
        _current.reset(self._token)
        _levels.pop(self._number, None)
        self.attempt("leaving the training", lambda: self._leave(error), None)

    def _leave(self, error: BaseException | None) -> None:
        if self.record is not None and self._border.failed:
            notes = "\n".join(self._border.failed.values())
            self.write(
                "noting what failed", lambda record: record.note(WARNINGS_TAG, redact(notes))
            )
        if self._own_run:
            self.attempt("ending the run", lambda: self._finish_run(error), None)

    def _finish_run(self, error: BaseException | None) -> None:
        status = "KILLED" if self.killed else scope.status_of(error).value
        fluent.finish_run(self._own_run, status)

    def around(self, call: Callable[[], Any], watch: Watch | None) -> Any:
        """Make the user's call between the halves of a watch; neither of them ever reaches it."""
        if self.record is None or watch is None:
            return call()
        nothing: tuple[Halves | None, Callable[[], Any] | None] = None, None
        halves, changed = self.attempt(
            "logging before the training", lambda: _begun(watch(self)), nothing
        )
        result = call() if changed is None else changed()
        if halves is not None:
            self.attempt("logging after the training", lambda: _end(halves, result), None)
        return result

    def attempt(self, what: str, call: Callable[[], T], default: T) -> T:
        """Return ``call()``, or ``default`` if it raises: a failure here never reaches the training."""
        return self._border.attempt(what, call, default)

    def write(self, what: str, call: Callable[[Record], Any]) -> None:
        """Do something with the record of this training, if it has one; nothing is ever raised."""
        record = self.record
        if record is not None:
            self.attempt(what, lambda: call(record), None)

    def _open(self) -> Record | None:
        run = fluent.active_run()
        if run is not None and self._is_left_over(run):
            fluent.finish_run(run.run_id)
            run = fluent.active_run()
        ours = run is not None and origins.known(run.run_id).began
        if self.options.exclusive and run is not None and not ours:
            return None
        opened = run is None
        if run is None:
            run = self._start()
        # In a run of its own, what transforms is what the run is about.
        is_model = self._is_model or (opened and bool(self._own_run))
        record = Record(run, self.label, self.options, is_model=is_model)
        if opened:
            origins.of_run(run.run_id).began = True
        return record

    def _is_left_over(self, run: fluent.ActiveRun) -> bool:
        """Tell whether a run that a training opened for its cell has its model already."""
        mine = origins.known(run.run_id)
        return run.implicit and mine.began and mine.trained > 0 and self._is_model

    def _start(self) -> fluent.ActiveRun:
        tags: Mapping[str, Any] = {
            AUTOLOGGING: self.integration.name,
            **(self.options.extra_tags or {}),
        }
        run = fluent.start_run(tags=tags)
        if session.host().has_cells() and threading.current_thread() is threading.main_thread():
            # The cell ends it, so that what is logged by hand below the training is in it as well.
            run.implicit = True
        else:
            self._own_run = run.run_id
        return run
