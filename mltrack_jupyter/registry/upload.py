"""Bringing a model's folder to where a store keeps it, and noting it on the run that made it."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from mltrack_jupyter.entities import ModelRecord, Tag
from mltrack_jupyter.errors import EndpointNotFound, InvalidParameter, NotFound
from mltrack_jupyter.models.mlmodel import FILE_NAME
from mltrack_jupyter.registry.records import longer_history
from mltrack_jupyter.services import Services
from mltrack_jupyter.store.artifacts import files_in, open_given, reading
from mltrack_jupyter.store.rules import HISTORY_TAG, MODEL_TAG


def note_on_run(services: Services, run_id: str, record: ModelRecord) -> None:
    """Note a model on the run that made it; a server of MLflow is given the tags by which it is found."""
    try:
        services.logged_models.note(run_id, record)
    except EndpointNotFound:
        # Read again: another process may have logged a model while this one was uploading.
        history = Tag(HISTORY_TAG, longer_history(services.runs.get(run_id).data.tags, record))
        try:
            services.runs.log_batch(run_id, tags=[Tag(MODEL_TAG, record.to_tag()), history])
        except InvalidParameter:  # one of ours, of which only MLflow's operations are let through
            services.runs.log_batch(run_id, tags=[history])


def upload_files(
    services: Services, uri: str, source: Path, below: str = "", run_id: str = ""
) -> None:
    """Copy a file, or what is in a folder, to an artifact URI of a store. Raises ``NotFound``."""
    with reading(source):
        is_there = source.exists()
    if not is_there:
        raise NotFound(f"There is no file or folder '{source}' to log.")
    write_files(services.files_at(uri, run_id).write, source, below)


def write_files(
    write: Callable[[str, BinaryIO], object],
    source: Path,
    below: str = "",
    texts: Mapping[str, str] | None = None,
) -> None:
    """Hand a file, or what is in a folder, to ``write``, each with its path; ``MLmodel`` is the last.

    ``texts`` are written instead of the files of these names.
    """
    base = source if source.is_dir() else source.parent
    places = files_in(source) if source.is_dir() else [source]
    names = [place.relative_to(base).as_posix() for place in places]
    for name in sorted(names, key=lambda name: name == FILE_NAME):
        path = "/".join(filter(None, (below, name)))
        if texts and name in texts:
            write(path, io.BytesIO(texts[name].encode()))
            continue
        with open_given(base / name) as file:
            write(path, file)
