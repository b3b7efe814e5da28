"""The change log: a row for each write, with who wrote and when. The change feed is read from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, select

from mltrack_jupyter.config import user_name
from mltrack_jupyter.entities import Change, ChangeList
from mltrack_jupyter.services.operation import actor
from mltrack_jupyter.store.sql.database import chunked, now_ms
from mltrack_jupyter.store.sql.dialects import dialect_of
from mltrack_jupyter.store.sql.tables import changes
from mltrack_jupyter.store.sql.upserts import upsert_columns

_LONGEST_ACTOR = 256
SEEN_MS = 2000
"""How long a ``log`` row stays that a newer one says the same as: whoever follows the feed sees no gap in it."""
_FORGET_LOG = delete(changes).where(
    changes.c.entity == bindparam("of"),
    changes.c.entity_id.in_(bindparam("named", expanding=True)),
    changes.c.action == "log",
    changes.c.actor == bindparam("by"),
    changes.c.timestamp < bindparam("before"),
)


class Write(NamedTuple):
    """What is told of a write: a row of the change feed without its number, time and actor."""

    entity: str
    entity_id: str
    action: str
    parent_id: str = ""
    detail: str = ""


_COLUMNS = "timestamp", "actor", *Write._fields


def record_change(
    connection: Connection,
    entity: str,
    entity_id: str,
    action: str,
    *,
    parent_id: str = "",
    detail: str = "",
) -> None:
    """Append a row to the change feed.

    Of the action ``log`` only the rows of the last moments are kept, and the newest of an entity and an actor:
    a million points are no million rows, nobody's writes hide another's, and followers miss no number.
    """
    record_changes(connection, [Write(entity, entity_id, action, parent_id, detail)])


def author() -> str:
    """Return who writes now: the user of a request, or of this process. No caller can name another."""
    return (actor.get() or user_name())[:_LONGEST_ACTOR]


def record_changes(connection: Connection, found: Sequence[Write]) -> None:
    """Append rows to the change feed, all by the present actor at the present time."""
    if not found:
        return
    # Servers give numbers out before a commit. Without taking turns from here to there, a reader could
    # see a number and never the smaller one that was committed after it.
    dialect_of(connection).take_turn(connection)
    by, now = author(), now_ms()
    new = {(item.entity, item.entity_id) for item in found if item.action == "create"}
    logged: dict[str, list[str]] = {}
    for item in found:
        if item.action == "log" and item[:2] not in new:  # what is new has no older row
            logged.setdefault(item.entity, []).append(item.entity_id)
    for entity, ids in logged.items():
        for some in chunked(ids):
            of = {"of": entity, "named": some, "by": by, "before": now - SEEN_MS}
            connection.execute(_FORGET_LOG, of)
    columns: list[Sequence[Any]] = [
        [now] * len(found),
        [by] * len(found),
        *zip(*found, strict=True),
    ]
    upsert_columns(connection, changes, _COLUMNS, columns, replace=False)


def read_changes(connection: Connection, since: int | None, most: int) -> ChangeList:
    """Return what was written after a number; without one nothing, and the number of the last write."""
    if since is None:
        return ChangeList(last=connection.execute(select(func.max(changes.c.seq))).scalar() or 0)
    query = select(changes).where(changes.c.seq > since).order_by(changes.c.seq).limit(most)
    found = [Change(**dict(row)) for row in connection.execute(query).mappings()]
    return ChangeList(changes=found, last=found[-1].seq if found else since)
