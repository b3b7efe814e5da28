"""Artifacts: files and directories that belong to a run."""

from __future__ import annotations

from typing import Any

from mltrack_jupyter.entities.base import Entity, number, text


class FileInfo(Entity, frozen=True):
    """A file or a directory; ``file_size`` in bytes, absent for directories and empty files.

    Those who list a run's files have it as ``None`` for directories, as of MLflow.
    """

    path: str
    is_dir: bool
    file_size: int = 0

    def for_reading(self, prefix: str = "") -> FileInfo:
        """Return it at its path below a prefix, with no size for a directory."""
        size: Any = None if self.is_dir else self.file_size
        return FileInfo(prefix + self.path, self.is_dir, size)


class FileList(Entity, frozen=True, kw_only=True):
    """Children of one path, sorted; ``root_uri`` is the artifact root of their run."""

    root_uri: str = ""
    files: list[FileInfo] = []
    next_page_token: str = ""


class MissingFiles(Entity, frozen=True, kw_only=True, omit_defaults=False):
    """The digests of files that are wanted and that nobody has brought yet."""

    sha256: list[str] = []


class MultipartUploadCredential(Entity, frozen=True, kw_only=True):
    """Where one part of an upload is sent by PUT, and with which headers. Parts are numbered from 1."""

    url: str = text()
    part_number: int = 0
    headers: dict[str, str] = {}


class MultipartUpload(Entity, frozen=True, kw_only=True):
    """An upload in parts that was begun."""

    upload_id: str = text()
    credentials: list[MultipartUploadCredential] = []


class MultipartUploadPart(Entity, frozen=True, kw_only=True):
    """A part that was sent, with the ETag that it was answered with."""

    part_number: int
    etag: str
    url: str = ""


class PresignedDownload(Entity, frozen=True, kw_only=True):
    """An address at which anybody can read one file for a while; ``file_size`` in bytes."""

    url: str = text()
    headers: dict[str, str] = {}
    file_size: int = number()
