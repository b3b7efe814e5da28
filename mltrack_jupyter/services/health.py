"""Whether who answers does all of its work."""

from __future__ import annotations

from typing import Protocol

from mltrack_jupyter.entities import Health
from mltrack_jupyter.services.operation import operation


class HealthChecks(Protocol):
    """Whether a store, and the server over it, do their work."""

    @operation("GET", "/api/1/health")
    def check(self) -> Health:
        """Return what works and what does not: the loops of a server, its queues, who keeps others from writing."""
        ...
