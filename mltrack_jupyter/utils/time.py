"""The clock under MLflow's module name."""

import time


def get_current_time_millis() -> int:
    """Return the milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


__all__ = ["get_current_time_millis"]
