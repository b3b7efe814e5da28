"""Bytes from an open file, such as a download, as an artifact."""

from __future__ import annotations

import shutil
import tempfile
from typing import BinaryIO

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.tracking.logging import files_of


def log_stream(stream: BinaryIO, artifact_file: str, run_id: str | None = None) -> None:
    """Write what is read from an open binary file as a file of the active run."""
    if not hasattr(stream, "read"):
        raise InvalidParameter(
            f"log_stream takes an open binary file, not a {type(stream).__name__}; log_text takes text."
        )
    files = files_of(run_id)
    if getattr(stream, "seekable", bool)():
        files.write(artifact_file, stream)
        return
    with tempfile.TemporaryFile() as copy:  # what can be read once only must not be lost half way
        shutil.copyfileobj(stream, copy)
        copy.seek(0)
        files.write(artifact_file, copy)
