"""Tombstones: what was deleted for good, and where files of it are still to be deleted."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, select

from mltrack_jupyter.errors import BadRequest
from mltrack_jupyter.store.sql.database import chunked, now_ms
from mltrack_jupyter.store.sql.tables import tombstones
from mltrack_jupyter.store.sql.upserts import upsert


def bury(connection: Connection, entity: str, entity_id: str, place: str = "") -> None:
    """Note that something is deleted for good; ``place`` is where files of it are to follow."""
    row = {"entity": entity, "entity_id": entity_id, "deleted": now_ms(), "place": place}
    upsert(connection, tombstones, [row])


def deleted_runs(connection: Connection, run_ids: Iterable[str]) -> dict[str, str]:
    """Return what to say of those runs that were deleted for good."""
    found = {}
    for some in chunked(run_ids):
        query = select(tombstones.c.entity_id, tombstones.c.deleted)
        query = query.where(tombstones.c.entity == "run", tombstones.c.entity_id.in_(some))
        for row in connection.execute(query):
            when = datetime.fromtimestamp(row.deleted / 1000, UTC).isoformat(" ", "seconds")
            found[row.entity_id] = (
                f"The run {row.entity_id} was deleted for good at {when}, and what was logged to it does not "
                "bring it back."
            )
    return found


def is_buried(connection: Connection, entity: str, entity_id: str) -> bool:
    """Tell whether something was deleted for good."""
    mine = (tombstones.c.entity == entity) & (tombstones.c.entity_id == entity_id)
    return connection.execute(select(tombstones.c.deleted).where(mine)).first() is not None


def unbury(connection: Connection, entity: str, entity_id: str) -> None:
    """Forget that something was deleted: whoever imports it wants it back.

    Raises ``BadRequest`` as long as files of it are being deleted, which would take new ones with them.
    """
    mine = (tombstones.c.entity == entity) & (tombstones.c.entity_id == entity_id)
    place = connection.execute(select(tombstones.c.place).where(mine)).scalar()
    if place:
        raise BadRequest(
            f"The {entity.replace('_', ' ')} {entity_id} was deleted for good, and its files at {place} are "
            "still being deleted. Try again in a moment; if that was interrupted, mltrack gc ends it."
        )
    if place is not None:
        connection.execute(delete(tombstones).where(mine))
