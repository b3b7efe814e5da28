"""The live feed: what changes in the store goes out on Jupyter's event bus."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from mltrack_jupyter.entities import ChangeList
from mltrack_jupyter.server.holder import ServicesHolder
from mltrack_jupyter.server.lanes import Lane, lane_of
from mltrack_jupyter.server.loops import Loop
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

    def __init__(
        self, holder: ServicesHolder, events: Any, log: logging.Logger, lane: Lane | None = None
    ) -> None:
        self._holder = holder
        self._events = events
        self._lane = lane or lane_of("feed")
        self._watcher: Watcher | None = None
        self.loop = Loop("feed", self._look, _SECONDS, log)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch; needs a running event loop."""
        self._task = self.loop.start()

    async def stop(self) -> None:
        """Stop watching."""
        await self.loop.stop()
        if self._watcher is not None:
            self._watcher.close()

    async def _look(self) -> None:
        services = self._holder.opened
        if services is None:
            return
        if self._watcher is None:
            self._watcher = await self._lane.run(Watcher, services)
        found = await self._lane.run(self._watcher.poll)
        if found is not None:
            self._emit(found)

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
