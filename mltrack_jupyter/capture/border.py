"""The border named "kernel hook": what runs beside a user's cell must never break it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_log = logging.getLogger("mltrack_jupyter")
# Without a handler of its own Python prints records to stderr: into the user's cell.
_log.addHandler(logging.NullHandler())


def guarded(what: str, call: Callable[[], T], default: T) -> T:
    """Return ``call()``, or ``default`` if it raises; the error is logged, never shown.

    For code that is not ours: methods of the user's objects, a store that may be down.
    """
    try:
        return call()
    except Exception:  # noqa: BLE001 - the kernel hook: logged, and the user's cell goes on
        _log.warning("%s failed", what, exc_info=True)
        return default
