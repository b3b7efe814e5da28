"""The live feed: what changes in the store goes out on Jupyter's event bus."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from mltrack_jupyter.entities import ChangeList
from mltrack_jupyter.errors import MltrackError
from mltrack_jupyter.server.holder import ServicesHolder
from mltrack_jupyter.store.watch import Watcher

EVENT_ID = "https://mltrack-jupyter.org/events/changes/v1"
EVENT_SCHEMA: dict[str, Any] = {
    "$id": EVENT_ID,
    "version": "1",
    "title": "Changes in the tracking store",
    "description": "Which experiments, runs and models changed; the values are asked for by REST.",
    "personal-data": False,
    "type": "object",
    "properties": {
        "last": {"type": "integer"},
        "changes": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "seq": {"type": "integer"},
                    "entity": {"type": "string"},
                    "entity_id": {"type": "string"},
                    "parent_id": {"type": "string"},
                    "action": {"type": "string"},
                },
                "required": ["seq", "entity", "entity_id", "action"],
            },
        },
    },
    "required": ["last", "changes"],
}
_SECONDS = 0.1


class Feed:
    """Watches the store in a thread and tells the event bus."""

    def __init__(self, holder: ServicesHolder, events: Any, log: logging.Logger) -> None:
        self._holder = holder
        self._events = events
        self._log = log
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch; needs a running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Stop watching."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        watcher: Watcher | None = None
        try:
            while True:
                await asyncio.sleep(_SECONDS)
                services = self._holder.opened
                if services is None:
                    continue
                try:
                    if watcher is None:
                        watcher = await asyncio.to_thread(Watcher, services)
                    found = await asyncio.to_thread(watcher.poll)
                except (MltrackError, OSError) as error:
                    self._log.warning("mltrack: the live feed pauses: %s", error)
                    await asyncio.sleep(5)
                    continue
                if found is not None:
                    self._emit(found)
        finally:
            if watcher is not None:
                watcher.close()

    def _emit(self, found: ChangeList) -> None:
        changes = [
            {
                "seq": change.seq,
                "entity": change.entity,
                "entity_id": change.entity_id,
                "parent_id": change.parent_id,
                "action": change.action,
            }
            for change in found.changes
        ]
        self._events.emit(schema_id=EVENT_ID, data={"last": found.last, "changes": changes})
