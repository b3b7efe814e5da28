"""An export as a source. Its files are looked up by their digests and checked; nothing is unpacked."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, TypeVar, cast

from mltrack_jupyter.entities import Experiment, FileInfo, Metric, Run
from mltrack_jupyter.errors import NotFound, StoreTooNew, StoreUnreadable
from mltrack_jupyter.services import Download
from mltrack_jupyter.store.artifacts import check_path
from mltrack_jupyter.store.rules import check_run_id
from mltrack_jupyter.transfer.lines import (
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
_CHUNK = 1024 * 1024
_SPOOL = 8 * 1024 * 1024


class ArchiveSource:
    """An export in a folder or a zip file."""

    def __init__(self, place: ReadingPlace) -> None:
        self._place = place
        self.notes: list[str] = []
        try:
            manifest = next(self._read(Manifest, MANIFEST), None)
        except NotFound as error:
            raise StoreUnreadable(
                f"There is no {MANIFEST}: this is no export, or one that was never finished."
            ) from error
        if manifest is None or manifest.format > FORMAT:
            raise StoreTooNew(
                "This export was written by a newer version: pip install --upgrade mltrack-jupyter."
            )

    def _read(self, kind: type[T], name: str) -> Iterator[T]:
        with self._place.open(name) as lines:
            yield from decode(kind, lines, name)

    def experiments(self) -> Iterator[Experiment | Broken]:
        """Return every experiment."""
        yield from self._read(Experiment, "experiments.jsonl")

    def logged_models(self, experiment: Experiment) -> Iterator[ModelRecord | Broken]:
        """Return the logged models of an experiment."""
        name = f"logged_models/{int(experiment.experiment_id)}.jsonl"
        for line in self._read(ModelLine, name):
            yield ModelRecord(line.model, self._files(line.files))

    def runs(self, experiment: Experiment) -> Iterator[RunRecord | Broken]:
        """Return the runs of an experiment."""
        for line in self._read(RunLine, f"runs/{int(experiment.experiment_id)}.jsonl"):
            run_id = check_run_id(line.run.info.run_id)
            points = self._points(run_id, line.points)
            yield RunRecord(line.run, _same(line.run), points, self._files(line.files))

    def _points(self, run_id: str, announced: int) -> Callable[[], Iterator[Metric]]:
        def read() -> Iterator[Metric]:
            count = 0
            for point in self._read(Metric, f"points/{run_id}.jsonl"):
                count += 1
                yield point
            if count != announced:
                self.notes.append(
                    f"run {run_id}: the export has {count} metric points instead of {announced}"
                )

        return read

    def registered_models(self) -> Iterator[RegisteredRecord | Broken]:
        """Return every registered model."""
        for line in self._read(RegisteredLine, "registered_models.jsonl"):
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
        """Open a file whose bytes are those that were exported. Raises ``StoreUnreadable``."""
        blob = self._blobs[check_path(path)]
        if not _DIGEST.match(blob.sha256):
            raise StoreUnreadable(f"{path!r} has no digest in the export.")
        spool = cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=_SPOOL))  # noqa: SIM115
        digest, size = hashlib.sha256(), 0
        with self._place.open(f"blobs/{blob.sha256}") as body:
            # Never more than announced: a small zip can hold a very large file.
            while size <= blob.size and (chunk := body.read(_CHUNK)):
                digest.update(chunk)
                size += len(chunk)
                spool.write(chunk)
        if digest.hexdigest() != blob.sha256 or size != blob.size:
            spool.close()
            raise NotFound(f"The export is damaged: {path!r} is not the file that was exported.")
        spool.seek(0)
        return Download(spool, path.rsplit("/", 1)[-1], size)


def _same(run: Run) -> Callable[[], Run]:
    return lambda: run
