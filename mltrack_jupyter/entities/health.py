"""Whether a store and the server over it do their work."""

from __future__ import annotations

from enum import Enum

from mltrack_jupyter.entities.base import Entity


class HealthStatus(str, Enum):
    """All in order, or a part of it is not."""

    OK = "ok"
    DEGRADED = "degraded"


class LoopHealth(Entity, frozen=True, kw_only=True, omit_defaults=False):
    """A loop of the server: whether it goes on, and when (ms) it went round last and failed last; 0 for never.

    One that failed is not living until it has gone round again. ``reason`` is what the last failure said,
    ``failures`` how many there were since the server began.
    """

    name: str
    lives: bool
    last_round: int = 0
    failures: int = 0
    last_failure: int = 0
    reason: str = ""


class LaneHealth(Entity, frozen=True, kw_only=True, omit_defaults=False):
    """The requests of one kind: how many are being answered and wait, and how many there may be at most.

    ``turned_away`` counts those since the server began that found no place or waited too long.
    """

    name: str
    running: int
    waiting: int
    most: int
    turned_away: int = 0


class Health(Entity, frozen=True, kw_only=True, omit_defaults=False):
    """Whether everything works; ``reasons`` says in words what does not."""

    status: HealthStatus = HealthStatus.OK
    reasons: list[str] = []
    loops: list[LoopHealth] = []
    lanes: list[LaneHealth] = []
