"""The time as runs and points hold it, and what tells points apart that have the same."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count
from random import SystemRandom

from mltrack_jupyter import forks


def now_ms() -> int:
    """Return the time in milliseconds since the Unix epoch, UTC."""
    return time.time_ns() // 1_000_000


def _begin() -> Iterator[int]:
    return count(SystemRandom().randrange(1 << 20, 1 << 30))


_ordinals = _begin()


def next_ordinal() -> int:
    """Return an ordinal for a point that goes to a store by itself, past the journal.

    It is greater than that of the point before, and no other process has it: points of several processes
    may be alike in everything else. Whoever sends the point again sends the same.
    """
    return next(_ordinals)


def _begin_anew() -> None:
    global _ordinals
    _ordinals = _begin()


forks.at_fork(forks.Part.STATE, in_child=_begin_anew)
