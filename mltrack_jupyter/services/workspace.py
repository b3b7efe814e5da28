"""The store as a whole: its versions, its change feed, and what MLflow clients ask of a server."""

from __future__ import annotations

from typing import Protocol

from mltrack_jupyter.entities import ChangeList, WorkspaceInfo
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

    @operation("GET", "/api/3.0/mlflow/server-info")
    def server_info(self) -> dict[str, str | bool]:
        """Return what MLflow clients ask before their first transfer of a file."""
        ...
