"""What asyncio has to do with the present code; without loading asyncio, which takes its time."""

from __future__ import annotations

import sys
import weakref
from typing import Any


def present() -> weakref.ref[Any] | None:
    """Return the task that runs now, if any."""
    # Half of the module is there while another thread, which opens the store, imports it.
    current_task = getattr(sys.modules.get("asyncio"), "current_task", None)
    try:
        task = current_task() if current_task else None
    except RuntimeError:  # no loop runs in this thread
        task = None
    return weakref.ref(task) if task is not None else None


def is_cancellation(error: BaseException | None) -> bool:
    """Tell whether an exception is how a task is cancelled."""
    kind = getattr(sys.modules.get("asyncio"), "CancelledError", None)
    return kind is not None and isinstance(error, kind)
