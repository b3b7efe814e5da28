"""The store as a whole: its versions, its change feed, and what MLflow clients ask of a server."""

from __future__ import annotations

from typing import Protocol

from mltrack_jupyter.entities import ChangeList, Trash, WorkspaceInfo
from mltrack_jupyter.services.operation import operation


class Workspace(Protocol):
    """The store as a whole."""

    @operation("GET", "/api/1/info")
    def info(self) -> WorkspaceInfo:
        """Return which software and which store answer."""
        ...

    @operation("GET", "/api/1/changes")
    def changes(self, since: int | None = None, max_results: int = 1000) -> ChangeList:
        """Return changes after the cursor ``since``, oldest first; without it only where the feed ends."""
        ...

    @operation("POST", "/api/1/trash/list", safe=True, files=True)
    def trash(
        self, older_than: int | None = None, experiment_ids: list[str] | None = None
    ) -> Trash:
        """Return what is in the trash, with the files that a purge would remove.

        ``older_than`` leaves out what was deleted after this time (ms); ``experiment_ids`` keeps to these
        experiments and their runs.
        """
        ...

    @operation("POST", "/api/1/trash/purge", files=True)
    def purge(
        self,
        run_ids: list[str] | None = None,
        experiment_ids: list[str] | None = None,
        model_ids: list[str] | None = None,
    ) -> Trash:
        """Delete runs, experiments and logged models of the trash for good, with their files.

        What is not in the trash (any more), or is needed by a registered model, is left as it is and
        comes back with ``kept_because``. An experiment takes all its runs and models with it. Runs cannot be
        logged to any more then; an import by hand brings one back. Asked again, it answers that all is gone.
        Files that runs shared, and that no run has any more, go with them a day after they were last used.
        """
        ...

    @operation("GET", "/api/3.0/mlflow/server-info")
    def server_info(self) -> dict[str, str | bool | int | dict[str, bool]]:
        """Return what MLflow clients ask before their first transfer of a file."""
        ...
