"""The time as runs and points hold it."""

from __future__ import annotations

import time


def now_ms() -> int:
    """Return the time in milliseconds since the Unix epoch, UTC."""
    return time.time_ns() // 1_000_000
