"""Moving data between stores: what has arrived, and files that travel inside a request."""

from __future__ import annotations

from mltrack_jupyter.entities.base import Entity


class RunArrival(Entity, frozen=True, kw_only=True, omit_defaults=False):
    """An imported run as the store now has it: where its files belong, and how much of it there is."""

    run_id: str
    experiment_id: str
    artifact_uri: str
    params: int = 0
    tags: int = 0
    points: int = 0


class InlineFile(Entity, frozen=True, kw_only=True):
    """A small artifact inside a request: ``text``, or any bytes as ``base64``."""

    path: str
    text: str = ""
    base64: str = ""
