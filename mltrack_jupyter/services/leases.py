"""Leases: which process writes a run that goes on, so that no run stays RUNNING when it is gone."""

from __future__ import annotations

from typing import Protocol

from mltrack_jupyter.entities import Process, RunStatus
from mltrack_jupyter.services.operation import operation


class Leases(Protocol):
    """Who writes the runs that go on."""

    @operation("POST", "/api/1/runs/lease")
    def take(self, run_id: str, process: Process) -> None:
        """Say which process writes a run; it keeps the run as long as it lives, by :meth:`renew`.

        A final status of the run ends the lease. Raises ``NotFound``.
        """
        ...

    @operation("POST", "/api/1/leases/renew", answer="run_ids")
    def renew(self, process_id: str) -> list[str]:
        """Say that a process lives, and return the ids of the runs that it writes.

        Do so every 15 seconds. Runs of it that were given up meanwhile are RUNNING again.
        """
        ...

    @operation("POST", "/api/1/leases/reap", answer="run_ids")
    def reap(self) -> list[str]:
        """End the runs as KILLED whose process is gone, and return their ids.

        A process on the machine that answers is looked for; any other one is given up after a minute
        without :meth:`renew`. A run ends when it was last heard of, with the reason in the tag
        ``mltrack.status_reason``.
        """
        ...

    @operation("POST", "/api/1/leases/end-kernel", answer="run_ids")
    def end_kernel(
        self, kernel_id: str, reason: str, status: RunStatus = RunStatus.KILLED
    ) -> list[str]:
        """End the open runs of a Jupyter kernel whose process is gone, and return their ids.

        What a living process writes is left alone. Raises ``InvalidParameter`` for a status that is not final.
        """
        ...
