"""Kernels of this server and processes elsewhere: when one is gone, its open runs end, with the reason.

What is done to a kernel is told by Jupyter's own events (``kernel_actions``); that one died is seen by
asking each of them, through its provisioner, so that kernels on other machines are no exception. Runs of
other processes are ended by their leases.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from jupyter_server.utils import ensure_async

from mltrack_jupyter.errors import MltrackError
from mltrack_jupyter.server.holder import ServicesHolder

ACTIONS = "https://events.jupyter.org/jupyter_server/kernel_actions/v1"
DIED = "The kernel died."
_REASONS = {
    "restart": "The kernel was restarted.",
    "shutdown": "The kernel was shut down while the run was open.",
}
_SECONDS = 0.5
_REAP_SECONDS = 10.0


class Kernels:
    """Ends the runs of what is gone, while the server runs."""

    def __init__(
        self, holder: ServicesHolder, manager: Any, events: Any, log: logging.Logger
    ) -> None:
        self._holder = holder
        self._manager = manager
        self._events = events
        self._log = log
        self._known: set[str] = set()
        self._dead: set[str] = set()
        self._told = ""
        self._task: asyncio.Task[None] | None = None
        self._endings: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to watch; needs a running event loop."""
        self._events.add_listener(schema_id=ACTIONS, listener=self._hear)
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Stop watching, and wait for what is being written."""
        self._events.remove_listener(listener=self._hear)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, *self._endings, return_exceptions=True)

    async def _hear(self, *, data: dict[str, Any], **_rest: Any) -> None:
        reason = _REASONS.get(data.get("action", ""))
        kernel_id = data.get("kernel_id", "")
        if reason is None or not kernel_id or data.get("status") != "success":
            return
        # One that died and is started again by itself is restarted as well, but that is not why.
        self._end(kernel_id, DIED if kernel_id in self._dead else reason)

    async def _run(self) -> None:
        reaped = -_REAP_SECONDS
        while True:
            await self._look()
            if time.monotonic() - reaped >= _REAP_SECONDS:
                reaped = time.monotonic()
                self._write(lambda services: services.leases.reap())
            await asyncio.sleep(_SECONDS)

    async def _look(self) -> None:
        """Ask every kernel whether it lives."""
        present = {
            kernel_id: self._kernel(kernel_id) for kernel_id in self._manager.list_kernel_ids()
        }
        for kernel_id in self._known - present.keys():
            # A kernel manager that tells no events leaves only this.
            self._end(kernel_id, DIED if kernel_id in self._dead else _REASONS["shutdown"])
            self._dead.discard(kernel_id)
        for kernel_id, kernel in present.items():
            if kernel is None or getattr(kernel, "shutting_down", False):
                continue
            if kernel_id not in self._known:
                self._manager.add_restart_callback(kernel_id, self._died(kernel_id), "restart")
            if await ensure_async(kernel.is_alive()):
                self._dead.discard(kernel_id)
            elif kernel.has_kernel and not kernel.shutting_down and kernel_id not in self._dead:
                self._died(kernel_id)()
        self._known = set(present)

    def _kernel(self, kernel_id: str) -> Any:
        try:
            return self._manager.get_kernel(kernel_id)
        except KeyError:  # it went while we looked
            return None

    def _died(self, kernel_id: str) -> Callable[[], None]:
        def died() -> None:
            self._dead.add(kernel_id)
            self._end(kernel_id, DIED)

        return died

    def _end(self, kernel_id: str, reason: str) -> None:
        self._write(lambda services: services.leases.end_kernel(kernel_id, reason))

    def _write(self, call: Callable[[Any], list[str]]) -> None:
        task = asyncio.get_running_loop().create_task(asyncio.to_thread(self._call, call))
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)

    def _call(self, call: Callable[[Any], list[str]]) -> None:
        if not self._holder.exists:
            return
        try:
            services = self._holder.get()
            # First what the dead logged: it may tell how a run ended, too.
            self._holder.recover()
            ended = call(services)
        except (MltrackError, OSError) as error:
            if str(error) != self._told:  # once, not every ten seconds
                self._log.warning("mltrack: runs of dead kernels cannot be ended: %s", error)
            self._told = str(error)
            return
        self._told = ""
        if ended:
            self._log.info("mltrack: ended %s", ", ".join(ended))
