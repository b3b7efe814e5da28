"""A signature that is written into a model which is there already."""

from __future__ import annotations

import io
import os
import tempfile
from dataclasses import replace
from os import PathLike
from pathlib import Path

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.models import ModelFolder, ModelMetadata, ModelSignature, read_metadata
from mltrack_jupyter.models.mlmodel import FILE_NAME
from mltrack_jupyter.registry.resolve import download_model, find_model, named
from mltrack_jupyter.registry.uris import LocalFolder, Registered
from mltrack_jupyter.services import Services


def set_signature(services: Services, uri: str | PathLike[str], signature: ModelSignature) -> None:
    """Write a signature into the file ``MLmodel`` of the model at a URI; nothing else of it changes.

    Raises
    ------
    InvalidParameter
        It is no signature, or the model belongs to a version, which stays as it is.
    NotFound
        There is no such model.
    """
    if not isinstance(signature, ModelSignature):
        raise InvalidParameter(
            f"set_signature takes a ModelSignature, such as infer_signature(data), not a "
            f"{type(signature).__name__}."
        )
    parsed = named(uri, services)
    if isinstance(parsed, LocalFolder):
        path = parsed.path.expanduser()
        folder = ModelFolder.open(path.parent if path.name == FILE_NAME else path)
        _write_file(folder.root / FILE_NAME, replace(read_metadata(folder), signature=signature))
        return
    if isinstance(parsed, Registered):
        raise InvalidParameter(
            f"A version of a registered model stays as it is, also {uri}. Set the signature of the model of its "
            "run (runs:/<run_id>/<path>) or of its id (models:/m-…), and register that."
        )
    found = find_model(uri, services)
    with tempfile.TemporaryDirectory(prefix="mltrack-model-") as private:
        folder = ModelFolder.open(download_model(uri, services, private).path)
        about = replace(read_metadata(folder), signature=signature)
    place = "/".join(filter(None, (found.path, FILE_NAME)))
    found.tree.write(place, io.BytesIO(about.to_yaml().encode()))


def _write_file(path: Path, about: ModelMetadata) -> None:
    fresh = path.with_name(f".{FILE_NAME}-{os.getpid()}")
    try:
        about.save(fresh)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
