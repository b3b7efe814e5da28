"""Files that runs share, as this process brought them: brought again where a store has lost them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mltrack_jupyter.entities import RunEntry

if TYPE_CHECKING:
    from mltrack_jupyter.services import RunArtifacts

_bodies: dict[str, bytes] = {}
"""What was brought, by its SHA-256: the store may be deleted, or put back to an earlier state."""


def remember(bodies: Mapping[str, bytes]) -> None:
    """Keep files in mind, by their SHA-256."""
    _bodies.update(bodies)


def forget() -> None:
    """Keep none in mind."""
    _bodies.clear()


def bring(artifacts: RunArtifacts, entry: RunEntry) -> list[str]:
    """Bring the files of a run that a store lacks; return the paths of those that nobody has any more."""
    missing = set(artifacts.share(entry.run_id, entry.shared).sha256)
    for digest in missing.intersection(_bodies):
        artifacts.put_shared(digest, io.BytesIO(_bodies[digest]))
    if missing:
        missing = set(artifacts.share(entry.run_id, entry.shared).sha256)
    return [path for path, digest in entry.shared.items() if digest in missing]
