"""An ``mlruns`` folder of MLflow's file store as a source, from the layout of 2018 to that of today."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mltrack_jupyter.entities import (
    Dataset,
    DatasetInput,
    Experiment,
    Metric,
    ModelInput,
    ModelOutput,
    Param,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    Tag,
)
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store.artifacts import PROXY, scheme_of, walked
from mltrack_jupyter.transfer import filestore_models
from mltrack_jupyter.transfer.files import Files
from mltrack_jupyter.transfer.reading import (
    UnreadableError,
    artifacts_of,
    key_files,
    old_tags,
    read_pairs,
    read_points,
    read_yaml,
    status_of,
    text_of,
    whole_number,
)
from mltrack_jupyter.transfer.source import Broken, ModelRecord, RegisteredRecord, RunRecord

META = "meta.yaml"
_NO_RUNS = frozenset({"models", "datasets", "tags", "traces", "artifacts", "inputs", "outputs"})


class FileStoreSource:
    """A folder of MLflow's file store. Links that lead out of it are not followed."""

    def __init__(self, folder: Path) -> None:
        self.root = Path(os.path.realpath(folder))
        self.notes: list[str] = []
        self.left: list[Broken] = []
        self._places: dict[str, Path] = {}

    def experiments(self) -> Iterator[Experiment | Broken]:
        """Return every experiment, those in ``.trash`` too."""
        for place in [*self._folders(self.root), *self._folders(self.root / ".trash")]:
            if place.name == "models":
                continue
            if not _looks_like_experiment(place):
                if place.name.isdigit():
                    self.notes.append(f"{place.name}: no {META} in it, so it is no experiment")
                continue
            try:
                experiment = self._experiment(place)
            except UnreadableError as error:
                # Its runs are whole; only their group has lost its name.
                experiment = Experiment(experiment_id=place.name, name=f"experiment {place.name}")
                self.notes.append(
                    f"experiment {place.name}: {error}; its runs go to {experiment.name!r}"
                )
            self._places[experiment.experiment_id] = place
            yield experiment

    def _folders(self, parent: Path) -> list[Path]:
        found = []
        try:
            with walked(self.root, parent.relative_to(self.root).parts) as folder:
                for entry in sorted(folder.entries(), key=lambda item: item.name):
                    if entry.name.startswith("."):
                        continue
                    if entry.is_symlink():
                        self.notes.append(f"{entry.name}: a link is not followed")
                    elif entry.is_dir(follow_symlinks=False):
                        found.append(parent / entry.name)
        except InvalidParameter:
            self.notes.append(f"{parent.name}: a link is not followed")
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                raise UnreadableError(
                    f"{parent.name} cannot be read: {error.strerror or error}"
                ) from error
        return found

    def _experiment(self, place: Path) -> Experiment:
        meta = read_yaml(self.root, place / META)
        in_trash = place.parent.name == ".trash"
        stage = text_of(meta, "lifecycle_stage") or ("deleted" if in_trash else "active")
        name = text_of(meta, "name")
        if not name.strip():
            raise UnreadableError(f"{META} names no experiment")
        return Experiment(
            experiment_id=text_of(meta, "experiment_id") or place.name,
            name=name,
            artifact_location=text_of(meta, "artifact_location"),
            lifecycle_stage=stage,
            creation_time=whole_number(meta, "creation_time"),
            last_update_time=whole_number(meta, "last_update_time"),
            tag_list=[Tag(key, text) for key, text in read_pairs(self.root, place / "tags")],
        )

    def runs(self, experiment: Experiment) -> Iterator[RunRecord | Broken]:
        """Return the runs of an experiment, deleted ones too."""
        place = self._places[experiment.experiment_id]
        for folder in self._folders(place):
            if folder.name in _NO_RUNS:
                continue
            what = f"run {experiment.name}/{folder.name}"
            try:
                run = self._run(folder, experiment.experiment_id)
                files = self._files(folder, run.info.artifact_uri)
            except (UnreadableError, OSError) as error:
                yield Broken(what, str(error))
                continue
            yield RunRecord(run, _same(run), self._points(folder, what), files)

    def _run(self, folder: Path, experiment_id: str) -> Run:
        meta = read_yaml(self.root, folder / META)
        run_id = text_of(meta, "run_id") or text_of(meta, "run_uuid") or folder.name
        if run_id != folder.name:
            raise UnreadableError(f"{META} names the run {run_id!r}, its folder {folder.name!r}")
        end = meta.get("end_time")
        inputs, outputs = self._links(folder)
        return Run(
            info=RunInfo(
                run_id=run_id,
                run_name=text_of(meta, "run_name") or text_of(meta, "name"),
                experiment_id=experiment_id,
                user_id=text_of(meta, "user_id"),
                status=status_of(meta.get("status", "RUNNING")),
                start_time=whole_number(meta, "start_time"),
                end_time=None if end is None else whole_number(meta, "end_time"),
                artifact_uri=text_of(meta, "artifact_uri"),
                lifecycle_stage=text_of(meta, "lifecycle_stage") or "active",
            ),
            data=RunData(
                metric_list=self._last_points(folder),
                param_list=[
                    Param(key, text) for key, text in read_pairs(self.root, folder / "params")
                ],
                tag_list=self._tags(folder, meta),
            ),
            inputs=inputs,
            outputs=outputs,
        )

    def _tags(self, folder: Path, meta: dict[str, Any]) -> list[Tag]:
        tags = dict(read_pairs(self.root, folder / "tags"))
        listed = meta.get("tags") or []
        if not isinstance(listed, list):
            raise UnreadableError(f"tags is no list: {str(listed)[:60]!r}")
        for item in listed:
            if isinstance(item, dict) and "key" in item:
                tags.setdefault(str(item["key"]), text_of(item, "value"))
        tags = old_tags(meta) | tags
        return [Tag(key, text) for key, text in sorted(tags.items())]

    def _last_points(self, folder: Path) -> list[Metric]:
        """Return how long each history is, as points: enough to notice that one has grown."""
        return [
            Metric(name, float(size), 0)
            for name, _, size in key_files(self.root, folder / "metrics")
        ]

    def _points(self, folder: Path, what: str) -> Callable[[], Iterator[Metric]]:
        return lambda: read_points(self.root, folder / "metrics", self.notes, what)

    def _files(self, folder: Path, uri: str) -> Files | None:
        """Return the artifacts in the run's folder, wherever that was when the run wrote its URI."""
        place = folder / "artifacts"
        if place.is_symlink() or place.is_dir():
            return artifacts_of(self.root, place, f"run {folder.name}", self.notes)
        if scheme_of(uri) not in ("", "file", PROXY):
            self.notes.append(f"run {folder.name}: its artifacts stay at {uri}")
        return None

    def _links(self, folder: Path) -> tuple[RunInputs, RunOutputs]:
        datasets: list[DatasetInput] = []
        read: list[ModelInput] = []
        made: list[ModelOutput] = []
        for place in [*self._folders(folder / "inputs"), *self._folders(folder / "outputs")]:
            meta = read_yaml(self.root, place / META)
            kind = text_of(meta, "source_type"), text_of(meta, "destination_type")
            if kind[0] == "DATASET":
                datasets.append(self._dataset(folder.parent, meta))
            elif "MODEL_INPUT" in kind:
                read.append(ModelInput(text_of(meta, "source_id")))
            elif "MODEL_OUTPUT" in kind:
                step = whole_number(meta, "step")
                made.append(ModelOutput(text_of(meta, "destination_id"), step))
        inputs = RunInputs(dataset_inputs=datasets, model_inputs=read)
        return inputs, RunOutputs(model_outputs=made)

    def _dataset(self, experiment: Path, link: dict[str, Any]) -> DatasetInput:
        number = text_of(link, "source_id")
        if number in ("", ".", "..") or "/" in number or "\\" in number:
            raise UnreadableError(f"{number!r} is no dataset's name")
        meta = read_yaml(self.root, experiment / "datasets" / number / META)
        names = ("name", "digest", "source_type", "source", "schema", "profile")
        dataset = Dataset(**{name: text_of(meta, name) for name in names})
        labels = link.get("tags") or {}
        if not isinstance(labels, dict):
            raise UnreadableError("the tags of an input are no mapping")
        tags = [Tag(str(key), str(text)) for key, text in labels.items()]
        return DatasetInput(dataset=dataset, tags=tags)

    def logged_models(self, experiment: Experiment) -> Iterator[ModelRecord | Broken]:
        """Return the logged models of an experiment (MLflow 3)."""
        place = self._places[experiment.experiment_id]
        for folder in self._folders(place / "models"):
            try:
                yield filestore_models.logged_model(
                    self.root, folder, experiment.experiment_id, self.notes
                )
            except (UnreadableError, OSError) as error:
                yield Broken(f"logged model {folder.name}", str(error))

    def registered_models(self) -> Iterator[RegisteredRecord | Broken]:
        """Return every registered model."""
        for folder in self._folders(self.root / "models"):
            yield from filestore_models.registered_model(self.root, folder, self._folders(folder))

    def close(self) -> None:
        """Do nothing: no file stays open."""


def _looks_like_experiment(place: Path) -> bool:
    if (place / META).exists():
        return True
    return place.name.isdigit() and any(place.glob(f"*/{META}"))


def _same(run: Run) -> Callable[[], Run]:
    return lambda: run
