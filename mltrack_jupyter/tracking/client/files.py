"""Calls about the artifacts of runs."""

from __future__ import annotations

import io
from typing import Any

from mltrack_jupyter.entities import FileInfo
from mltrack_jupyter.tracking.artifacts import PathLike, RunFiles, dict_text, figure_bytes
from mltrack_jupyter.tracking.client.base import Calls


class FileCalls(Calls):
    """Files of runs, by the id of the run and their path in it."""

    def log_artifact(
        self, run_id: str, local_path: PathLike, artifact_path: str | None = None
    ) -> None:
        """Copy a file or a directory to a run. Raises ``NotFound``."""
        self._files(run_id).add(local_path, artifact_path or "")

    def log_artifacts(
        self, run_id: str, local_dir: PathLike, artifact_path: str | None = None
    ) -> None:
        """Copy what is in a directory to a run. Raises ``NotFound``."""
        self._files(run_id).add_content(local_dir, artifact_path or "")

    def log_text(self, run_id: str, text: str, artifact_file: str) -> None:
        """Write text as a file."""
        self._files(run_id).write_text(artifact_file, text)

    def log_dict(self, run_id: str, dictionary: Any, artifact_file: str) -> None:
        """Write a dict or list as JSON, or as YAML where the name ends so."""
        self.log_text(run_id, dict_text(dictionary, artifact_file), artifact_file)

    def log_figure(self, run_id: str, figure: Any, artifact_file: str) -> None:
        """Write a matplotlib or plotly figure."""
        data = figure_bytes(figure, artifact_file, {})
        self._files(run_id).write(artifact_file, io.BytesIO(data))

    def list_artifacts(self, run_id: str, path: str | None = None) -> list[FileInfo]:
        """Return the children of a directory; paths are relative to the run's root."""
        return self._files(run_id).list(path or "")

    def download_artifacts(
        self, run_id: str, path: str = "", dst_path: PathLike | None = None
    ) -> str:
        """Copy a file or a directory into a local folder and return its path there."""
        return self._files(run_id).fetch(path, dst_path)

    def _files(self, run_id: str) -> RunFiles:
        return RunFiles(self.services, run_id)
