"""What autologging wrote to each run, so that it is told from what a user wrote by hand.

Kept by run id for the runs of this process; the run's tags say the same for everybody else.
"""

from __future__ import annotations

import threading
import weakref
from collections import Counter, OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

_MOST = 1_000
_lock = threading.Lock()


@dataclass
class Origins:
    """The names that autologging wrote to one run, and what it trained there."""

    params: dict[str, str] = field(default_factory=dict)
    metrics: set[str] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)
    full: set[str] = field(default_factory=set)
    """The tags that list such names and have no room for more."""
    labels: Counter[str] = field(default_factory=Counter)
    """How often each class was trained."""
    trained: int = 0
    """How many models were trained; what only transforms data is not counted."""
    began: bool = False
    """Whether autologging opened the run."""
    models: list[str] = field(default_factory=list)
    """Paths of the models that were logged."""
    estimators: dict[int, weakref.ref[Any]] = field(default_factory=dict)
    """The estimators whose params were logged."""
    datasets: dict[str, list[tuple[int, weakref.ref[Any] | None]]] = field(default_factory=dict)
    """What was predicted from, by the name of its variable."""
    calls: Counter[str] = field(default_factory=Counter)
    """How often each measurement of each dataset was made."""
    commands: dict[str, str] = field(default_factory=dict)
    """The call that made each measurement."""

    def add_estimators(self, *estimators: Any) -> None:
        """Note whose params are in the run."""
        for item in estimators:
            with suppress(TypeError):  # a class with __slots__ may forbid it
                self.estimators[id(item)] = weakref.ref(item)

    def has_estimator(self, estimator: Any) -> bool:
        """Tell whether the params of an estimator are in the run."""
        found = self.estimators.get(id(estimator))
        # An address is used again once its object is gone.
        return found is not None and found() is estimator


_known: OrderedDict[str, Origins] = OrderedDict()


def of_run(run_id: str) -> Origins:
    """Return what autologging wrote to a run, to be read or added to."""
    with _lock:
        if run_id not in _known:
            _known[run_id] = Origins()
            while len(_known) > _MOST:
                _known.popitem(last=False)
        return _known[run_id]


def known(run_id: str) -> Origins:
    """Return what autologging wrote to a run; nothing is kept of a run it did not write to."""
    with _lock:
        return _known.get(run_id) or Origins()
