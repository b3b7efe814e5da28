"""Artifacts: files and directories that belong to a run."""

from __future__ import annotations

from mltrack_jupyter.entities.base import Entity


class FileInfo(Entity, frozen=True, kw_only=True):
    """A file or a directory; ``file_size`` in bytes, absent for directories and empty files."""

    path: str
    is_dir: bool
    file_size: int = 0


class FileList(Entity, frozen=True, kw_only=True):
    """Children of one path, sorted; ``root_uri`` is the artifact root of their run."""

    root_uri: str = ""
    files: list[FileInfo] = []
    next_page_token: str = ""
