"""Copying registered models: after the runs and models their versions are made of."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from msgspec.structs import replace

from mltrack_jupyter.entities import ModelVersion
from mltrack_jupyter.errors import MltrackError, NotFound, Unavailable
from mltrack_jupyter.services import Services
from mltrack_jupyter.transfer.report import Report
from mltrack_jupyter.transfer.source import Broken, RegisteredRecord

_LOGGED = re.compile(r"models:/+(m-[0-9a-f]{32})\Z")
_COPY = re.compile(r"models:/+[^/]+/\d+\Z")


class VersionCopier:
    """Registered models and versions on their way into a store."""

    def __init__(self, target: Services, report: Report) -> None:
        self._target = target
        self._report = report
        self._records: list[RegisteredRecord] = []
        self._runs: dict[str, str] = {}
        self._models: dict[str, str] = {}

    def remember_run(self, run_id: str, artifact_uri: str) -> None:
        """Note where the artifacts of a run were in the source."""
        self._runs[run_id] = artifact_uri

    def remember_model(self, model_id: str, artifact_uri: str) -> None:
        """Note where the files of a logged model were in the source."""
        self._models[model_id] = artifact_uri

    def add(self, record: RegisteredRecord) -> None:
        """Take a registered model; nothing is written yet."""
        self._records.append(record)

    def copy(self) -> None:
        """Write the registered models, then their versions, copies of other versions last."""
        for record in self._records:
            name = record.model.name
            try:
                self._target.transfer.import_registered_model(record.model)
                self._report.count("registered models")
            except Unavailable:
                raise
            except MltrackError as error:
                self._report.problems.append(Broken(f"registered model {name!r}", str(error)))
                self._report.count("registered models", 1, 0)
        versions = [version for record in self._records for version in record.versions]
        versions.sort(key=lambda item: (bool(_COPY.match(item.source)), int(item.version)))
        self._copy_versions(versions)

    def _copy_versions(self, versions: Sequence[ModelVersion]) -> None:
        marks = {f"{item.name}/{item.version}": mark_of(item) for item in versions}
        known = self._target.transfer.marks("model_version", list(marks)) if marks else {}
        fresh: dict[str, str] = {}
        for version in versions:
            name = f"{version.name}/{version.version}"
            if known.get(name) == marks[name]:
                self._report.count("model versions")
                continue
            try:
                self._target.transfer.import_model_version(self._moved(version))
            except Unavailable:
                raise
            except MltrackError as error:
                self._report.problems.append(Broken(f"model version {name}", str(error)))
                self._report.count("model versions", 1, 0)
            else:
                fresh[name] = marks[name]
                self._report.count("model versions")
        if fresh:
            self._target.transfer.mark("model_version", fresh)

    def _moved(self, version: ModelVersion) -> ModelVersion:
        """Return a version whose source is where its files are now."""
        found = _LOGGED.match(version.source)
        model_id = version.model_id or (found[1] if found else "")
        source = version.source
        old = _plain(self._runs.get(version.run_id, ""))
        if old and _is_below(_plain(source), old):
            new = self._target.runs.get(version.run_id).info.artifact_uri
            source = new + _plain(source)[len(old) :]
        elif self._models.get(model_id) and _is_below(
            _plain(source), _plain(self._models[model_id])
        ):
            source = f"models:/{model_id}"
        return replace(version, source=source, model_id=self._known_model(model_id))

    def _known_model(self, model_id: str) -> str:
        """Return the id of a logged model if it is there; of a deleted one only the version is left."""
        if not model_id:
            return ""
        try:
            self._target.logged_models.get(model_id)
        except NotFound:
            return ""
        return model_id


def mark_of(*parts: object) -> str:
    """Return a short digest of what was copied, to recognise it the next time."""
    return hashlib.sha256(repr(parts).encode("utf-8", "replace")).hexdigest()[:32]


def _plain(uri: str) -> str:
    return uri.removeprefix("file://").rstrip("/")


def _is_below(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}/")
