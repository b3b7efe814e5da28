"""The border named "autolog": what logs beside a training must never reach it."""

from __future__ import annotations

import logging
import random
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from mltrack_jupyter.privacy.redact import redact_cut

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


@contextmanager
def undrawn(model: Any = None) -> Iterator[None]:
    """Leave random generators as they were, a model's own as the global ones.

    A training, and what is done with its model, draw the same, logged or not.
    """
    # Neither is there to ask as long as it is being imported.
    numpy = getattr(sys.modules.get("numpy"), "random", None)
    torch = getattr(sys.modules.get("torch"), "random", None)
    own = random.getstate()
    of_numpy = numpy.get_state(legacy=False) if numpy is not None else None
    of_torch = torch.get_rng_state() if torch is not None else None
    of_model = [(bits, bits.state) for bits in _bits_of(model, set())] if numpy is not None else []
    try:
        yield
    finally:
        random.setstate(own)
        if numpy is not None:
            numpy.set_state(of_numpy)
        if torch is not None:
            torch.set_rng_state(of_torch)
        for bits, state in of_model:
            bits.state = state


def _bits_of(item: Any, seen: set[int]) -> Iterator[Any]:
    """Yield what NumPy's generators that a model and its parts hold draw from."""
    if id(item) in seen or isinstance(item, str | bytes | int | float | type):
        return
    seen.add(id(item))
    numpy = sys.modules["numpy"].random
    if isinstance(item, numpy.RandomState):
        yield item._bit_generator  # noqa: SLF001 - as numpy.random.get_state() asks for it
    elif isinstance(item, numpy.Generator):
        yield item.bit_generator
    elif isinstance(item, list | tuple):
        for part in item:
            yield from _bits_of(part, seen)
    elif hasattr(type(item), "get_params"):
        for part in vars(item).values():
            yield from _bits_of(part, seen)


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
            # An exception of somebody else's class may fail at saying what it is.
            with suppress(Exception):
                self._tell(what, error)
            return default

    def _tell(self, what: str, error: Exception) -> None:
        if what in self.failed:
            return
        said = redact_cut(next(iter(str(error).splitlines()), ""), _MAX_TEXT)
        self.failed[what] = f"{what} failed: {type(error).__name__}: {said}"
        _log.log(
            self._level,
            "autologging of %s: %s; the training is not affected",
            self._library,
            self.failed[what],
            exc_info=error if _log.isEnabledFor(logging.DEBUG) else None,
        )
