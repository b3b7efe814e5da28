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

_until: ContextVar[float] = ContextVar("mltrack_deadline", default=math.inf)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Let everything inside wait for ``seconds`` in all; a deadline that is nearer stays."""
    token = _until.set(min(_until.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _until.reset(token)


def left_s(most: float) -> float:
    """Return how many seconds may be waited, ``most`` at most; 0 when the deadline is over."""
    return max(0.0, min(most, _until.get() - time.monotonic()))
