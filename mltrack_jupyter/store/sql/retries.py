"""Doing an operation once more when the database took its transaction back."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

from mltrack_jupyter.errors import MltrackError
from mltrack_jupyter.services import Operation
from mltrack_jupyter.services.around import Call
from mltrack_jupyter.store.deadline import left_s
from mltrack_jupyter.store.sql.dialects import BUSY_SECONDS
from mltrack_jupyter.store.sql.failures import is_conflict

ATTEMPTS = 5
P = ParamSpec("P")
R = TypeVar("R")

_inside: ContextVar[bool] = ContextVar("mltrack_inside_retry", default=False)


def retry(operation: Operation, call: Call) -> Call:
    """Begin an operation again after a conflict: a middleware.

    One transaction that is done again has left nothing behind. SQLite needs none of this: its writers wait
    for each other before they begin.
    """
    return retried(call) if operation.transactional else call


def retried(call: Callable[P, R]) -> Callable[P, R]:
    """Return a function that is called up to five times, as long as it fails by a conflict."""

    @functools.wraps(call)
    def again(*arguments: P.args, **named: P.kwargs) -> R:
        if _inside.get():  # an operation that is made of another one
            return call(*arguments, **named)
        token = _inside.set(True)
        try:
            return _several_times(functools.partial(call, *arguments, **named))
        finally:
            _inside.reset(token)

    return again


def _several_times(call: Callable[[], R]) -> R:
    until = time.monotonic() + left_s(BUSY_SECONDS)
    for attempt in range(1, ATTEMPTS):
        try:
            return call()
        except MltrackError as error:
            if not is_conflict(error.__cause__) or time.monotonic() > until:
                raise
        time.sleep(random.uniform(0.005, 0.02) * 2**attempt)  # noqa: S311 - to part rivals, no secret
    return call()
