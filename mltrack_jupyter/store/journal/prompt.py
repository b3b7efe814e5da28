"""Sharing the interpreter: a thread that hands over waits for it beside a thread that never lets it go."""

from __future__ import annotations

import sys
import threading

from mltrack_jupyter import forks

_SWITCH = 0.0005
"""After how many seconds a busy thread of the user lets the interpreter go while something is handed over.

Opening a store gives it back two thousand times, for a file each time; at Python's own 5 ms that took a
quarter of a minute beside a loop of pure Python, in which nobody saw that it ran.
"""


class _Prompt:
    """Lets whoever waits for the interpreter have it soon, while at least one thread is inside."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._inside = 0
        self._usual = self._chosen = 0.0

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._usual = sys.getswitchinterval()
                sys.setswitchinterval(min(self._usual, _SWITCH))
                self._chosen = sys.getswitchinterval()

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            # Unless somebody else chose another one meanwhile.
            if self._inside == 0 and sys.getswitchinterval() == self._chosen:
                sys.setswitchinterval(self._usual)

    def forget(self) -> None:
        """Begin anew in a forked child, in which nobody hands anything over."""
        if self._inside:
            sys.setswitchinterval(self._usual)
        self.__init__()  # type: ignore[misc]


prompt = _Prompt()
forks.at_fork(forks.Part.STATE, in_child=prompt.forget)
