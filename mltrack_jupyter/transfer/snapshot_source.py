"""Somebody's store in an SQLite file as a source: a copy of its database is asked, its files are read in place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mltrack_jupyter import config
from mltrack_jupyter.errors import StoreUnreadable
from mltrack_jupyter.store import StoreUri
from mltrack_jupyter.store.artifacts import Locations
from mltrack_jupyter.transfer.snapshots import Snapshot
from mltrack_jupyter.transfer.store_source import StoreSource


class SnapshotSource(StoreSource):
    """A store of ours that is not changed, nor brought to a newer schema.

    Its artifacts are read from the folder beside it and from ``artifacts``, whatever its rows say.
    """

    def __init__(self, snapshot: Snapshot, artifacts: Sequence[Path] = ()) -> None:
        from mltrack_jupyter.store.sql import open_sql

        foreign = snapshot.names("view", "trigger")
        if foreign:
            raise StoreUnreadable(
                f"{snapshot.source} has views or triggers ({', '.join(sorted(foreign)[:5])}), which none of "
                "ours has: it is not read."
            )
        self.place = str(snapshot.source)
        self._snapshot = snapshot
        beside = snapshot.source.parent / config.ARTIFACTS
        root = artifacts[0] if artifacts and not beside.exists() else beside
        locations = Locations(
            root,
            local_paths=False,
            base=config.moved_folder(snapshot.source),
            readable=[folder.absolute() for folder in artifacts],
        )
        super().__init__(open_sql(StoreUri.of_file(snapshot.path).text, locations, settle=False))

    def close(self) -> None:
        """Close the store, and remove the copy of it."""
        super().close()
        self._snapshot.close()
