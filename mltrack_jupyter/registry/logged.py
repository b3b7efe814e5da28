"""A run's model as a logged model too: MLflow 3's record with an id, params and metrics of its own."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from msgspec.structs import replace as replace_fields

from mltrack_jupyter.entities import (
    LoggedModel,
    LoggedModelStatus,
    MadeModel,
    ModelOutput,
    Param,
    Run,
    RunInfo,
    RunStatus,
    Tag,
)
from mltrack_jupyter.errors import EndpointNotFound, NotImplementedHere
from mltrack_jupyter.models import ModelMetadata
from mltrack_jupyter.models.mlmodel import FILE_NAME
from mltrack_jupyter.privacy.seals import Subject, seal_files
from mltrack_jupyter.registry.records import record_of
from mltrack_jupyter.registry.upload import note_on_run, write_files
from mltrack_jupyter.services import AddModel, Services
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.artifacts import files_of_model


@dataclass(frozen=True)
class ModelNote:
    """What is noted of a model that is being logged, beside its files."""

    params: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, Any] = field(default_factory=dict)
    model_type: str = ""
    step: int = 0
    metadata: Mapping[str, Any] = field(default_factory=dict)
    metrics: Collection[str] | None = None
    """Which metrics of its run are the model's as well; all of them if absent."""

    def of(self, about: ModelMetadata) -> MadeModel:
        """Return what a store is told of a model that has its id already."""
        return MadeModel(
            record=record_of(about, about.ours["sha256"]),
            model_type=self.model_type,
            params=[Param(key, str(value)) for key, value in self.params.items()],
            tags=[Tag(key, str(value)) for key, value in self.tags.items()],
            step=self.step,
        )


def add_folder(
    add: AddModel, run: RunInfo, folder: Path, about: ModelMetadata, note: ModelNote
) -> tuple[ModelMetadata, LoggedModel]:
    """Do what :func:`log_folder` does with a folder of our own, in a store that takes all of it at once."""
    about = sealed(replace(about, model_id=f"m-{uuid.uuid4().hex}"), own=True)
    texts = {FILE_NAME: about.to_yaml()}
    made = add(
        run, note.of(about), note.metrics, lambda write: write_files(write, folder, "", texts)
    )
    return about, made


def no_run(experiment_id: str) -> Run:
    """Return what stands for the run of a model that is made by none."""
    return Run(RunInfo(run_id="", experiment_id=experiment_id, status=RunStatus.RUNNING))


def log_folder(
    services: Services,
    run: Run,
    folder: Path,
    about: ModelMetadata,
    note: ModelNote,
    *,
    foreign: Mapping[str, str] | None = None,
) -> tuple[ModelMetadata, LoggedModel | None]:
    """Bring a saved model into the store as a logged model of a run, with files of its own for ever.

    Return what the folder says now, and the logged model; a server of MLflow 2 has none, and keeps the
    files with the run. ``foreign`` are the digests of a folder that was not made by this process, which
    is not sealed as the user's own.
    """
    made = _create(services, run, about, note)
    model_id = made.info.model_id if made else ""
    if not run.info.run_id:
        about = replace(about, artifact_path="")  # which is of a run, and was its name till now
    about = sealed(replace(about, model_id=model_id), own=foreign is None)
    record = record_of(about, about.ours.get("sha256", {}) if foreign is None else foreign,
                       foreign=foreign is not None)  # fmt: skip
    texts = {FILE_NAME: about.to_yaml()}
    if made is None and not run.info.run_id:
        raise NotImplementedHere(
            f"The server at {services.uri} keeps models with runs only: log it inside `with start_run():`."
        )
    if made is None:
        write = services.files_at(run.info.artifact_uri, run.info.run_id).write
        write_files(write, folder, about.artifact_path, texts)
        note_on_run(services, run.info.run_id, record)
        return about, None
    status = LoggedModelStatus.FAILED
    try:
        files = files_of_model(services, made.info.artifact_uri, model_id)
        write_files(files.write, folder, "", texts)
        status = LoggedModelStatus.READY
    finally:
        services.logged_models.finalize(model_id, status)
    if not run.info.run_id:
        return about, made
    note_on_run(services, run.info.run_id, record)
    services.runs.log_outputs(run.info.run_id, [ModelOutput(model_id, note.step)])
    _note_metrics(services, run, model_id, note.metrics)
    return about, made


def sealed(about: ModelMetadata, *, own: bool) -> ModelMetadata:
    """Return what a folder says of itself, with the proof that its files were made here, or without any."""
    if not own:
        return about.with_ours(seals=None)
    subject = Subject(about.run_id, about.model_id, about.artifact_path)
    return about.with_ours(seals=seal_files(subject, about.ours["sha256"]) or None)


def _note_metrics(
    services: Services, run: Run, model_id: str, metrics: Collection[str] | None
) -> None:
    """Note the run's metrics to its model; to the run itself the same points are nothing new."""
    points = [
        replace_fields(point, model_id=model_id)
        for point in run.data.metric_list
        if not point.model_id
        and (point.key in metrics if metrics is not None else not point.key.startswith("system/"))
    ]
    for first in range(0, len(points), rules.MAX_BATCH):
        services.runs.log_batch(run.info.run_id, metrics=points[first : first + rules.MAX_BATCH])


def _create(
    services: Services, run: Run, about: ModelMetadata, note: ModelNote
) -> LoggedModel | None:
    """Create the record; ``None`` on a server that knows no logged models (MLflow 2)."""
    try:
        return services.logged_models.create(
            run.info.experiment_id,
            name=rules.logged_name(about.artifact_path),
            model_type=note.model_type,
            source_run_id=run.info.run_id,
            # As in MLflow, the model has what its run has by now.
            params=[
                Param(key, str(value)) for key, value in {**run.data.params, **note.params}.items()
            ],
            tags=[Tag(key, str(value)) for key, value in note.tags.items()],
            artifact_path=about.artifact_path if run.info.run_id else "",
        )
    except EndpointNotFound:
        return None
