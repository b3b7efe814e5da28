"""An export as a source. Its files are looked up by their digests and checked; nothing is unpacked."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, TypeVar, cast

from mltrack_jupyter.entities import Experiment, FileInfo, Metric
from mltrack_jupyter.errors import InvalidParameter, NotFound, StoreTooNew, StoreUnreadable
from mltrack_jupyter.services import Download
from mltrack_jupyter.store.artifacts import check_path
from mltrack_jupyter.store.rules import check_run_id, short
from mltrack_jupyter.transfer.lines import (
    DAMAGED,
    FORMAT,
    MANIFEST,
    Blob,
    Manifest,
    ModelLine,
    RegisteredLine,
    RunLine,
    decode,
)
from mltrack_jupyter.transfer.places import ReadingPlace
from mltrack_jupyter.transfer.source import Broken, ModelRecord, RegisteredRecord, RunRecord

T = TypeVar("T")
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_NUMBER = re.compile(r"[0-9]{1,18}\Z")
_CHUNK = 1024 * 1024
_LONGEST = 32 * 1024 * 1024
"""The longest line that is read: a run with some 200,000 files."""
_SPOOL = 8 * 1024 * 1024


class ArchiveSource:
    """An export in a folder or a zip file."""

    def __init__(self, place: ReadingPlace) -> None:
        self._place = place
        self.notes: list[str] = []
        self.left: list[Broken] = []
        manifest = next(self._manifest(), None)
        if isinstance(manifest, StoreUnreadable):
            raise manifest
        if manifest is None or manifest.format > FORMAT:
            raise StoreTooNew(
                "This export was written by a newer version: pip install --upgrade mltrack-jupyter."
            )

    def _manifest(self) -> Iterator[Manifest | StoreUnreadable]:
        try:
            yield from self._read(Manifest, MANIFEST)
        except NotFound as error:
            raise StoreUnreadable(
                f"There is no {MANIFEST}: this is no export, or one that was never finished."
            ) from error

    def _read(self, kind: type[T], name: str) -> Iterator[T | StoreUnreadable]:
        with self._place.open(name) as body:
            yield from decode(kind, body, name, _LONGEST)

    def _items(self, kind: type[T], name: str) -> Iterator[T | Broken]:
        """Return the values of a file; what cannot be read of it comes as ``Broken``."""
        try:
            for item in self._read(kind, name):
                yield Broken(name, item.message) if isinstance(item, StoreUnreadable) else item
        except NotFound as error:
            yield Broken(name, error.message)

    def experiments(self) -> Iterator[Experiment | Broken]:
        """Return every experiment."""
        for item in self._items(Experiment, "experiments.jsonl"):
            if isinstance(item, Broken) or _NUMBER.match(item.experiment_id):
                yield item
            else:
                reason = f"its id {short(item.experiment_id)} is no number"
                yield Broken(f"experiment {short(item.name)}", reason)

    def logged_models(self, experiment: Experiment) -> Iterator[ModelRecord | Broken]:
        """Return the logged models of an experiment."""
        for line in self._items(ModelLine, f"logged_models/{experiment.experiment_id}.jsonl"):
            if isinstance(line, Broken):
                yield line
            else:
                yield ModelRecord(line.model, self._files(line.files))

    def runs(self, experiment: Experiment) -> Iterator[RunRecord | Broken]:
        """Return the runs of an experiment."""
        for line in self._items(RunLine, f"runs/{experiment.experiment_id}.jsonl"):
            if isinstance(line, Broken):
                yield line
                continue
            try:
                run_id = check_run_id(line.run.info.run_id)
            except InvalidParameter as error:
                yield Broken(f"run {short(line.run.info.run_id)}", error.message)
                continue
            points = self._points(run_id, line.points)
            files = self._files(line.files)
            yield RunRecord(line.run, _same(line.run), points, files, _same(line.amendments))

    def _points(self, run_id: str, announced: int) -> Callable[[], Iterator[Metric]]:
        def read() -> Iterator[Metric]:
            count = 0
            for point in self._items(Metric, f"points/{run_id}.jsonl"):
                if isinstance(point, Broken):
                    self.left.append(Broken(f"run {run_id}", point.reason))
                    continue
                count += 1
                yield point
            if count != announced:
                self.notes.append(
                    f"run {run_id}: the export has {count} metric points instead of {announced}"
                )

        return read

    def registered_models(self) -> Iterator[RegisteredRecord | Broken]:
        """Return every registered model."""
        for line in self._items(RegisteredLine, "registered_models.jsonl"):
            if isinstance(line, Broken):
                yield line
            else:
                yield RegisteredRecord(line.model, line.versions)

    def _files(self, blobs: Sequence[Blob] | None) -> BlobFiles | None:
        return None if blobs is None else BlobFiles(self._place, blobs)

    def close(self) -> None:
        """Close the export."""
        self._place.close()


class BlobFiles:
    """The files of one run or model of an export."""

    def __init__(self, place: ReadingPlace, blobs: Sequence[Blob]) -> None:
        self._place = place
        self._blobs = {blob.path: blob for blob in blobs}

    def list(self, path: str = "") -> Sequence[FileInfo]:
        """Return the children of a folder by base name."""
        prefix = f"{path}/" if path else ""
        found: dict[str, FileInfo] = {}
        for name, blob in self._blobs.items():
            if name.startswith(prefix):
                child, below, _ = name.removeprefix(prefix).partition("/")
                size = 0 if below else blob.size
                found[child] = FileInfo(path=child, is_dir=bool(below), file_size=size)
        return list(found.values())

    def open(self, path: str) -> Download:
        """Open a file whose bytes are those that were exported. Raises ``NotFound``."""
        blob = self._blobs[check_path(path)]
        if not _DIGEST.match(blob.sha256):
            raise NotFound(f"{path!r} has no digest in the export.")
        name = f"blobs/{blob.sha256}"
        found = self._place.size(name)
        if found != blob.size:  # a small zip can hold a very large file
            raise NotFound(
                f"The export is damaged: {path!r} has {found:,} bytes instead of {blob.size:,}, so it is "
                "not the file that was exported."
            )
        spool = cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=_SPOOL))  # noqa: SIM115
        digest, size = hashlib.sha256(), 0
        try:
            with self._place.open(name) as body:
                while size <= blob.size and (chunk := body.read(_CHUNK)):
                    digest.update(chunk)
                    size += len(chunk)
                    spool.write(chunk)
        except DAMAGED as error:
            spool.close()
            raise NotFound(f"The export is damaged: {path!r} cannot be read: {error}") from error
        if digest.hexdigest() != blob.sha256 or size != blob.size:
            spool.close()
            raise NotFound(f"The export is damaged: {path!r} is not the file that was exported.")
        spool.seek(0)
        return Download(spool, path.rsplit("/", 1)[-1], size)


def _same(value: T) -> Callable[[], T]:
    return lambda: value
