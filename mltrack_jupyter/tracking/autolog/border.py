"""The border named "autolog": what logs beside a training must never reach it."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
_MAX_TEXT = 500
_log = logging.getLogger("mltrack_jupyter.autolog")


@contextmanager
def unheard() -> Iterator[None]:
    """Keep warnings of what is computed for the log from the user, who has not asked for it."""
    # Filters belong to the process; only its main thread may change them for a while.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class Border:
    """Calls that may fail without anybody noticing but the log: once for each thing that was tried."""

    def __init__(self, library: str, *, silent: bool = False) -> None:
        self._library = library
        self._level = logging.DEBUG if silent else logging.WARNING
        self.failed: dict[str, str] = {}

    def attempt(self, what: str, call: Callable[[], T], default: T) -> T:
        """Return ``call()``, or ``default`` if it raises; ``what`` completes "… failed"."""
        try:
            return call()
        except Exception as error:  # noqa: BLE001 - autolog: logged, and the training goes on
            if what not in self.failed:
                said = next(iter(str(error).splitlines()), "")[:_MAX_TEXT]
                self.failed[what] = f"{what} failed: {type(error).__name__}: {said}"
                _log.log(
                    self._level,
                    "autologging of %s: %s; the training is not affected",
                    self._library,
                    self.failed[what],
                    exc_info=_log.isEnabledFor(logging.DEBUG),
                )
            return default
