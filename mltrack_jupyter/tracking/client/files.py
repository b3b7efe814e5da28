"""Calls about the artifacts of runs."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, BinaryIO

from mltrack_jupyter.entities import FileInfo
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store import rules
from mltrack_jupyter.tracking.artifacts import PathLike, RunFiles
from mltrack_jupyter.tracking.client.base import Calls
from mltrack_jupyter.tracking.contents import dict_text
from mltrack_jupyter.tracking.figures import figure_bytes
from mltrack_jupyter.tracking.images import LOGGED as LOGGED_IMAGES
from mltrack_jupyter.tracking.images import write_image
from mltrack_jupyter.tracking.tables import LOGGED as LOGGED_TABLES
from mltrack_jupyter.tracking.tables import read_tables, write_table

if TYPE_CHECKING:
    import pandas as pd


class FileCalls(Calls):
    """Files of runs, by the id of the run and their path in it."""

    def log_artifact(
        self, run_id: str, local_path: PathLike, artifact_path: PathLike | None = None
    ) -> None:
        """Copy a file or a directory to a run. Raises ``NotFound``."""
        self._files(run_id).add(local_path, artifact_path or "")

    def log_artifacts(
        self, run_id: str, local_dir: PathLike, artifact_path: PathLike | None = None
    ) -> None:
        """Copy what is in a directory to a run. Raises ``NotFound``."""
        self._files(run_id).add_content(local_dir, artifact_path or "")

    def log_text(self, run_id: str, text: str, artifact_file: PathLike) -> None:
        """Write text as a file."""
        self._files(run_id).write_text(artifact_file, text)

    def log_dict(self, run_id: str, dictionary: Any, artifact_file: PathLike) -> None:
        """Write a dict or list as JSON, or as YAML where the name ends so."""
        self.log_text(run_id, dict_text(dictionary, artifact_file), artifact_file)

    def log_figure(
        self,
        run_id: str,
        figure: Any,
        artifact_file: PathLike,
        *,
        save_kwargs: dict[str, Any] | None = None,
    ) -> None:
        """Write a matplotlib or plotly figure."""
        data = figure_bytes(figure, artifact_file, save_kwargs)
        self._files(run_id).write(artifact_file, io.BytesIO(data))

    def log_stream(self, run_id: str, stream: BinaryIO, artifact_file: PathLike) -> None:
        """Write what is read from an open binary file."""
        self._files(run_id).write(artifact_file, stream)

    def log_image(
        self,
        run_id: str,
        image: Any,
        artifact_file: PathLike | None = None,
        key: str | None = None,
        step: int | None = None,
        timestamp: int | None = None,
        synchronous: bool | None = None,
    ) -> None:
        """Write an image as a file, or as one of the series ``key``."""
        if artifact_file is not None and (key, step, timestamp) != (None, None, None):
            raise InvalidParameter("Give either artifact_file, or key with step and timestamp.")
        series = None if artifact_file is not None else (key, step, timestamp)
        write_image(self._files(run_id), image, artifact_file or "", series)
        if series:
            self.services.runs.set_tag(run_id, LOGGED_IMAGES, "True")

    def log_table(self, run_id: str, data: Any, artifact_file: PathLike) -> None:
        """Write a table, or append it to the one that is there."""
        entry = write_table(self.services, run_id, data, artifact_file)
        if entry:
            self.services.runs.set_tag(run_id, LOGGED_TABLES, entry)

    def load_table(
        self,
        experiment_id: str | int,
        artifact_file: PathLike,
        run_ids: list[str] | None = None,
        extra_columns: list[str] | None = None,
    ) -> pd.DataFrame:
        """Return a table of the runs of an experiment, one below the other."""
        number = rules.id_text(experiment_id, "experiment_id")
        return read_tables(self.services, [number], artifact_file, run_ids, extra_columns)

    def list_artifacts(self, run_id: str, path: PathLike | None = None) -> list[FileInfo]:
        """Return the children of a directory; paths are relative to the run's root."""
        return self._files(run_id).list(path or "")

    def download_artifacts(
        self, run_id: str, path: PathLike = "", dst_path: PathLike | None = None
    ) -> str:
        """Copy a file or a directory into a local folder and return its path there."""
        return self._files(run_id).fetch(path, dst_path)

    def _files(self, run_id: str) -> RunFiles:
        return RunFiles.of(self.services, run_id)
