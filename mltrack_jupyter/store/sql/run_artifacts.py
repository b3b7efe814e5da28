"""The artifacts of a run: its root from the database, its files from where they are."""

from __future__ import annotations

from typing import BinaryIO

from mltrack_jupyter.entities import FileList
from mltrack_jupyter.services import ArtifactFiles, Download, RunArtifacts
from mltrack_jupyter.store.artifacts import LocalFiles, Locations, check_path
from mltrack_jupyter.store.sql.database import Database
from mltrack_jupyter.store.sql.run_reads import find_run


class SqlRunArtifacts(RunArtifacts):
    """The artifacts of a run."""

    def __init__(self, database: Database, locations: Locations) -> None:
        self._database = database
        self._locations = locations

    def _root(self, run_id: str) -> str:
        with self._database.read() as connection:
            uri: str = find_run(connection, run_id).artifact_uri
            return uri

    def list(
        self,
        run_id: str,
        path: str = "",
        page_token: str = "",  # noqa: ARG002 - a folder is answered whole
    ) -> FileList:
        return self._locations.children(self._root(run_id), _folder(path))

    def read(self, run_id: str, path: str) -> Download:
        return self._locations.files(self._root(run_id)).open(path)


class RootArtifactFiles(ArtifactFiles):
    """The files behind ``mlflow-artifacts:`` URIs."""

    def __init__(self, locations: Locations) -> None:
        self._files = LocalFiles(locations.root)

    def list(self, path: str = "") -> FileList:
        path = check_path(_folder(path), empty=True)
        return FileList(files=self._files.list(path))

    def download(self, path: str) -> Download:
        return self._files.open(path)

    def upload(self, path: str, body: BinaryIO) -> None:
        self._files.write(path, body)

    def delete(self, path: str) -> None:
        self._files.delete(path)


def _folder(path: str) -> str:
    # Some clients name a folder with a slash at its end; a slash alone is no relative path.
    return path[:-1] if len(path) > 1 and path.endswith("/") else path
