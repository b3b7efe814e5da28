"""Kernels of this server and processes elsewhere: when one is gone, its open runs end, with the reason.

What is done to a kernel is told by Jupyter's own events (``kernel_actions``); that one died is seen by
asking each of them, through its provisioner, so that kernels on other machines are no exception. Runs of
other processes are ended by their leases.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from jupyter_server.utils import ensure_async

from mltrack_jupyter.server.holder import ServicesHolder
from mltrack_jupyter.server.lanes import Lane, lane_of
from mltrack_jupyter.server.loops import Attempts, Loop

ACTIONS = "https://events.jupyter.org/jupyter_server/kernel_actions/v1"
DIED = "The kernel died."
_REASONS = {
    "restart": "The kernel was restarted.",
    "shutdown": "The kernel was shut down while the run was open.",
}
_SECONDS = 0.5
_REAP_SECONDS = 10.0
_ASK_SECONDS = 10.0
_LAST_SECONDS = 5.0
_MOST_ENDS = 10_000


class Kernels:
    """Ends the runs of what is gone, while the server runs.

    Three loops: one asks the kernels whether they live, one writes the ends of runs until they are written,
    and one takes over what dead processes logged and ends their runs.
    """

    def __init__(
        self,
        holder: ServicesHolder,
        manager: Any,
        events: Any,
        log: logging.Logger,
        lane: Lane | None = None,
    ) -> None:
        self._holder = holder
        self._manager = manager
        self._events = events
        self._log = log
        self._lane = lane or lane_of("kernels")
        self._known: set[str] = set()
        self._heard: set[str] = set()
        self._dead: set[str] = set()
        self._attempts: dict[str, Attempts] = {}
        self._to_end: list[tuple[str, str]] = []
        self._looks = Loop("kernels", self._look, _SECONDS, log)
        self._ends = Loop("ends of runs", self._write_ends, _REAP_SECONDS, log)
        self._reaps = Loop("leases", self._reap, _REAP_SECONDS, log)
        self.loops = [self._looks, self._ends, self._reaps]
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch; needs a running event loop."""
        self._events.add_listener(schema_id=ACTIONS, listener=self._hear)
        self._task = self._looks.start()
        self._ends.start()
        self._reaps.start()

    async def stop(self) -> None:
        """Stop watching, and write what is to be written yet."""
        self._events.remove_listener(listener=self._hear)
        for loop in self.loops:
            await loop.stop()
        await Attempts("the last ends of runs", self._log, _LAST_SECONDS).run(self._write_ends)

    async def _hear(self, *, data: dict[str, Any], **_rest: Any) -> None:
        reason = _REASONS.get(data.get("action", ""))
        kernel_id = data.get("kernel_id", "")
        if reason is None or not kernel_id or data.get("status") != "success":
            return
        # One that died and is started again by itself is restarted as well, but that is not why.
        self._end(kernel_id, DIED if kernel_id in self._dead else reason)

    async def _look(self) -> None:
        """Ask every kernel whether it lives; one that cannot be asked keeps none of the others waiting."""
        present = {
            kernel_id: self._kernel(kernel_id) for kernel_id in self._manager.list_kernel_ids()
        }
        for kernel_id in self._known - present.keys():
            # A kernel manager that tells no events leaves only this.
            self._end(kernel_id, DIED if kernel_id in self._dead else _REASONS["shutdown"])
            self._dead.discard(kernel_id)
            self._attempts.pop(kernel_id, None)
            self._heard.discard(kernel_id)
        self._known = set(present)
        looks = []
        for kernel_id, kernel in present.items():
            if kernel is None or getattr(kernel, "shutting_down", False):
                continue
            name = f"asking the kernel {kernel_id}"
            attempts = self._attempts.setdefault(kernel_id, Attempts(name, self._log, _ASK_SECONDS))
            looks.append(attempts.run(partial(self._look_at, kernel_id, kernel)))
        await asyncio.gather(*looks)

    async def _look_at(self, kernel_id: str, kernel: Any) -> None:
        if kernel_id not in self._heard:
            self._manager.add_restart_callback(kernel_id, self._died(kernel_id), "restart")
            self._heard.add(kernel_id)
        if await ensure_async(kernel.is_alive()):
            self._dead.discard(kernel_id)
        elif kernel.has_kernel and not kernel.shutting_down and kernel_id not in self._dead:
            self._died(kernel_id)()

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
        """Note that a kernel's runs are to be ended, and why; it stays noted until that is written."""
        if len(self._to_end) < _MOST_ENDS:
            self._to_end.append((kernel_id, reason))
        self._ends.wake()

    async def _write_ends(self) -> None:
        """Write every end that is noted, the first first; one that cannot be written stays noted."""
        failed: BaseException | None = None
        for item in list(self._to_end):
            call = self._lane.run(self._call, partial(_end_kernel, *item))
            (found,) = await asyncio.gather(call, return_exceptions=True)
            if isinstance(found, BaseException):
                failed = failed or found
            else:
                self._to_end.remove(item)
        if failed is not None:
            raise failed

    async def _reap(self) -> None:
        await self._lane.run(self._call, lambda services: services.leases.reap())

    def _call(self, call: Callable[[Any], list[str]]) -> None:
        if not self._holder.exists:
            return
        services = self._holder.get()
        # First what the dead logged: it may tell how a run ended, too.
        self._holder.recover()
        if ended := call(services):
            self._log.info("mltrack: ended %s", ", ".join(ended))


def _end_kernel(kernel_id: str, reason: str, services: Any) -> list[str]:
    ended: list[str] = services.leases.end_kernel(kernel_id, reason)
    return ended
