"""Files of models that nobody knows, because who logged them was killed before the store was told of them."""

from __future__ import annotations

import time
from collections.abc import Iterator

from sqlalchemy import select

from mltrack_jupyter.errors import MltrackError
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.artifacts import LocalFiles
from mltrack_jupyter.store.sql.database import Database
from mltrack_jupyter.store.sql.run_artifacts import Reach
from mltrack_jupyter.store.sql.tables import experiments, logged_models

_YOUNG = 24 * 3600
"""How long such files stay, in seconds: somebody may still be bringing them."""


class UnnotedModels:
    """Collects what :class:`ModelAdder` could not remove; only what it has marked, and no model knows."""

    def __init__(self, database: Database, reach: Reach) -> None:
        self._database = database
        self._reach = reach

    def collect(self) -> int:
        """Delete the files of models that were not told of for a day; return of how many."""
        found = 0
        for model_id, files in self._marked():
            since = files.marked_s()
            if self._is_known(model_id):
                files.unmark()
            elif since is not None and since < time.time() - _YOUNG:
                files.remove()
                found += 1
        return found

    def _marked(self) -> Iterator[tuple[str, LocalFiles]]:
        with self._database.read() as connection:
            locations = connection.execute(select(experiments.c.artifact_location)).scalars().all()
        for location in dict.fromkeys(locations):
            try:
                yield from self._marked_in(f"{location.rstrip('/')}/models")
            except (
                MltrackError,
                OSError,
            ):  # behind a link, or not to be read: not ours to look into
                continue

    def _marked_in(self, place: str) -> Iterator[tuple[str, LocalFiles]]:
        if not self._reach.locations.is_own(place):
            return
        files = self._reach.recorded(place).files
        if not isinstance(files, LocalFiles):
            return
        for item in files.list():
            if item.is_dir and rules.MODEL_ID.match(item.path):
                model = LocalFiles(files.root / item.path / "artifacts", files.top)
                if model.marked_s() is not None:
                    yield item.path, model

    def _is_known(self, model_id: str) -> bool:
        query = select(logged_models.c.id).where(logged_models.c.model_id == model_id)
        with self._database.read() as connection:
            return connection.execute(query).first() is not None
