"""Bringing a model's folder into the artifacts of a run, and noting it in the run's tags."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from mltrack_jupyter.entities import Run, Tag
from mltrack_jupyter.errors import InvalidParameter, NotFound
from mltrack_jupyter.models import ModelMetadata
from mltrack_jupyter.models.mlmodel import FILE_NAME
from mltrack_jupyter.registry.records import HISTORY_TAG, MODEL_TAG, ModelRecord, longer_history
from mltrack_jupyter.registry.resolve import is_server
from mltrack_jupyter.services import Services
from mltrack_jupyter.store.artifacts import PROXY, Locations, scheme_of

Write = Callable[[str, BinaryIO], None]


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
    upload_files(services, run.info.artifact_uri, folder, about.artifact_path)
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


def upload_files(services: Services, uri: str, source: Path, below: str = "") -> None:
    """Copy a file, or what is in a folder, to an artifact URI of a store. Raises ``NotFound``."""
    if not source.exists():
        raise NotFound(f"There is no file or folder '{source}' to log.")
    write, root = _writer(services, uri)
    base = source if source.is_dir() else source.parent
    places = sorted(source.rglob("*")) if source.is_dir() else [source]
    names = [place.relative_to(base).as_posix() for place in places if place.is_file()]
    for name in sorted(names, key=lambda name: name == FILE_NAME):
        with (base / name).open("rb") as file:
            write("/".join(filter(None, (root, below, name))), file)


def _writer(services: Services, uri: str) -> tuple[Write, str]:
    """Return how files below an artifact URI are written, and the path before their names."""
    # Only the path matters here; the root of `mlflow-artifacts:` is known to the services alone.
    places = Locations(Path(), local_paths=True)
    if scheme_of(uri) == PROXY:
        return services.artifact_files.upload, places.split(uri)
    if is_server(services):
        raise InvalidParameter(
            f"The artifacts are at {uri!r}, where the server does not let files be uploaded through it; "
            f"it has to be started with {PROXY}: as its artifact root."
        )
    return places.files(uri).write, ""
