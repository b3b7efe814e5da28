"""The one fork hook of this package: who prepares for a fork, in which order, and what a child forgets.

Before a fork, the parts of :class:`Part` get ready from the first to the last, which is the order in which their
locks are taken anywhere else; afterwards, in the parent and in the child, they go on from the last to the
first. Nobody is left out because another one raised.
"""

from __future__ import annotations

# Its own hook must be older than ours, so that it runs after ours before a fork: a thread that we wait for may log.
import logging  # noqa: F401
import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from enum import IntEnum
from functools import partial

Call = Callable[[], object]


class Part(IntEnum):
    """What prepares for a fork; whoever holds something of one part may wait for a later one, never the reverse."""

    THREADS = 1
    """Threads of ours beside the user's leave the store, and import nothing. They may wait for a journal."""
    JOURNALS = 2
    """What was logged is in the store, and nothing is handed over while the process forks."""
    DATABASES = 3
    """No connection is idle: a child would take its locks for its own."""
    STATE = 4
    """What a child does not inherit: locks that a thread of the parent held, and what is the parent's to end."""


_before: dict[Part, list[Call]] = defaultdict(list)
_in_parent: dict[Part, list[Call]] = defaultdict(list)
_in_child: dict[Part, list[Call]] = defaultdict(list)


def at_fork(
    part: Part,
    *,
    before: Call | None = None,
    in_parent: Call | None = None,
    in_child: Call | None = None,
) -> None:
    """Have functions called before and after a fork, as those of a part."""
    for calls, call in ((_before, before), (_in_parent, in_parent), (_in_child, in_child)):
        if call is not None:
            calls[part].append(call)


def run_all(calls: Iterable[Call]) -> None:
    """Call one after another, also when one raises: Python reports that, and forks."""
    with ExitStack() as stack:
        for call in reversed([*calls]):
            stack.callback(call)


def _run_parts(calls: dict[Part, list[Call]], parts: Iterable[Part]) -> None:
    # Each list is looked at when its turn comes: to hand a journal over may open the first database.
    run_all(partial(run_all, calls[part]) for part in parts)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=lambda: _run_parts(_before, Part),
        after_in_parent=lambda: _run_parts(_in_parent, reversed(Part)),
        after_in_child=lambda: _run_parts(_in_child, reversed(Part)),
    )
