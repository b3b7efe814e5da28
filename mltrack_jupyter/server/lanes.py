"""The threads of a server: a lane for each kind of work, so that none waits for another kind.

Each lane has so many threads and so many places to wait, all of them declared in :data:`SIZES`. Who finds no
place, or waits too long, is told so at once: a server that is asked for more than it can do says it, and
never just hangs.
"""

from __future__ import annotations

import asyncio
import contextvars
import math
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from mltrack_jupyter.entities import LaneHealth
from mltrack_jupyter.errors import Unavailable
from mltrack_jupyter.store.deadline import Deadline, within

T = TypeVar("T")
PATIENCE_S = 12.0
"""How long a request may wait in all: for a thread, and then for other writers."""
SIZES: Mapping[str, tuple[int, float]] = {
    "reads": (8, 64),
    "writes": (8, 64),
    "files": (8, 64),  # what is opened, listed and deleted may be far away
    # Pieces of what is sent and received, of which none takes long. A connection has one at a time, so those
    # that wait are as many as there are connections; one that was turned away would break in the middle.
    "uploads": (4, math.inf),
    "downloads": (4, math.inf),
    # The server's own loops. One place: for the round that comes after one that was given up.
    "feed": (1, 1),
    "kernels": (2, 4),
}
"""How many threads each lane has, and how many places to wait for one."""


class Lane:
    """Some threads, and how many requests may be in it: those that they answer and those that wait."""

    def __init__(self, name: str, threads: int, places: float = math.inf) -> None:
        self.name = name
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=f"mltrack-{name}")
        self._size = threads
        self._most = threads + places
        self._inside = 0
        self._turned_away = 0
        self._deadlines: set[Deadline] = set()
        self._lock = threading.Lock()

    async def run(self, call: Callable[..., T], *arguments: Any, patience: float = PATIENCE_S) -> T:
        """Return what a call returns, made in a thread that has this task's context.

        What it waits for others counts from now. Raises ``Unavailable`` if there is no place, or no thread
        in time; then nothing was done.
        """
        job = self._enter(call, arguments, patience)
        answer = asyncio.wrap_future(job)
        done, _ = await asyncio.wait([answer], timeout=None if math.isinf(patience) else patience)
        if not done and job.cancel():
            raise self._busy()
        return await answer

    def _enter(
        self, call: Callable[..., T], arguments: tuple[Any, ...], patience: float
    ) -> Future[T]:
        until = time.monotonic() + patience
        context = contextvars.copy_context()

        def answer() -> T:
            with within(until - time.monotonic()) as deadline:
                self._deadlines.add(deadline)
                try:
                    return call(*arguments)
                finally:
                    self._deadlines.discard(deadline)

        with self._lock:
            if self._inside >= self._most:
                raise self._busy()
            self._inside += 1
        try:
            job = self._threads.submit(context.run, answer)
        except RuntimeError as error:  # the server ends
            self._leave(None)
            raise Unavailable("The server is being shut down.") from error
        job.add_done_callback(self._leave)
        return job

    def _leave(self, _job: Future[Any] | None) -> None:
        with self._lock:
            self._inside -= 1

    def _busy(self) -> Unavailable:
        self._turned_away += 1
        return Unavailable(
            f"The server is busy: {self._inside} {self.name} are being answered or wait. Nothing was done; try "
            "again in a few seconds."
        )

    @property
    def health(self) -> LaneHealth:
        """How full it is."""
        inside = self._inside
        running = min(inside, self._size)
        most = 0 if math.isinf(self._most) else int(self._most)
        return LaneHealth(
            name=self.name,
            running=running,
            waiting=inside - running,
            most=most,
            turned_away=self._turned_away,
        )

    @property
    def is_full(self) -> bool:
        """Whether the next one would be turned away."""
        return self._inside >= self._most

    def close(self) -> None:
        """Take nobody in any more, and let those give up that wait for a thread or for other writers."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for deadline in tuple(self._deadlines):
            deadline.end()


def lane_of(name: str) -> Lane:
    """Return a new lane of the size that is declared for its name."""
    return Lane(name, *SIZES[name])


class Lanes:
    """The lanes of a server."""

    def __init__(self) -> None:
        self._named = {name: lane_of(name) for name in SIZES}

    def of(self, name: str) -> Lane:
        """Return a lane; of an operation, by :attr:`mltrack_jupyter.services.Operation.lane`."""
        return self._named[name]

    @property
    def all(self) -> list[Lane]:
        """Every lane."""
        return [*self._named.values()]

    def close(self) -> None:
        """Take nobody in any more."""
        for lane in self.all:
            lane.close()
