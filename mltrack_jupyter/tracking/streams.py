"""Bytes from an open file, such as a download, as an artifact."""

from __future__ import annotations

from typing import BinaryIO

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.tracking.artifacts import RunFiles
from mltrack_jupyter.tracking.logging import target_run


def log_stream(stream: BinaryIO, artifact_file: str, run_id: str | None = None) -> None:
    """Write what is read from an open binary file as a file of the active run."""
    if not hasattr(stream, "read"):
        raise InvalidParameter(
            f"log_stream takes an open binary file, not a {type(stream).__name__}; log_text takes text."
        )
    target, services = target_run(run_id)
    RunFiles(services, target).write(artifact_file, stream)
