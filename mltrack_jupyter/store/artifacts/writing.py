"""Writing a file of a run, wherever the run keeps its files."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.services import Services
from mltrack_jupyter.store.artifacts.locations import PROXY, Locations, scheme_of
from mltrack_jupyter.store.artifacts.paths import check_path


def write_file(services: Services, uri: str, path: str, body: BinaryIO) -> None:
    """Write one file below an artifact URI of a run, whole or not at all. Raises ``InvalidParameter``."""
    check_path(path)
    places = Locations(Path(), local_paths=True)
    if scheme_of(uri) == PROXY:
        services.artifact_files.upload(f"{places.split(uri)}/{path}", body)
    elif services.uri.startswith(("http://", "https://")):
        raise InvalidParameter(
            f"The artifacts of the run are at {uri!r}, where its server does not take files; start the "
            f"server with {PROXY}: as its artifact root."
        )
    else:
        places.files(uri).write(path, body)
