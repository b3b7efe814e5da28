"""Which runs are open, and which one is active: nested scopes that threads, tasks and later cells see.

A scope is kept in a context variable, so that threads and concurrent tasks do not mix. Beside it stands
the newest scope of the main thread, because a notebook runs each cell in a context of its own, and a
plain thread begins with an empty one: whoever has no run of their own logs to that one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Generic, Protocol, TypeVar


class Scope(Protocol):
    """A run that is being written, as far as it matters here; several scopes may be of one run."""

    run_id: str
    thread: threading.Thread
    closed: bool
    in_with: bool
    told: bool
    """Whether another scope of the run told how it ended."""

    @property
    def is_ours(self) -> bool:
        """Whether this process opened the scope, and not the one that it was forked from."""
        ...

    @property
    def is_beside(self) -> bool:
        """Whether it was opened by a task that goes on beside the present one."""
        ...


S = TypeVar("S", bound=Scope)


class Scopes(Generic[S]):
    """The scopes of one process. May be used from any thread.

    ``parent_of`` tells in which scope another one was opened. ``first`` is called before there is an open
    scope, ``last`` when there is none any more; one of these calls at a time.
    """

    def __init__(self, parent_of: Callable[[S], S | None]) -> None:
        self.current: ContextVar[S | None] = ContextVar("mltrack_run", default=None)
        self.first: Callable[[], object] | None = None
        self.last: Callable[[], object] | None = None
        self._parent_of = parent_of
        self._newest: S | None = None
        self._opened: list[S] = []
        self._inherited: list[S] = []
        self._lock = threading.RLock()
        self._last: ContextVar[str | None] = ContextVar("mltrack_last_run", default=None)
        self._last_of_process: str | None = None

    def active(self) -> S | None:
        """Return the scope that a log call writes to: the innermost one that is open, or ``None``."""
        return self.innermost(self.current.get()) or self._newest_open()

    def own(self) -> S | None:
        """Return the open scope that this thread or task opened, or an earlier cell, or ``None``."""
        run = self.innermost(self.current.get())
        if run is None and threading.current_thread() is threading.main_thread():
            run = self.innermost(self._newest)
        return run if run is not None and run.is_ours and not run.is_beside else None

    def surrounding_block(self) -> S | None:
        """Return the scope in whose ``with`` block this code is, also if another task opened that, or ``None``."""
        run = self.innermost(self.current.get())
        while run is not None and not run.in_with:
            run = self.innermost(self._parent_of(run))
        return run if run is not None and run.is_ours else None

    def innermost(self, run: S | None) -> S | None:
        """Return a scope, or the nearest one around it that is open, or ``None``."""
        while run is not None and run.closed:
            run = self._parent_of(run)
        return run

    def last_run_id(self) -> str | None:
        """Return the id of the run that was started or ended last."""
        return self._last.get() or self._last_of_process

    def opened(self) -> list[S]:
        """Return the scopes that this process has open, the newest first."""
        with self._lock:
            return list(reversed(self._opened))

    def find(self, run_id: str) -> S | None:
        """Return the newest open scope of a run, or ``None``."""
        with self._lock:
            return next((run for run in reversed(self._opened) if run.run_id == run_id), None)

    def push(self, run: S) -> S:
        """Make a scope the active one."""
        with self._lock:
            if not self._opened and self.first is not None:
                self.first()
            self._opened.append(run)
            self._last_of_process = run.run_id
            if threading.current_thread() is threading.main_thread():
                self._newest = run
        self.current.set(run)
        self._last.set(run.run_id)
        return run

    def close(self, run: S) -> bool:
        """Leave a scope, and tell whether it is the one that says how its run ended.

        It is not if an earlier block of this process is in the run still, or if another one said so already.
        """
        run.closed = True
        self._last.set(run.run_id)
        with self._lock:
            same = [scope for scope in self._opened if scope.run_id == run.run_id]
            joined = run in same and run is not same[0]
            if run in same:
                self._opened.remove(run)
                if not self._opened and self.last is not None:
                    self.last()
            if not joined:
                for other in same:
                    other.told = other.told or other is not run
        return not (joined or run.told)

    def inside(self, run: S) -> Iterator[S]:
        """Yield a scope and those around it, the innermost first."""
        around: S | None = run
        while around is not None:
            yield around
            around = self._parent_of(around)

    def ending_with(self, block: S) -> list[S]:
        """Return the scopes that end with a block: its own, and those that were merely left open inside it.

        One with a block of its own goes on: that of another task, or that around the use of a generator.
        """
        return [run for run in self.opened() if self._is_left_in(run, block)]

    def _is_left_in(self, run: S, block: S) -> bool:
        for outer in self.inside(run):
            if outer is block or outer.in_with:
                return outer is block
        return False

    def leave_to_parent(self) -> None:
        """Begin anew in a forked child: it goes on logging to the runs of its parent, but does not end them."""
        self._lock = threading.RLock()
        self._inherited.extend(self._opened)
        self._opened.clear()
        if self.last is not None:
            self.last()

    def _newest_open(self) -> S | None:
        found = self.innermost(self._newest)
        if found is not None or self._newest is None:
            return found
        main = threading.main_thread()
        with self._lock:
            opened = [*self._inherited, *self._opened]
        return next(
            (run for run in reversed(opened) if run.thread is main and not run.closed), None
        )
