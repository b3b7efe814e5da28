"""Signals that wait: half of a transaction would keep a database locked for everybody."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

INTERRUPT = (signal.SIGINT,)
OTHERS = tuple(sorted(signal.valid_signals() - set(INTERRUPT)))
# Each write asks for sixty handlers; to look each up as a member of an enumeration takes ten times as long.
_handler_of = getattr(signal, "_signal", signal).getsignal


class Signals:
    """Signals that came while they had to wait, and their handlers. Only the main thread gets any."""

    def __init__(self) -> None:
        self._came: list[tuple[Callable[[int, Any], Any], int, Any]] = []

    @contextmanager
    def wait(self, numbers: Iterable[int]) -> Iterator[None]:
        """Let those of these signals that Python handles wait for :meth:`delivered`."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        found = {number: _handler_of(number) for number in numbers}
        handlers = {number: handler for number, handler in found.items() if callable(handler)}
        try:
            for number, handler in handlers.items():
                signal.signal(number, self._noting(handler))
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def _noting(self, handler: Callable[[int, Any], Any]) -> Callable[[int, Any], None]:
        return lambda number, frame: self._came.append((handler, number, frame))

    @contextmanager
    def delivered(self) -> Iterator[None]:
        """Call the handlers of those that came when the block is left."""
        try:
            yield
        finally:
            self._deliver()

    def _deliver(self) -> None:
        if self._came:
            handler, number, frame = self._came.pop(0)
            try:
                handler(number, frame)
            finally:
                self._deliver()


@contextmanager
def deferred() -> Iterator[None]:
    """Let an interrupt (Ctrl-C, the stop button of a notebook) wait for the end of the block.

    SQLAlchemy loses track of a connection whose thread is interrupted while it begins or rolls back.
    """
    signals = Signals()
    with signals.delivered(), signals.wait(INTERRUPT):
        yield
