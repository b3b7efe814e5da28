"""Trees of files, wherever they are: listed, read, and written below an artifact URI of a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

from mltrack_jupyter.entities import FileInfo
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.services import ArtifactFiles, Download, RunArtifacts, Services
from mltrack_jupyter.store.artifacts import PROXY, LocalFiles, check_path, scheme_of

_MAX_DEPTH = 60


class Files(Protocol):
    """Folders and files by paths relative to some root."""

    def list(self, path: str = "") -> Sequence[FileInfo]:
        """Return the children of a folder by base name; nothing for a file or a missing path."""
        ...

    def open(self, path: str) -> Download:
        """Open a file."""
        ...


class WritableFiles(Files, Protocol):
    """Files that can be written."""

    def write(self, path: str, body: BinaryIO) -> None:
        """Write a file, whole or not at all."""
        ...


@dataclass(frozen=True)
class RunFiles:
    """The artifacts of a run of any store or server."""

    artifacts: RunArtifacts
    run_id: str

    def list(self, path: str = "") -> Sequence[FileInfo]:
        """Return the children of a folder by base name."""
        prefix = f"{path}/" if path else ""
        found: list[FileInfo] = []
        token = ""
        while True:
            page = self.artifacts.list(self.run_id, path, token)
            # Some servers answer the listing of a file with the file itself; it is no child.
            found += [
                FileInfo(
                    path=item.path.removeprefix(prefix),
                    is_dir=item.is_dir,
                    file_size=item.file_size,
                )
                for item in page.files
                if item.path.startswith(prefix)
            ]
            token = page.next_page_token
            if not token:
                return found

    def open(self, path: str) -> Download:
        """Open a file."""
        return self.artifacts.read(self.run_id, path)


@dataclass(frozen=True)
class RootFiles:
    """The files below one path of a store's artifact root."""

    files: ArtifactFiles
    base: str

    def list(self, path: str = "") -> Sequence[FileInfo]:
        """Return the children of a folder by base name."""
        return self.files.list(f"{self.base}/{path}" if path else self.base).files

    def open(self, path: str) -> Download:
        """Open a file."""
        return self.files.download(f"{self.base}/{path}")

    def write(self, path: str, body: BinaryIO) -> None:
        """Write a file, whole or not at all."""
        self.files.upload(f"{self.base}/{path}", body)


def files_at(services: Services, uri: str) -> WritableFiles | None:
    """Return the files behind an artifact URI of a store; ``None`` where the store cannot reach them."""
    scheme = scheme_of(uri)
    if scheme == PROXY:
        return RootFiles(services.artifact_files, check_path(urlsplit(uri).path.strip("/")))
    if scheme in ("", "file") and not services.uri.startswith(("http://", "https://")):
        return LocalFiles(local_path(uri))
    return None


def local_path(uri: str) -> Path:
    """Return the path of a local artifact URI."""
    return Path(unquote(urlsplit(uri).path) if scheme_of(uri) == "file" else uri)


def walk(files: Files, notes: list[str], what: str) -> dict[str, int]:
    """Return every file below a tree with its size; names that cannot be kept go to the notes."""
    found: dict[str, int] = {}
    waiting = [""]
    while waiting:
        below = waiting.pop()
        for item in files.list(below):
            path = f"{below}/{item.path}" if below else item.path
            try:
                check_path(path)
                if "/" in item.path or path.count("/") > _MAX_DEPTH:
                    raise InvalidParameter(f"{path!r} is not the path of a file.")
            except InvalidParameter as error:
                notes.append(f"{what}: a file is left out: {error}")
                continue
            if item.is_dir:
                waiting.append(path)
            else:
                found[path] = item.file_size
    return dict(sorted(found.items()))
