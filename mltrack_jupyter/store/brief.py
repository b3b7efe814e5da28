"""Questions whose answers can be done without: asked once, and not for long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_seconds: ContextVar[float] = ContextVar("mltrack_brief", default=0.0)


def brief_s() -> float:
    """Return how long a request that is made now may take, in seconds; 0 for as long as the settings say."""
    return _seconds.get()


@contextmanager
def briefly(seconds: float = 20.0) -> Iterator[None]:
    """Ask a server once inside, and wait so long for what it says next."""
    token = _seconds.set(seconds)
    try:
        yield
    finally:
        _seconds.reset(token)
