"""What the server does again and again: supervised, so that a failure is told, waited for, and outlived.

The one place of the server where everything is caught: whatever a round of a loop raises is logged, once a
kind with its traceback, and the loop goes on after a delay that grows as long as nothing but failures come.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec.structs import replace

from mltrack_jupyter.entities import LoopHealth

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
LONGEST_ROUND_S = 120.0
"""After how long a round is given up that does not come to its end."""
_FORGET_S = 600.0
"""After how long without a failure one that is known is news again."""


class Attempts:
    """Attempts at one thing, by its name: how it went, what was logged of it, and when to try again."""

    def __init__(self, name: str, log: logging.Logger, longest_s: float = LONGEST_ROUND_S) -> None:
        self.name = name
        self._log = log
        self._longest = longest_s
        self._told: set[tuple[Any, ...]] = set()
        self._delay = 0.0
        self._again_at = 0.0
        self._health = LoopHealth(name=name, lives=True)

    @property
    def health(self) -> LoopHealth:
        """How it goes."""
        return self._health

    @property
    def delay_s(self) -> float:
        """How long to wait yet, because the last attempt failed."""
        return max(0.0, self._again_at - time.monotonic())

    async def run(self, call: Callable[[], Awaitable[Any]]) -> bool:
        """Make an attempt, unless it is too early after a failure; tell whether it was made and went well."""
        if self.delay_s:
            return False
        try:
            # Not wait_for, which in Python 3.11 loses a cancellation that comes together with the result.
            async with asyncio.timeout(self._longest):
                await call()
        except asyncio.CancelledError as error:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            self.failed(error)  # something in it was cancelled, and not we
            return False
        except Exception as error:  # noqa: BLE001 - told, and outlived
            self.failed(error)
            return False
        self._went_well()
        return True

    def failed(self, error: BaseException) -> None:
        """Note that an attempt failed, and tell of it if that is news."""
        self._delay = min(LONGEST_DELAY_S, self._delay * 2 or FIRST_DELAY_S)
        self._again_at = time.monotonic() + self._delay
        reason = _said(error)
        count = self._health.failures + 1
        self._health = replace(
            self._health, lives=False, failures=count, last_failure=_now_ms(), reason=reason
        )
        kind = _kind(error)
        if kind in self._told:
            self._log.debug("mltrack: %s failed again: %s", self.name, reason)
            return
        self._told.add(kind)
        self._log.warning(
            "mltrack: %s failed and is tried again in %g s: %s",
            self.name,
            self._delay,
            reason,
            exc_info=error,
        )

    def _went_well(self) -> None:
        known, now = self._health, _now_ms()
        if not known.lives:
            self._log.info("mltrack: %s goes on", self.name)
        elif self._told and now - known.last_failure > _FORGET_S * 1000:
            self._told.clear()
        self._delay = self._again_at = 0.0
        self._health = replace(known, lives=True, last_round=now)


def _kind(error: BaseException) -> tuple[Any, ...]:
    """Return what two failures have in common that need not both be told: their type, and where it was raised."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return type(error), last and (last.tb_frame.f_code.co_filename, last.tb_lineno)


def _said(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"[:500]
    except Exception:  # noqa: BLE001 - somebody else's class may fail at saying what it is
        return type(error).__name__


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class Loop:
    """Goes round every so many seconds until it is stopped, whatever a round raises.

    A task that is ended by somebody else, or by a fault, is begun again, as late as after a failed round.
    :meth:`wake` lets the next round come at once.
    """

    def __init__(
        self,
        name: str,
        go_round: Callable[[], Awaitable[Any]],
        seconds: float,
        log: logging.Logger,
    ) -> None:
        self.attempts = Attempts(name, log)
        self._go_round = go_round
        self._seconds = seconds
        self._woken = asyncio.Event()
        self.task: asyncio.Task[None] | None = None
        self._is_stopped = False

    @property
    def health(self) -> LoopHealth:
        """How it goes; one whose task is gone does not live."""
        known = self.attempts.health
        gone = self.task is None or self.task.done()
        return replace(known, lives=False) if gone else known

    def start(self) -> asyncio.Task[None]:
        """Begin to go round; needs a running event loop."""
        self._is_stopped = False
        self.task = asyncio.get_running_loop().create_task(self._run())
        self.task.add_done_callback(self._ended)
        return self.task

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Begin again soon, unless the loop was stopped, or the whole program ends."""
        if self._is_stopped:
            return
        error = None if task.cancelled() else task.exception()
        error = error or asyncio.CancelledError("its task was cancelled")
        asyncio.get_running_loop().call_later(FIRST_DELAY_S, self._begin_again, error)

    def _begin_again(self, error: BaseException) -> None:
        if not self._is_stopped:
            self.attempts.failed(error)  # what grows by it is waited for before the first round
            self.start()

    def wake(self) -> None:
        """Go round soon, however long the pause would be; after a failure its delay is kept."""
        self._woken.set()

    async def stop(self) -> None:
        """Stop where it waits, and wait for its end."""
        self._is_stopped = True
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            await self.attempts.run(self._go_round)
            if delay := self.attempts.delay_s:
                await asyncio.sleep(delay)
            else:
                await self._pause()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await self._woken.wait()
        except TimeoutError:
            pass
