"""Interrupts that wait: half of a transaction would keep a database locked for everybody."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def deferred() -> Iterator[None]:
    """Let an interrupt (Ctrl-C, the stop button of a notebook) wait for the end of the block.

    Only the main thread is ever interrupted. SQLAlchemy loses track of a connection whose thread is
    interrupted while it begins or rolls back.
    """
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    came: list[tuple[Any, Any]] = []
    signal.signal(signal.SIGINT, lambda number, frame: came.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if came:
            handler(*came[0])
