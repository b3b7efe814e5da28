"""Copying a source into a store: idempotent, run by run, so that it can be stopped and taken up again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import BinaryIO, TypeVar, cast

from msgspec.structs import replace

from mltrack_jupyter.entities import Experiment, Metric, Run, RunArrival
from mltrack_jupyter.errors import (
    EndpointNotFound,
    MltrackError,
    NotFound,
    NotImplementedHere,
    PermissionDenied,
    Unauthenticated,
    Unavailable,
)
from mltrack_jupyter.services import Repository, Services
from mltrack_jupyter.store.artifacts import CheckedReader
from mltrack_jupyter.transfer.cleaning import clean_points, clean_run, clean_tags
from mltrack_jupyter.transfer.files import Files, files_at, walk
from mltrack_jupyter.transfer.report import Progress, Report
from mltrack_jupyter.transfer.source import Broken, ModelRecord, RunRecord, Source
from mltrack_jupyter.transfer.versions import VersionCopier, mark_of

T = TypeVar("T")
_POINTS = 20_000
_MARKS = 20
# Nothing else would succeed either after one of these: the transfer stops and can be repeated.
FATAL = (Unavailable, Unauthenticated, PermissionDenied, EndpointNotFound, NotImplementedHere)


def copy_source(source: Source, target: Services, report: Report, progress: Progress) -> None:
    """Copy everything of a source into a store; what cannot be copied goes into the report.

    Raises where nothing more can be copied (no server, no rights, a full disk). Done again, it skips what
    is there already and changes nothing.
    """
    copier = _Copier(source, target, report, progress)
    try:
        copier.copy()
    finally:
        copier.flush()
        report.notes += source.notes
        progress.clear()


class _Copier:
    def __init__(
        self, source: Source, target: Services, report: Report, progress: Progress
    ) -> None:
        self._source = source
        self._target = target
        self._report = report
        self._progress = progress
        self._marks: dict[str, dict[str, str]] = {"run": {}, "logged_model": {}}
        self._versions = VersionCopier(target, report)

    def copy(self) -> None:
        for item in self._source.experiments():
            if isinstance(item, Broken):
                self._report.problems.append(item)
                continue
            self._progress.update(item.name)
            here = self._guarded(f"experiment {item.name!r}", partial(self._experiment, item))
            if here is None:
                continue
            for model in self._source.logged_models(item):
                if isinstance(model, Broken):
                    self._report.problems.append(model)
                else:
                    what = f"logged model {model.model.info.model_id}"
                    self._guarded(what, partial(self._model, model, here))
            for run in self._source.runs(item):
                if isinstance(run, Broken):
                    self._report.problems.append(run)
                else:
                    what = f"run {run.run.info.run_id}"
                    self._guarded(what, partial(self._run, run, here))
        self.flush()
        for registered in self._source.registered_models():
            if isinstance(registered, Broken):
                self._report.problems.append(registered)
            else:
                self._versions.add(registered)
        self._versions.copy()

    def _guarded(self, what: str, work: Callable[[], T]) -> T | None:
        try:
            return work()
        except FATAL:
            raise
        except (MltrackError, OSError, ValueError) as error:
            self._report.problems.append(Broken(what, str(error)))
            return None

    def _experiment(self, found: Experiment) -> Experiment:
        tags = clean_tags(found.tag_list, f"experiment {found.name!r}", self._report.notes)
        here = self._target.transfer.import_experiment(replace(found, tag_list=tags))
        self._report.count("experiments")
        return here

    # --- runs -----------------------------------------------------------------------------------

    def _run(self, record: RunRecord, to: Experiment) -> None:
        info = record.run.info
        self._progress.update(info.run_name or info.run_id)
        what = f"run {info.run_id}"
        listing = walk(record.files, self._report.notes, what) if record.files else {}
        mark = mark_of(record.run, listing)
        self._versions.remember_run(info.run_id, info.artifact_uri)
        if self._is_marked("run", info.run_id, mark):
            self._report.skipped += 1
            self._report.count("runs")
            return
        whole = clean_run(record.whole(), what, self._report.notes)
        whole = replace(whole, info=replace(whole.info, experiment_id=to.experiment_id))
        points = clean_points(record.points(), what, self._report.notes)
        params, tags = len(whole.data.param_list), len(whole.data.tags)
        arrival = self._send(whole, points)
        done = self._copy_files(record.files, listing, arrival.artifact_uri, what)
        self._report.count("params", params, min(params, arrival.params))
        self._report.count("tags", tags, min(tags, arrival.tags))
        self._report.count("metric points", len(points), min(len(points), arrival.points))
        self._report.count("runs")
        if done and arrival.points >= len(points):
            self._mark("run", info.run_id, mark)

    def _send(self, run: Run, points: Sequence[Metric]) -> RunArrival:
        arrival = self._target.transfer.import_run(run, list(points[:_POINTS]))
        bare = Run(info=run.info)
        for start in range(_POINTS, len(points), _POINTS):
            part = list(points[start : start + _POINTS])
            arrival = self._target.transfer.import_run(bare, part)
            self._progress.update(run.info.run_name)
        return arrival

    # --- logged models --------------------------------------------------------------------------

    def _model(self, record: ModelRecord, to: Experiment) -> None:
        info = record.model.info
        what = f"logged model {info.model_id}"
        listing = walk(record.files, self._report.notes, what) if record.files else {}
        mark = mark_of(record.model, listing)
        self._versions.remember_model(info.model_id, info.artifact_uri)
        if not self._is_marked("logged_model", info.model_id, mark):
            model = replace(record.model, info=replace(info, experiment_id=to.experiment_id))
            uri = self._target.transfer.import_logged_model(model)
            if self._copy_files(record.files, listing, uri, what):
                self._mark("logged_model", info.model_id, mark)
        self._report.count("logged models")

    # --- files ----------------------------------------------------------------------------------

    def _copy_files(
        self, files: Files | None, listing: dict[str, int], uri: str, what: str
    ) -> bool:
        """Copy what is not there yet; tell whether all of it is there now."""
        if files is None or not listing:
            return True
        target = files_at(self._target, uri)
        if target is None:
            reason = f"its {len(listing)} files are not copied: the store keeps them at {uri}"
            self._report.problems.append(Broken(what, reason))
            self._report.count("files", len(listing), 0)
            return False
        have = walk(target, [], what)
        good = True
        for path, size in listing.items():
            # Files are written whole or not at all: one of the right size is the file.
            if have.get(path) != size or size == 0:
                self._progress.update(path)
                copied = self._guarded(
                    f"{what}, file {path!r}", partial(self._copy_file, files, target, path)
                )
                good = good and copied is not None
                self._report.count("files", 1, 1 if copied is not None else 0)
            else:
                self._report.count("files")
            self._report.count("bytes", size)
        return good

    def _copy_file(self, files: Files, target: Repository, path: str) -> bool:
        download = files.open(path)
        with download.file:
            body = CheckedReader(download, path) if download.sha256 else download.file
            target.write(path, cast(BinaryIO, body))
        return True

    # --- marks ----------------------------------------------------------------------------------

    def _is_marked(self, entity: str, entity_id: str, mark: str) -> bool:
        try:
            return self._target.transfer.marks(entity, [entity_id]).get(entity_id) == mark
        except NotFound:
            return False

    def _mark(self, entity: str, entity_id: str, mark: str) -> None:
        self._marks[entity][entity_id] = mark
        if len(self._marks[entity]) >= _MARKS:
            self.flush()

    def flush(self) -> None:
        """Write the marks that wait."""
        for entity, marks in self._marks.items():
            if marks:
                self._target.transfer.mark(entity, dict(marks))
                marks.clear()
