"""The pulse of a process with open runs: the store hears every now and then that it lives."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from mltrack_jupyter.errors import MltrackError
from mltrack_jupyter.store.process import present

if TYPE_CHECKING:
    from mltrack_jupyter.services import Services

SECONDS = 15.0
"""How often."""


class Pulse:
    """Knows the ids of the open ``runs`` of this process, and renews their leases."""

    def __init__(self, open_services: Callable[[], Services]) -> None:
        self.runs: set[str] = set()
        self._open = open_services
        self._last = (
            time.monotonic()
        )  # with each run that begins, the store hears of its process anyway

    def beat(self) -> None:
        """Tell a store of ours that this process lives, if it is time to."""
        if not self.runs or time.monotonic() - self._last < SECONDS:
            return
        self._last = time.monotonic()
        try:
            held = self._open().leases.renew(present().process_id)
        except (MltrackError, OSError):
            # The next one may get through; until then the lease says when the last one did.
            return
        for run_id in self.runs.difference(held):
            self._take(run_id)

    def _take(self, run_id: str) -> None:
        """Become the owner of a run that this process joined, if the one who owned it is gone."""
        try:
            self._open().leases.take(run_id, present())
        except (MltrackError, OSError):
            return  # it is not in the store yet, or deleted, or the next beat tries again
