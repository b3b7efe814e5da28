"""Bringing a model's folder into the artifacts of a run, and noting it in the run's tags."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from mltrack_jupyter.entities import Run, Tag
from mltrack_jupyter.errors import NotFound
from mltrack_jupyter.models import ModelMetadata
from mltrack_jupyter.models.mlmodel import FILE_NAME
from mltrack_jupyter.registry.records import HISTORY_TAG, MODEL_TAG, ModelRecord, longer_history
from mltrack_jupyter.services import Services
from mltrack_jupyter.store.artifacts import files_in, open_given


def upload_model(
    services: Services,
    run: Run,
    folder: Path,
    about: ModelMetadata,
    digests: Mapping[str, str],
    *,
    foreign: bool = False,
) -> ModelRecord:
    """Copy a folder into the artifacts of a run, and set the tags by which it is found.

    ``about.artifact_path`` is where it goes. ``MLmodel`` is written last, so that nobody takes half a
    folder for a model; the tags come after it.
    """
    upload_files(services, run.info.artifact_uri, folder, about.artifact_path, run.info.run_id)
    record = ModelRecord.of(about, digests, foreign)
    # Read again: another process may have logged a model while this one was uploading.
    tags = services.runs.get(run.info.run_id).data.tags
    services.runs.log_batch(
        run.info.run_id,
        tags=[
            Tag(MODEL_TAG, record.to_json()),
            Tag(HISTORY_TAG, longer_history(tags, about, record)),
        ],
    )
    return record


def upload_files(
    services: Services, uri: str, source: Path, below: str = "", run_id: str = ""
) -> None:
    """Copy a file, or what is in a folder, to an artifact URI of a store. Raises ``NotFound``."""
    if not source.exists():
        raise NotFound(f"There is no file or folder '{source}' to log.")
    write_files(services.files_at(uri, run_id).write, source, below)


def write_files(write: Callable[[str, BinaryIO], object], source: Path, below: str = "") -> None:
    """Hand a file, or what is in a folder, to ``write``, each with its path; ``MLmodel`` is the last."""
    base = source if source.is_dir() else source.parent
    places = files_in(source) if source.is_dir() else [source]
    names = [place.relative_to(base).as_posix() for place in places]
    for name in sorted(names, key=lambda name: name == FILE_NAME):
        with open_given(base / name) as file:
            write("/".join(filter(None, (below, name))), file)
