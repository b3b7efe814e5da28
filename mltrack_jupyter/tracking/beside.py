"""Work in threads of ours beside the user's: none of it is inside a store while the process forks.

What a thread holds at that moment, a lock inside SQLite say, would be held in the child for ever. So a
fork waits for such a call to return, five seconds at most.
"""

from __future__ import annotations

import threading

from mltrack_jupyter import forks

_PATIENCE = 5.0

inside = threading.RLock()
"""Held by a thread of ours while it is inside a store."""
_waited = threading.local()


def _before_fork() -> None:
    _waited.got = inside.acquire(timeout=_PATIENCE)


def _after_in_parent() -> None:
    if _waited.got:
        inside.release()


def _after_in_child() -> None:
    # The one who held it in the parent is not here.
    if _waited.got:
        inside.release()
    else:
        inside._at_fork_reinit()  # type: ignore[attr-defined]  # noqa: SLF001 - as logging does


forks.at_fork(
    forks.Part.THREADS, before=_before_fork, in_parent=_after_in_parent, in_child=_after_in_child
)
