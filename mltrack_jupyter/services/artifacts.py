"""Artifacts: files below the store's artifact root, and the view of them that a run has."""

from __future__ import annotations

from typing import BinaryIO, Protocol

from mltrack_jupyter.entities import FileList
from mltrack_jupyter.services.operation import Download, operation

_PROXY = "/api/2.0/mlflow-artifacts/artifacts"


class RunArtifacts(Protocol):
    """The artifacts of a run, by paths relative to its artifact root."""

    @operation("GET", "/api/2.0/mlflow/artifacts/list", aliases={"run_uuid": "run_id"})
    def list(self, run_id: str, path: str = "", page_token: str = "") -> FileList:
        """Return the children of ``path``; paths are relative to the run's root. A file has none."""
        ...

    @operation("GET", "/get-artifact", aliases={"run_uuid": "run_id"})
    def read(self, run_id: str, path: str) -> Download:
        """Open one file of a run. Raises ``NotFound``, and ``InvalidParameter`` for a directory."""
        ...


class ArtifactFiles(Protocol):
    """Files behind ``mlflow-artifacts:`` URIs, by paths relative to the store's artifact root."""

    @operation("GET", _PROXY)
    def list(self, path: str = "") -> FileList:
        """Return the children of ``path`` by their base names; nothing for a file or a missing path."""
        ...

    @operation("GET", _PROXY + "/{path:path}")
    def download(self, path: str) -> Download:
        """Open a file. Raises ``NotFound``, and ``InvalidParameter`` for a directory."""
        ...

    @operation("PUT", _PROXY + "/{path:path}")
    def upload(self, path: str, body: BinaryIO) -> None:
        """Write a file, whole or not at all, over one that may be there."""
        ...

    @operation("DELETE", _PROXY + "/{path:path}")
    def delete(self, path: str) -> None:
        """Delete a file or a tree; one that is absent is no error."""
        ...
