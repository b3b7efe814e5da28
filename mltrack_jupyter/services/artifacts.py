"""Artifacts: files below the store's artifact root, and the view of them that a run has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from mltrack_jupyter.entities import (
    FileInfo,
    FileList,
    MissingFiles,
    MultipartUpload,
    MultipartUploadPart,
    PresignedDownload,
)
from mltrack_jupyter.services.operation import Download, operation

_SERVICE = "/api/2.0/mlflow-artifacts"
_PROXY = f"{_SERVICE}/artifacts"
Parts = list[MultipartUploadPart]
"""Named here: inside a service, ``list`` is its listing."""


@dataclass(frozen=True)
class Written:
    """What was written: bytes, their SHA-256 in hexadecimal digits, and a mark that no other writing has."""

    size: int
    sha256: str
    stamp: str


class Repository(Protocol):
    """Files below one root, wherever that is, by paths relative to it.

    A file is there whole or not at all. Paths are those of
    :func:`mltrack_jupyter.store.artifacts.check_path`; the root itself can be listed and nothing else.
    """

    def list(self, path: str = "") -> Sequence[FileInfo]:
        """Return the children of a folder by base name, sorted; nothing for a file or a missing path.

        Raises ``NotImplementedHere`` where a place has no listings.
        """
        ...

    def open(self, path: str) -> Download:
        """Open a file. Raises ``NotFound``, and ``InvalidParameter`` for a folder."""
        ...

    def write(self, path: str, body: BinaryIO) -> Written:
        """Write a file over one that may be there, in bounded memory.

        Raises ``InvalidParameter`` for a folder and for a path through a file, ``StoreUnwritable`` where
        nothing can be written; then nothing of it is there.
        """
        ...

    def delete(self, path: str) -> None:
        """Delete a file or a tree; one that is absent is no error."""
        ...


class RunArtifacts(Protocol):
    """The artifacts of a run, by paths relative to its artifact root."""

    @operation("GET", "/api/2.0/mlflow/artifacts/list", aliases={"run_uuid": "run_id"}, files=True)
    def list(self, run_id: str, path: str = "", page_token: str = "") -> FileList:
        """Return the children of ``path``; paths are relative to the run's root. A file has none."""
        ...

    @operation("GET", "/get-artifact", aliases={"run_uuid": "run_id"})
    def read(self, run_id: str, path: str) -> Download:
        """Open one file of a run. Raises ``NotFound``, and ``InvalidParameter`` for a directory."""
        ...

    @operation("POST", "/api/2.0/mlflow/upload-artifact", aliases={"run_uuid": "run_id"})
    def upload(self, body: BinaryIO, run_id: str = "", path: str = "") -> None:
        """Write one file of a run, of at most 10 MB, over one that may be there. Raises ``NotFound``."""
        ...

    @operation("POST", "/api/1/runs/share-files")
    def share(self, run_id: str, files: dict[str, str]) -> MissingFiles:
        """Give a run files that the store keeps once for all runs: their SHA-256 by the path in the run.

        What is missing is sent by ``put_shared``, and then asked for again. Raises ``InvalidParameter``
        where the run keeps its files in a place of its own.
        """
        ...

    @operation("PUT", "/api/1/shared-files/{sha256}")
    def put_shared(self, sha256: str, body: BinaryIO) -> None:
        """Bring a file that runs may share. Raises ``InvalidParameter`` if it has another SHA-256."""
        ...


class ArtifactFiles(Protocol):
    """Files behind ``mlflow-artifacts:`` URIs, by paths relative to the store's artifact root."""

    @operation("GET", _PROXY, files=True)
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

    @operation("DELETE", _PROXY + "/{path:path}", files=True)
    def delete(self, path: str) -> None:
        """Delete a file or a tree; one that is absent is no error."""
        ...

    @operation("POST", _SERVICE + "/mpu/create/{folder:path}", idempotent=False, files=True)
    def create_upload(self, folder: str, path: str, num_parts: int) -> MultipartUpload:
        """Begin an upload in parts, which the client sends to the object store itself.

        The file is written to ``folder``; of ``path``, the client's own, only the name counts. Raises
        ``NotImplementedHere`` where files are not kept in an object store that can do so.
        """
        ...

    @operation("POST", _SERVICE + "/mpu/complete/{folder:path}", idempotent=False, files=True)
    def complete_upload(self, folder: str, path: str, upload_id: str, parts: Parts) -> None:
        """Make a file of the parts that were sent."""
        ...

    @operation("POST", _SERVICE + "/mpu/abort/{folder:path}", files=True)
    def abort_upload(self, folder: str, path: str, upload_id: str) -> None:
        """Forget an upload in parts, and the parts that were sent."""
        ...

    @operation("GET", _SERVICE + "/presigned/{path:path}", files=True)
    def presign_download(self, path: str) -> PresignedDownload:
        """Return an address at which the object store itself gives out a file, for a quarter of an hour."""
        ...
