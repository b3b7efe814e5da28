"""Writing an export: JSON lines, and every file once under the digest of its bytes."""

from __future__ import annotations

import hashlib
import io
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, cast

from msgspec.structs import replace

from mltrack_jupyter.config import package_version
from mltrack_jupyter.entities import Experiment
from mltrack_jupyter.errors import MltrackError, Unavailable
from mltrack_jupyter.store.rules import check_run_id
from mltrack_jupyter.transfer.cleaning import clean_points
from mltrack_jupyter.transfer.files import Files
from mltrack_jupyter.transfer.lines import (
    FORMAT,
    MANIFEST,
    Blob,
    Line,
    Manifest,
    ModelLine,
    RegisteredLine,
    RunLine,
    encode,
)
from mltrack_jupyter.transfer.places import WritingPlace, writing
from mltrack_jupyter.transfer.report import Progress, Report, listed
from mltrack_jupyter.transfer.source import Broken, ModelRecord, RunRecord, Source, readable

_CHUNK = 1024 * 1024
_SPOOL = 8 * 1024 * 1024


def write_archive(source: Source, target: Path, report: Report, progress: Progress) -> None:
    """Write everything of a source into a folder or, if the name ends in ``.zip``, a zip file.

    Raises ``InvalidParameter`` for a folder with other things in it.
    """
    try:
        with writing(target) as place:
            _Writer(source, place, report, progress).write()
    finally:
        report.notes += source.notes
        report.problems += source.left
        progress.clear()


class _Writer:
    def __init__(
        self, source: Source, place: WritingPlace, report: Report, progress: Progress
    ) -> None:
        self._source = source
        self._place = place
        self._report = report
        self._progress = progress
        self._numbers: set[int] = set()

    def write(self) -> None:
        experiments: list[Line] = []
        for item in readable(self._source.experiments(), "the experiments"):
            if isinstance(item, Broken):
                self._report.problems.append(item)
                continue
            number = self._number(item)
            experiments.append(replace(item, experiment_id=str(number)))
            self._report.count("experiments")
            self._experiment(item, number)
        self._lines("experiments.jsonl", experiments)
        self._registered()
        manifest = Manifest(
            format=FORMAT,
            version=package_version(),
            created=time.time_ns() // 1_000_000,
            counts=self._report.there,
        )
        self._place.write(MANIFEST, io.BytesIO(encode(manifest)))

    def _number(self, experiment: Experiment) -> int:
        """Return the number of an experiment, by which its files are called; a table has none."""
        text = experiment.experiment_id
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 1
        while number in self._numbers:
            number += 1
        self._numbers.add(number)
        return number

    def _experiment(self, experiment: Experiment, number: int) -> None:
        models: list[Line] = []
        for model in readable(
            self._source.logged_models(experiment), f"the models of {experiment.name!r}"
        ):
            if isinstance(model, Broken):
                self._report.problems.append(model)
            else:
                models += self._guarded(model)
        self._lines(f"logged_models/{number}.jsonl", models)
        runs: list[Line] = []
        for run in readable(self._source.runs(experiment), f"the runs of {experiment.name!r}"):
            if isinstance(run, Broken):
                self._report.problems.append(run)
            else:
                runs += self._guarded(run)
        self._lines(f"runs/{number}.jsonl", runs)

    def _guarded(self, record: RunRecord | ModelRecord) -> list[Line]:
        try:
            if isinstance(record, RunRecord):
                return [self._run(record)]
            return [self._model(record)]
        except Unavailable:
            raise
        except (MltrackError, OSError, ValueError) as error:
            what = (
                f"run {record.run.info.run_id}"
                if isinstance(record, RunRecord)
                else f"logged model {record.model.info.model_id}"
            )
            self._report.problems.append(Broken(what, str(error)))
            return []

    def _run(self, record: RunRecord) -> RunLine:
        run_id = check_run_id(record.run.info.run_id)
        self._progress.update(record.run.info.run_name or run_id)
        what = f"run {run_id}"
        whole = record.whole()
        points = clean_points(record.points(), what, self._report.notes)
        self._lines(f"points/{run_id}.jsonl", points)
        files = self._files(record.files, what)
        self._report.count("params", len(whole.data.param_list))
        self._report.count("tags", len(whole.data.tag_list))
        self._report.count("metric points", len(points))
        self._report.count("runs")
        # The latest values follow from the points.
        bare = replace(whole, data=replace(whole.data, metric_list=[]))
        amendments = list(record.amendments())
        return RunLine(run=bare, points=len(points), files=files, amendments=amendments)

    def _model(self, record: ModelRecord) -> ModelLine:
        files = self._files(record.files, f"logged model {record.model.info.model_id}")
        self._report.count("logged models")
        return ModelLine(model=record.model, files=files)

    def _registered(self) -> None:
        lines: list[Line] = []
        for record in readable(self._source.registered_models(), "the registered models"):
            if isinstance(record, Broken):
                self._report.problems.append(record)
                continue
            lines.append(RegisteredLine(model=record.model, versions=record.versions))
            self._report.count("registered models")
            self._report.count("model versions", len(record.versions))
        self._lines("registered_models.jsonl", lines)

    def _files(self, files: Files | None, what: str) -> list[Blob] | None:
        if files is None:
            return None
        found = []
        for path in listed(files, self._report, what):
            self._progress.update(path)
            with files.open(path).file as body:
                found.append(self._blob(path, body))
            self._report.count("files")
            self._report.count("bytes", found[-1].size)
        return found

    def _blob(self, path: str, body: BinaryIO) -> Blob:
        digest, size = hashlib.sha256(), 0
        # A copy: what is hashed is what is written, also if the file grows meanwhile.
        with tempfile.SpooledTemporaryFile(max_size=_SPOOL) as spool:
            while chunk := body.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                spool.write(chunk)
            name = f"blobs/{digest.hexdigest()}"
            if not self._place.has(name):
                spool.seek(0)
                self._place.write(name, cast(BinaryIO, spool))
        return Blob(path=path, size=size, sha256=digest.hexdigest())

    def _lines(self, name: str, lines: Iterable[Line]) -> None:
        with tempfile.SpooledTemporaryFile(max_size=_SPOOL) as spool:
            for line in lines:
                spool.write(encode(line))
            spool.seek(0)
            self._place.write(name, cast(BinaryIO, spool))
