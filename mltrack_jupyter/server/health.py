"""What a server knows of itself: its loops and its lanes, beside the health of its store."""

from __future__ import annotations

from mltrack_jupyter.entities import Health, HealthStatus
from mltrack_jupyter.server.lanes import Lanes
from mltrack_jupyter.server.loops import Loop
from mltrack_jupyter.services import HealthChecks


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
        return [*told, *(f"No more {name} can be taken in now." for name in full)]

    def over(self, store: HealthChecks) -> HealthChecks:
        """Return checks of a store and of the server over it."""
        return _Checks(store, self)


class _Checks(HealthChecks):
    """The health of a store together with that of its server."""

    def __init__(self, store: HealthChecks, vitals: Vitals) -> None:
        self._store = store
        self._vitals = vitals

    def check(self) -> Health:
        reasons = [*self._vitals.reasons, *self._store.check().reasons]
        return Health(
            status=HealthStatus.DEGRADED if reasons else HealthStatus.OK,
            reasons=reasons,
            loops=[loop.health for loop in self._vitals.loops],
            lanes=[lane.health for lane in self._vitals.lanes.all],
        )
