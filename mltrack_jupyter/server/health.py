"""What a server knows of itself: its loops and its lanes, beside the health of its store."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mltrack_jupyter.entities import Health, HealthStatus
from mltrack_jupyter.server.lanes import Lanes
from mltrack_jupyter.server.loops import Loop
from mltrack_jupyter.services import HealthChecks, Operation
from mltrack_jupyter.services.around import Call


class Vitals:
    """The loops and the lanes of a server."""

    def __init__(self, lanes: Lanes) -> None:
        self.lanes = lanes
        self.loops: list[Loop] = []

    @property
    def reasons(self) -> list[str]:
        """What does not work, in words."""
        found = [loop.health for loop in self.loops]
        told = [
            f"The loop {item.name!r} waits after a failure: {item.reason}"
            if item.reason
            else f"The loop {item.name!r} does not run."
            for item in found
            if not item.lives
        ]
        full = [lane.name for lane in self.lanes.all if lane.is_full]
        return [
            *told,
            *(f"The lane {name!r} is full: nothing more is taken in now." for name in full),
        ]

    def over(self, operation: Operation, call: Call) -> Call:
        """Add the health of the server to that of its store: a middleware."""
        return partial(self._check, call) if operation.function is HealthChecks.check else call

    def _check(self, check_store: Callable[[], Health]) -> Health:
        reasons = [*self.reasons, *check_store().reasons]
        return Health(
            status=HealthStatus.DEGRADED if reasons else HealthStatus.OK,
            reasons=reasons,
            loops=[loop.health for loop in self.loops],
            lanes=[lane.health for lane in self.lanes.all],
        )
