"""A run's model as a logged model too: MLflow 3's record with an id, params and metrics of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from msgspec.structs import replace as replace_fields

from mltrack_jupyter.entities import LoggedModel, LoggedModelStatus, ModelOutput, Param, Run, Tag
from mltrack_jupyter.errors import EndpointNotFound
from mltrack_jupyter.models import ModelMetadata
from mltrack_jupyter.models.mlmodel import FILE_NAME
from mltrack_jupyter.registry.upload import upload_files, upload_model
from mltrack_jupyter.services import Services

_BATCH = 1000
_FORBIDDEN = re.compile(r"""[/:.%"']""")


@dataclass(frozen=True)
class ModelNote:
    """What is noted of a model that is being logged, beside its files."""

    params: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, Any] = field(default_factory=dict)
    model_type: str = ""
    step: int = 0
    metadata: Mapping[str, Any] = field(default_factory=dict)


def log_folder(
    services: Services, run: Run, folder: Path, about: ModelMetadata, note: ModelNote
) -> tuple[ModelMetadata, LoggedModel | None]:
    """Bring a saved model into a run, and note it as a logged model.

    Return what the folder says now, and the note; a server of MLflow 2 takes none.
    """
    made = _create(services, run, about, note)
    if made is None:
        upload_model(services, run, folder, about, about.ours["sha256"])
        return about, None
    model_id = made.info.model_id
    about = replace(about, model_id=model_id)
    (folder / FILE_NAME).write_text(about.to_yaml(), encoding="utf-8")
    status = LoggedModelStatus.FAILED
    try:
        upload_model(services, run, folder, about, about.ours["sha256"])
        if made.info.artifact_uri != f"{run.info.artifact_uri}/{about.artifact_path}":
            # A server of MLflow gives each model a place of its own, where its clients look for it.
            upload_files(services, made.info.artifact_uri, folder)
        status = LoggedModelStatus.READY
    finally:
        services.logged_models.finalize(model_id, status)
    services.runs.log_outputs(run.info.run_id, [ModelOutput(model_id, note.step)])
    _note_metrics(services, run, model_id)
    return about, made


def _note_metrics(services: Services, run: Run, model_id: str) -> None:
    """Note the run's metrics to its model; to the run itself the same points are nothing new."""
    points = [
        replace_fields(point, model_id=model_id)
        for point in run.data.metric_list
        if not point.model_id and not point.key.startswith("system/")
    ]
    for first in range(0, len(points), _BATCH):
        services.runs.log_batch(run.info.run_id, metrics=points[first : first + _BATCH])


def _create(
    services: Services, run: Run, about: ModelMetadata, note: ModelNote
) -> LoggedModel | None:
    """Create the record; ``None`` on a server that knows no logged models (MLflow 2)."""
    name = _FORBIDDEN.sub("-", about.artifact_path.rpartition("/")[2])
    try:
        return services.logged_models.create(
            run.info.experiment_id,
            name=name,
            model_type=note.model_type,
            source_run_id=run.info.run_id,
            # As in MLflow, the model has what its run has by now.
            params=[
                Param(key, str(value)) for key, value in {**run.data.params, **note.params}.items()
            ],
            tags=[Tag(key, str(value)) for key, value in note.tags.items()],
            artifact_path=about.artifact_path,
        )
    except EndpointNotFound:
        return None
