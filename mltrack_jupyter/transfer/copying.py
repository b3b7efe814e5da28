"""Copying a source into a store: idempotent, run by run, so that it can be stopped and taken up again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import BinaryIO, TypeVar, cast

from msgspec.structs import replace

from mltrack_jupyter.entities import Amendment, Experiment, Metric, Run, RunArrival
from mltrack_jupyter.errors import BadRequest, MltrackError, NotFound
from mltrack_jupyter.services import Repository, Services
from mltrack_jupyter.store.artifacts import CheckedReader
from mltrack_jupyter.transfer.cleaning import clean_points, clean_run, clean_tags
from mltrack_jupyter.transfer.files import Files, files_at, walk
from mltrack_jupyter.transfer.report import Progress, Report, listed
from mltrack_jupyter.transfer.source import (
    FATAL,
    Broken,
    ModelRecord,
    RunRecord,
    Source,
    readable,
)
from mltrack_jupyter.transfer.versions import VersionCopier, mark_of

T = TypeVar("T")
_POINTS = 20_000
_MARKS = 20


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
        report.problems += source.left
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
        for item in readable(self._source.experiments(), "the experiments"):
            if isinstance(item, Broken):
                self._report.problems.append(item)
                continue
            self._progress.update(item.name)
            here = self._guarded(f"experiment {item.name!r}", partial(self._experiment, item))
            if here is None:
                continue
            for model in readable(self._source.logged_models(item), f"the models of {item.name!r}"):
                if isinstance(model, Broken):
                    self._report.problems.append(model)
                else:
                    what = f"logged model {model.model.info.model_id}"
                    self._guarded(what, partial(self._model, model, here))
            for run in readable(self._source.runs(item), f"the runs of {item.name!r}"):
                if isinstance(run, Broken):
                    self._report.problems.append(run)
                else:
                    what = f"run {run.run.info.run_id}"
                    self._guarded(what, partial(self._run, run, here))
        self.flush()
        for registered in readable(self._source.registered_models(), "the registered models"):
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
        listing = listed(record.files, self._report, what)
        mark = mark_of(record.run, listing)
        self._versions.remember_run(info.run_id, info.artifact_uri)
        if self._is_marked("run", info.run_id, mark):
            self._report.skipped += 1
            self._report.count("runs")
            return
        whole = clean_run(record.whole(), what, self._report.notes)
        whole = replace(whole, info=replace(whole.info, experiment_id=to.experiment_id))
        before = len(self._source.notes) + len(self._report.notes)
        points = clean_points(record.points(), what, self._report.notes)
        refused = len(self._source.notes) + len(self._report.notes) - before
        params, tags = len(whole.data.param_list), len(whole.data.tags)
        arrival = self._send(whole, points, list(record.amendments()))
        done = self._copy_files(record.files, listing, arrival.artifact_uri, what)
        if listing:
            self._check_there(info.run_id)
        self._report.count("params", params, min(params, arrival.params))
        self._report.count("tags", tags, min(tags, arrival.tags))
        self._report.count("metric points", len(points) + refused, min(len(points), arrival.points))
        self._report.count("runs")
        if done and arrival.points >= len(points):
            self._mark("run", info.run_id, mark)

    def _check_there(self, run_id: str) -> None:
        """Raise ``BadRequest`` if a run was purged, with files that had arrived, while others were copied."""
        try:
            self._target.runs.get(run_id)
        except NotFound:
            raise BadRequest(
                "it was deleted for good while it was imported; run the same command again to have it back"
            ) from None

    def _send(self, run: Run, points: Sequence[Metric], amendments: list[Amendment]) -> RunArrival:
        # Stores of other packages, and older servers, know of no amendments.
        more = {"amendments": amendments} if amendments else {}
        arrival = self._target.transfer.import_run(run, list(points[:_POINTS]), **more)
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
        listing = listed(record.files, self._report, what)
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
            there = have.get(path) == size and size > 0
            if not there:
                self._progress.update(path)
                copy = partial(self._copy_file, files, target, path)
                there = self._guarded(f"{what}, file {path!r}", copy) is not None
            good = good and there
            self._report.count("files", 1, int(there))
            self._report.count("bytes", size, size if there else 0)
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
