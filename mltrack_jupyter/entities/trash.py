"""The trash: what was deleted and can still be restored, until it is purged."""

from __future__ import annotations

from mltrack_jupyter.entities.base import Entity


class TrashItem(Entity, frozen=True, kw_only=True):
    """A deleted ``run``, ``logged_model`` or ``experiment``, the files it owns and their size in bytes.

    ``deleted_time`` (ms) is 0 where nobody recorded it. ``kept_because`` says why a purge leaves it.
    """

    entity: str
    entity_id: str
    name: str = ""
    experiment_id: str = ""
    deleted_time: int = 0
    files: int = 0
    size: int = 0
    kept_because: str = ""


class Trash(Entity, frozen=True, kw_only=True, omit_defaults=False):
    """Items of the trash: runs, logged models, experiments; of each the one deleted longest ago first."""

    items: list[TrashItem] = []
