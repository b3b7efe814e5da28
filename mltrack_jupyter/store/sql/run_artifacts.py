"""The artifacts of a run: its root from the database, its files from where they are."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

from mltrack_jupyter.entities import (
    FileInfo,
    FileList,
    MissingFiles,
    MultipartUpload,
    PresignedDownload,
)
from mltrack_jupyter.errors import InvalidParameter, NotImplementedHere
from mltrack_jupyter.services import ArtifactFiles, Download, Repository, RunArtifacts
from mltrack_jupyter.services.artifacts import Parts
from mltrack_jupyter.store.artifacts import (
    PROXY,
    KeptFiles,
    Locations,
    check_path,
    plain_path,
    scheme_of,
)
from mltrack_jupyter.store.sql.artifact_records import ArtifactRecords, RecordedFiles
from mltrack_jupyter.store.sql.database import Database
from mltrack_jupyter.store.sql.fixed_files import FixedFiles
from mltrack_jupyter.store.sql.model_places import Placed, models_of, runs_named
from mltrack_jupyter.store.sql.own_roots import OwnRoots
from mltrack_jupyter.store.sql.run_reads import find_run
from mltrack_jupyter.store.sql.run_view import RunView
from mltrack_jupyter.store.sql.shared_files import FOLDER, WRITTEN, SharedFiles
from mltrack_jupyter.store.sql.types import teller

if TYPE_CHECKING:
    from mltrack_jupyter.store.artifacts.multipart import Multipart

_ROOT = f"{PROXY}:"
_LARGEST_UPLOAD = 10 * 1024 * 1024


class Reach:
    """The files of a store with their records: those at a location, and those below its own root.

    ``serves`` tells whether a server over this store hands them on.
    """

    def __init__(self, database: Database, locations: Locations, *, serves: bool = True) -> None:
        self._database = database
        self.locations = locations
        self.records = ArtifactRecords(database)
        self.shared = SharedFiles(database, locations)
        self.fixed = FixedFiles(database, locations, self._has)
        self.serves = serves

    def files_at(self, uri: str, run_id: str = "") -> Repository:
        """Return the files at an artifact URI, with the models of the run if it is one's root.

        Raises ``InvalidParameter`` where they may not be.
        """
        own = self.recorded(uri)
        return RunView(own, lambda: self._models([run_id]), self.recorded) if run_id else own

    def recorded(self, uri: str) -> RecordedFiles:
        """Return the files that are at an artifact URI and nowhere else."""
        uri = self.locations.kept(uri)
        files = self.locations.files(uri)
        return self._files(files, self.locations.name(uri), uri)

    def told(self, uri: str) -> str:
        """Return a place as it is kept as callers are told it."""
        with self._database.read() as connection:
            return teller(connection)(uri)

    def own(self) -> RecordedFiles:
        """Return the files below the store's own root."""
        return self._files(self.locations.own(), _ROOT)

    def _files(self, files: KeptFiles, name: str, uri: str = "") -> RecordedFiles:
        return RecordedFiles(files, name, self.records, self.shared, self.fixed, uri)

    def seen(self, path: str) -> tuple[Repository, str]:
        """Return the files below the store's own root among which a path is, and the path in them."""
        place = f"{_ROOT}/{path}"
        name = self.locations.name
        run_ids = runs_named(place)
        found = [
            model
            for model in (self._models(run_ids) if run_ids else [])
            if f"{place}/".startswith(f"{name(model.root)}/")
        ]
        if not found:
            return self.own(), path
        root = name(found[0].root)
        view = RunView(self.recorded(root), lambda: found, self.recorded)
        return view, place.removeprefix(root).lstrip("/")

    def _models(self, run_ids: Sequence[str]) -> Sequence[Placed]:
        with self._database.read() as connection:
            return models_of(connection, run_ids)

    def _has(self, uri: str, path: str) -> bool:
        return bool(self.locations.files(uri).stamp(path))

    @property
    def has_multipart(self) -> bool:
        """Whether files can be sent and fetched in parts, without passing through this store."""
        return scheme_of(self.locations.root) == "s3"

    def multipart(self) -> Multipart:
        """Return the means to do so. Raises ``NotImplementedHere``."""
        if not self.has_multipart:
            # The beginning is MLflow's: its client looks for it, and sends the file whole instead.
            raise NotImplementedHere(
                "Multipart upload is not supported for the current artifact repository: files are sent whole, "
                "to mlflow-artifacts/artifacts/<path>, and fetched from there."
            )
        from mltrack_jupyter.store.artifacts.multipart import Multipart

        return Multipart(self.locations.root)


