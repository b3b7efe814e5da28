"""Files that are reached through services: below a store's artifact root, or those of a run by its id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from mltrack_jupyter.entities import FileInfo
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.services import (
    ArtifactFiles,
    Download,
    LoggedModels,
    Repository,
    RunArtifacts,
    Services,
    Written,
)
from mltrack_jupyter.store.artifacts.files import LocalFiles
from mltrack_jupyter.store.artifacts.locations import PROXY, local_path, split
from mltrack_jupyter.store.artifacts.paths import check_path
from mltrack_jupyter.store.artifacts.repositories import repository_at
from mltrack_jupyter.store.artifacts.schemes import is_direct, is_here, is_local
from mltrack_jupyter.store.uri import StoreUri, scheme_of

_MAX_CHILDREN = 100_000
_NOTHING = Written(0, "", "")


@dataclass(frozen=True)
class RootServed:
    """The files below one path of a store's artifact root; ``""`` is the root."""

    files: ArtifactFiles
    base: str = ""

    def _path(self, path: str) -> str:
        return "/".join(filter(None, (self.base, path)))

    def list(self, path: str = "") -> Sequence[FileInfo]:
        """Return the children of a folder by base name."""
        check_path(path, empty=True)
        return self.files.list(self._path(path)).files

    def open(self, path: str) -> Download:
        """Open a file."""
        return self.files.download(self._path(check_path(path)))

    def write(self, path: str, body: BinaryIO) -> Written:
        """Write a file, whole or not at all."""
        self.files.upload(self._path(check_path(path)), body)
        return _NOTHING  # the server knows

    def delete(self, path: str) -> None:
        """Delete a file or a tree."""
        self.files.delete(self._path(check_path(path)))


@dataclass(frozen=True)
class RunServed:
    """The files of a run that a server reads for its clients, and does not take from them."""

    artifacts: RunArtifacts
    run_id: str
    uri: str = ""

    def list(self, path: str = "") -> Sequence[FileInfo]:
        """Return the children of a folder by base name."""
        found: list[FileInfo] = []
        token = ""
        while True:
            page = self.artifacts.list(self.run_id, path, token)
            found += _children(page.files, path)
            token = page.next_page_token
            if not token or len(found) > _MAX_CHILDREN:
                return found

    def open(self, path: str) -> Download:
        """Open a file."""
        return self.artifacts.read(self.run_id, path)

    def write(self, path: str, body: BinaryIO) -> Written:  # noqa: ARG002 - refused whatever it is
        """Raise ``InvalidParameter``."""
        raise _no_files(f"run {self.run_id}", self.uri)

    def delete(self, path: str) -> None:  # noqa: ARG002 - refused whatever it is
        """Raise ``InvalidParameter``."""
        raise _no_files(f"run {self.run_id}", self.uri)


@dataclass(frozen=True)
class ModelServed:
    """The files of a logged model that a server reads for its clients, and does not take from them."""

    models: LoggedModels
    model_id: str
    uri: str = ""

    def list(self, path: str = "") -> Sequence[FileInfo]:
        """Return the children of a folder by base name."""
        return _children(self.models.list_artifacts(self.model_id, path).files, path)

    def open(self, path: str) -> Download:
        """Open a file."""
        return self.models.read_artifact(self.model_id, path)

    def write(self, path: str, body: BinaryIO) -> Written:  # noqa: ARG002 - refused whatever it is
        """Raise ``InvalidParameter``."""
        raise _no_files(f"logged model {self.model_id}", self.uri)

    def delete(self, path: str) -> None:  # noqa: ARG002 - refused whatever it is
        """Raise ``InvalidParameter``."""
        raise _no_files(f"logged model {self.model_id}", self.uri)


def files_of_model(services: Services, uri: str, model_id: str) -> Repository:
    """Return the files of a logged model, which are at an artifact URI of a store."""
    if is_local(uri) and StoreUri.of(services.uri).is_server:
        return ModelServed(services.logged_models, model_id, uri)
    return services.files_at(uri, "")


def _no_files(what: str, uri: str) -> InvalidParameter:
    return InvalidParameter(
        f"The artifacts of the {what} are at {uri!r}, where its server does not take files; start the server "
        f"with {PROXY}: as its artifact root."
    )


def files_of_server(services: Services, uri: str, run_id: str) -> Repository:
    """Return the files at an artifact URI of a server, as its client reaches them.

    Object stores are read and written directly, with the client's own credentials. What a server calls a
    local path or a web address is never followed: for the files of a run the server itself is asked.
    """
    scheme = scheme_of(uri)
    if scheme == PROXY:
        return RootServed(services.artifact_files, split(uri))
    if is_direct(scheme):
        return repository_at(uri)
    if is_here(uri, services.uri):
        return LocalFiles(local_path(uri))  # a wire within this process
    if run_id:
        return RunServed(services.run_artifacts, run_id, uri)
    raise InvalidParameter(
        f"The files are at {uri!r}, which is not reached from here: {scheme or 'local'} paths of a server "
        "are read through its run."
    )


def _children(files: Iterable[FileInfo], path: str) -> list[FileInfo]:
    """Return what a server lists below a path, by the names there.

    Some servers answer the listing of a file with the file itself; it is no child.
    """
    prefix = f"{path}/" if path else ""
    return [
        FileInfo(path=item.path.removeprefix(prefix), is_dir=item.is_dir, file_size=item.file_size)
        for item in files
        if item.path.startswith(prefix)
    ]
