"""The store as a whole: who it is, and what changed in it."""

from __future__ import annotations

from mltrack_jupyter.entities.base import Entity


class Change(Entity, frozen=True, kw_only=True):
    """One write: who did what to which entity, and when (ms). ``seq`` grows by writes, never reused.

    ``parent_id`` is the experiment of a run, or the registered model of a version.
    """

    seq: int
    timestamp: int
    actor: str = ""
    entity: str
    entity_id: str
    parent_id: str = ""
    action: str
    detail: str = ""


class ChangeList(Entity, frozen=True, kw_only=True, omit_defaults=False):
    """Changes after a cursor, oldest first; ``last`` is the cursor to ask with next."""

    changes: list[Change] = []
    last: int = 0


class WorkspaceInfo(Entity, frozen=True, kw_only=True, omit_defaults=False):
    """Which software and which store answer.

    ``read_only`` is what to say where the store may only be read, and empty elsewhere.
    """

    version: str
    store: str
    schema_version: str
    read_only: str = ""
