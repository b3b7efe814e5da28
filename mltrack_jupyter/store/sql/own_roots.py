"""The folders that belong to experiments, runs and models as a whole: no path of a caller may mean one."""

from __future__ import annotations

from sqlalchemy import or_, select

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store.artifacts import PROXY, check_path
from mltrack_jupyter.store.sql.database import Database
from mltrack_jupyter.store.sql.tables import experiments, logged_models, runs

_OWNERS = (
    ("experiment", experiments.c.name, experiments.c.artifact_location),
    ("run", runs.c.run_id, runs.c.artifact_uri),
    ("logged model", logged_models.c.model_id, logged_models.c.artifact_uri),
)
_FOLDERS = 3
"""Within an experiment's folder, a run's or model's is at ``<id>/artifacts`` or ``models/<id>/artifacts``."""


class OwnRoots:
    """Knows whose folder a path below the artifact root is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def check_written(self, path: str) -> None:
        """Refuse a file where the folder of something is, or will be."""
        # Anything deeper is within one, and the many uploads need not ask.
        if path.count("/") <= _FOLDERS or path.endswith("/artifacts"):
            self.check_deleted(path)

    def check_deleted(self, path: str) -> None:
        """Refuse a folder that is one's whole, or holds such. Raises ``InvalidParameter``."""
        uri = f"{PROXY}:/{check_path(path)}"
        with self._database.read() as connection:
            for kind, name, column in _OWNERS:
                below = column.startswith(f"{uri}/", autoescape=True)
                query = select(name).where(or_(column == uri, below)).limit(1)
                found = connection.execute(query).scalar()
                if found is not None:
                    raise InvalidParameter(
                        f"Invalid path {path!r}: it is or holds the folder of the {kind} {found!r}, which goes "
                        "with it: delete that, and then mltrack gc."
                    )