class SqlRunArtifacts(RunArtifacts):
    """The artifacts of a run."""

    def __init__(self, database: Database, reach: Reach) -> None:
        self._database = database
        self._reach = reach

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
        root = self._root(run_id)
        return children(self._reach.files_at(root, run_id), self._reach.told(root), path)

    def read(self, run_id: str, path: str) -> Download:
        return self._reach.files_at(self._root(run_id), run_id).open(plain_path(path, back=False))

    def upload(self, body: BinaryIO, run_id: str = "", path: str = "") -> None:
        for name, value in (("run_uuid", run_id), ("path", path)):
            if not value:
                raise InvalidParameter(f"Request must specify {name}.")
        files = self._reach.files_at(self._root(run_id), run_id)
        path = plain_path(path, back=False)
        size = body.seek(0, io.SEEK_END)
        body.seek(0)
        if not size:
            raise InvalidParameter("Request must specify data.")
        if size > _LARGEST_UPLOAD:
            raise InvalidParameter(
                "Artifact size is too large. Max size is 10MB; a larger one is sent to mlflow-artifacts/artifacts/<path>."
            )
        files.write(path, body)

    def share(self, run_id: str, files: dict[str, str]) -> MissingFiles:
        return MissingFiles(sha256=self._reach.shared.share(run_id, files))

    def put_shared(self, sha256: str, body: BinaryIO) -> None:
        self._reach.shared.put(sha256, body)


def children(files: Repository, uri: str, path: str) -> FileList:
    """Return the children of a path below an artifact URI, by their paths below that URI."""
    path = plain_path(path, empty=True, back=False)
    prefix = f"{path}/" if path else ""
    found = [
        FileInfo(path=prefix + item.path, is_dir=item.is_dir, file_size=item.file_size)
        for item in files.list(path)
    ]
    return FileList(root_uri=uri, files=found)


class RootArtifactFiles(ArtifactFiles):
    """The files behind ``mlflow-artifacts:`` URIs."""

    def __init__(self, reach: Reach, roots: OwnRoots) -> None:
        self._reach = reach
        self._roots = roots

    def list(self, path: str = "") -> FileList:
        files, path = self._reach.seen(plain_path(path, empty=True, back=False))
        return FileList(files=[*files.list(path)])

    def download(self, path: str) -> Download:
        files, path = self._reach.seen(plain_path(path, back=False))
        return files.open(path)

    def upload(self, path: str, body: BinaryIO) -> None:
        path = _check_not_shared(plain_path(path, back=False))
        self._roots.check_written(path)
        self._reach.own().write(path, body)

    def delete(self, path: str) -> None:
        path = _check_not_shared(plain_path(path, back=False))
        self._roots.check_deleted(path)
        self._reach.own().delete(path)

    # --- past the store: in parts, or from the object store itself ----------------------------------

    def create_upload(self, folder: str, path: str, num_parts: int) -> MultipartUpload:
        place = _place(folder, path)
        multipart = self._reach.multipart()
        self._check_parts(place)
        made = multipart.create(place, num_parts)
        self._reach.records.tell(_ROOT, place, "begin-upload")
        return made

    def complete_upload(self, folder: str, path: str, upload_id: str, parts: Parts) -> None:
        place = _place(folder, path)
        multipart = self._reach.multipart()
        self._check_parts(place)
        # Nobody here has seen the bytes: whatever was known of the file before is over.
        self._reach.records.forget(_ROOT, [place])
        multipart.complete(place, upload_id, parts)
        self._reach.records.tell(_ROOT, place, WRITTEN)

    def _check_parts(self, place: str) -> None:
        self._reach.records.check_writable()
        self._roots.check_written(place)
        own = self._reach.locations.own()
        self._reach.fixed.check_written(f"{_ROOT}/{place}", lambda: bool(own.stamp(place)))

    def abort_upload(self, folder: str, path: str, upload_id: str) -> None:
        place = _place(folder, path)
        self._reach.multipart().abort(place, upload_id)
        self._reach.records.tell(_ROOT, place, "abort-upload")

    def presign_download(self, path: str) -> PresignedDownload:
        path = plain_path(path, back=False)
        own = self._reach.locations.own()
        shared = "" if own.stamp(path) else self._reach.shared.find(_ROOT, path)
        return self._reach.multipart().presign(shared or path)


def _place(folder: str, path: str) -> str:
    name = re.split(r"[/\\]", path)[-1]  # the client names a file of its own machine
    if not name:
        raise InvalidParameter(
            f"Invalid path {path[:80]!r}: it does not end in the name of a file."
        )
    return _check_not_shared(check_path(f"{plain_path(folder, back=False)}/{name}"))


def _check_not_shared(path: str) -> str:
    """Refuse a path at which the store keeps what runs share. Raises ``InvalidParameter``."""
    if path.partition("/")[0].lower() == FOLDER:
        raise InvalidParameter(
            f"Invalid path {path[:80]!r}: what is in {FOLDER} belongs to several runs, and is kept by the store."
        )
    return path
