"""When a request is sent once more, and how long to wait before.

What certainly was not carried out (nobody listened, or the server said so) may always be sent again. What
may have been carried out, because only its answer is missing, may be sent again where doing it twice
leaves the same as doing it once: by its declaration, or by a key that the server knows.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from mltrack_jupyter.config import setting
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store.brief import brief_s

_SETTINGS = {
    "HTTP_REQUEST_MAX_RETRIES": (
        "MLTRACK_HTTP_REQUEST_MAX_RETRIES",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES",
    ),
    "HTTP_REQUEST_TIMEOUT": ("MLTRACK_HTTP_REQUEST_TIMEOUT", "MLFLOW_HTTP_REQUEST_TIMEOUT"),
}
_REFUSED = (408, 429)
_LOST = (502, 503, 504)
_LONGEST_S = 60.0
_RETRIES = 3
_TIMEOUT_S = 120.0


class Patience:
    """Counts the attempts at one request; ``repeatable`` tells whether it may be carried out twice."""

    def __init__(self) -> None:
        self.left = 0 if brief_s() else int(_number("HTTP_REQUEST_MAX_RETRIES", _RETRIES))
        self._wait = 0.1

    def after_error(self, error: httpx.RequestError, *, repeatable: bool) -> bool:
        """Wait and return ``True`` if the request may be sent again after no answer came."""
        return self._again(certainly_not_done(error) or repeatable, 0.0)

    def after_answer(self, status: int, headers: Mapping[str, str], *, repeatable: bool) -> bool:
        """Wait and return ``True`` if the request may be sent again after this answer."""
        may = status in _REFUSED or (status in _LOST and repeatable)
        return self._again(may, _retry_after(headers.get("Retry-After", "")))

    def _again(self, may: bool, asked_s: float) -> bool:
        if not may or self.left <= 0 or asked_s > _LONGEST_S:
            return False
        self.left -= 1
        time.sleep(max(asked_s, self._wait * random.uniform(0.5, 1.0)))  # noqa: S311 - no secret
        self._wait *= 4
        return True


def certainly_not_done(error: httpx.RequestError) -> bool:
    """Tell whether the request did not even reach the server."""
    return isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)


def timeout_s() -> float:
    """Return how long a server may be silent, in seconds."""
    most = _number("HTTP_REQUEST_TIMEOUT", _TIMEOUT_S)
    return min(most, brief_s() or most)


def _number(name: str, default: float) -> float:
    text = setting(*_SETTINGS[name])
    try:
        value = float(text) if text else default
    except ValueError:
        value = -1.0
    if not 0 <= value < 10**6:
        raise InvalidParameter(f"{name} is a number, such as {default:g}, not {text!r}.")
    return value


def _retry_after(text: str) -> float:
    """Return the seconds that a server asks to wait: it says a number of them, or a time."""
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return 0.0
    return max(0.0, (until - datetime.now(UTC)).total_seconds()) if until.tzinfo else 0.0
