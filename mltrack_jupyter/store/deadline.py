"""How long a call may wait for others in all: for a turn, a lock, the database itself.

Whoever answers a request sets one deadline for everything that is done for it, so that waits in a row do
not add up.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Deadline:
    """A time after which nothing is waited for any more; whoever set it may bring it forward."""

    def __init__(self, until: float) -> None:
        self.until = until

    def end(self) -> None:
        """Let those that wait give up now, as far as they look whether they may still wait."""
        self.until = -math.inf


_deadline: ContextVar[Deadline | None] = ContextVar("mltrack_deadline", default=None)


@contextmanager
def within(seconds: float) -> Iterator[Deadline]:
    """Let everything inside wait for ``seconds`` in all; a deadline that is nearer stays."""
    outer = _deadline.get()
    nearest = math.inf if outer is None else outer.until
    deadline = Deadline(min(nearest, time.monotonic() + seconds))
    token = _deadline.set(deadline)
    try:
        yield deadline
    finally:
        _deadline.reset(token)


def left_s(most: float) -> float:
    """Return how many seconds may be waited, ``most`` at most; 0 when the deadline is over."""
    deadline = _deadline.get()
    return most if deadline is None else max(0.0, min(most, deadline.until - time.monotonic()))
