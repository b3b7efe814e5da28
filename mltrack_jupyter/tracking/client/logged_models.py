"""Calls about logged models, and about what runs read and made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mltrack_jupyter.entities import (
    DatasetInput,
    FileInfo,
    LoggedModel,
    LoggedModelStatus,
    ModelInput,
    ModelOutput,
    PagedList,
    Param,
)
from mltrack_jupyter.plain import path_text
from mltrack_jupyter.tracking import logged_models
from mltrack_jupyter.tracking.artifacts import PathLike
from mltrack_jupyter.tracking.client.base import Calls, pairs


class LoggedModelCalls(Calls):
    """Logged models, by id."""

    def create_logged_model(
        self,
        experiment_id: str | int,
        name: str | None = None,
        source_run_id: str | None = None,
        tags: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        model_type: str | None = None,
    ) -> LoggedModel:
        """Create a logged model, pending until it is finalized."""
        return logged_models.create(
            self.services, experiment_id, name, source_run_id, tags, params, model_type
        )

    def finalize_logged_model(self, model_id: str, status: str | LoggedModelStatus) -> LoggedModel:
        """Say that a logged model is ``"READY"`` or that it ``"FAILED"``."""
        return self.services.logged_models.finalize(model_id, logged_models.to_status(status))

    def get_logged_model(self, model_id: str) -> LoggedModel:
        """Return a logged model."""
        return self.services.logged_models.get(model_id)

    def search_logged_models(
        self,
        experiment_ids: Sequence[str | int],
        filter_string: str | None = None,
        datasets: list[dict[str, Any]] | None = None,
        max_results: int | None = None,
        order_by: list[dict[str, Any]] | None = None,
        page_token: str | None = None,
    ) -> PagedList[LoggedModel]:
        """Return a page of the logged models that match a filter, newest first."""
        return logged_models.search(
            self.services,
            experiment_ids,
            filter_string,
            datasets,
            max_results,
            order_by,
            page_token,
        ).to_list()

    def delete_logged_model(self, model_id: str) -> None:
        """Hide a logged model."""
        self.services.logged_models.delete(model_id)

    def log_model_params(self, model_id: str, params: Mapping[str, Any]) -> None:
        """Add params to a logged model, each written once."""
        values = [Param(key, str(value)) for key, value in params.items()]
        self.services.logged_models.log_params(model_id, values)

    def set_logged_model_tags(self, model_id: str, tags: Mapping[str, Any]) -> None:
        """Set tags of a logged model."""
        self.services.logged_models.set_tags(model_id, pairs(tags))

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        """Remove a tag of a logged model. Raises ``NotFound`` if there is none."""
        self.services.logged_models.delete_tag(model_id, key)

    def list_logged_model_artifacts(
        self, model_id: str, path: PathLike | None = None
    ) -> list[FileInfo]:
        """Return the children of a folder of a logged model's files."""
        from mltrack_jupyter.store.artifacts import plain_path

        found = self.services.logged_models.list_artifacts(
            model_id, plain_path(path or "", empty=True)
        )
        return [item.for_reading() for item in found.files]

    def log_model_artifact(
        self, model_id: str, local_path: PathLike, artifact_path: PathLike | None = None
    ) -> None:
        """Copy a file or a directory to a logged model. Raises ``NotFound``."""
        source = Path(path_text(local_path))
        below = "/".join(
            filter(None, (path_text(artifact_path or ""), source.name if source.is_dir() else ""))
        )
        self._upload(model_id, source, below)

    def log_model_artifacts(
        self, model_id: str, local_dir: PathLike, artifact_path: PathLike | None = None
    ) -> None:
        """Copy what is in a directory to a logged model. Raises ``NotFound``."""
        self._upload(model_id, Path(path_text(local_dir)), path_text(artifact_path or ""))

    def _upload(self, model_id: str, source: Path, below: str) -> None:
        from mltrack_jupyter.registry.upload import upload_files  # brings yaml
        from mltrack_jupyter.store.artifacts import plain_path

        uri = self.services.logged_models.get(model_id).info.artifact_uri
        upload_files(self.services, uri, source, plain_path(below, empty=True))

    def log_inputs(
        self,
        run_id: str,
        datasets: Sequence[DatasetInput] | None = None,
        models: Sequence[ModelInput] | None = None,
    ) -> None:
        """Record what a run read."""
        self.services.runs.log_inputs(run_id, list(datasets or []), list(models or []))

    def log_outputs(self, run_id: str, models: Sequence[ModelOutput]) -> None:
        """Record the logged models that a run made."""
        self.services.runs.log_outputs(run_id, list(models))
