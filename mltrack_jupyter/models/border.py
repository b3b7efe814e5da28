"""The border named "input example": what shows a model's input is any object, and must never cost the model."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_MAX_REASON = 300
_log = logging.getLogger("mltrack_jupyter.models")


def attempt(call: Callable[[], T]) -> tuple[T | None, str]:
    """Return ``call()``, or ``None`` and the reason why it failed, which the caller tells the user."""
    try:
        return call(), ""
    except Exception as error:  # noqa: BLE001 - the object's own code may raise anything
        reason = _told(error) or type(error).__name__
        _log.debug("an input example failed: %s", reason)
        return None, reason[:_MAX_REASON].rstrip(".")


def _told(error: Exception) -> str:
    try:
        return " ".join(str(error).split())
    except Exception:  # noqa: BLE001 - so may the error's
        return ""
