"""Logged models: MLflow 3's records of models, each with files of its own, made by runs."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import BinaryIO, Protocol

from mltrack_jupyter.entities import (
    FileList,
    LoggedModel,
    LoggedModelStatus,
    MadeModel,
    ModelDataset,
    ModelOrder,
    ModelRecord,
    Page,
    Param,
    RunInfo,
    Tag,
)
from mltrack_jupyter.services.operation import Download, operation

_LOGGED_MODELS = "/api/2.0/mlflow/logged-models"
BringFiles = Callable[[Callable[[str, BinaryIO], None]], object]
"""Hands files over to what writes one at a path."""


class AddModel(Protocol):
    """Takes over a model of a run with all its files, in one transaction."""

    def __call__(
        self, run: RunInfo, made: MadeModel, metrics: Collection[str] | None, bring: BringFiles
    ) -> LoggedModel:
        """Return the model, which is ready, without its metrics.

        It has the params of its run, and the latest points of all its metrics, or of some of them. Raises
        ``NotFound`` and ``InvalidParameter``; then nothing of it stays.
        """
        ...


class LoggedModels(Protocol):
    """Models with an id of their own (MLflow 3)."""

    @operation("POST", _LOGGED_MODELS, answer="model", idempotent=False)
    def create(
        self,
        experiment_id: str,
        name: str = "",
        model_type: str = "",
        source_run_id: str = "",
        params: list[Param] | None = None,
        tags: list[Tag] | None = None,
        artifact_path: str = "",
    ) -> LoggedModel:
        """Create a logged model, pending until it is finalized.

        Its files have a folder of their own. ``artifact_path`` says under which path of ``source_run_id`` it is
        found as well; of several models at one path the newest is meant.
        """
        ...

    @operation("POST", "/api/1/logged-models/note")
    def note(self, run_id: str, model: ModelRecord) -> None:
        """Note a model on the run that made it, as the newest: in tags that nobody sets in another way.

        What is noted says where a model is and describes it. It is no reason to trust it.
        """
        ...

    @operation("GET", f"{_LOGGED_MODELS}/{{model_id}}", answer="model")
    def get(self, model_id: str) -> LoggedModel:
        """Return a logged model. Raises ``NotFound``."""
        ...

    @operation("PATCH", f"{_LOGGED_MODELS}/{{model_id}}", answer="model", repeats=True)
    def finalize(self, model_id: str, status: LoggedModelStatus) -> LoggedModel:
        """Say that the model's files are all there, or will never be.

        From then on the files of one that is ready stay as they are, and so does its status.
        """
        ...

    @operation("DELETE", f"{_LOGGED_MODELS}/{{model_id}}")
    def delete(self, model_id: str) -> None:
        """Put a logged model into the trash."""
        ...

    @operation("POST", "/api/1/logged-models/restore")
    def restore(self, model_id: str) -> None:
        """Take a logged model out of the trash."""
        ...

    @operation("POST", f"{_LOGGED_MODELS}/search", answer="models", safe=True)
    def search(
        self,
        experiment_ids: list[str] | None = None,
        filter: str = "",
        max_results: int | None = None,
        page_token: str = "",
        order_by: list[ModelOrder] | None = None,
        datasets: list[ModelDataset] | None = None,
    ) -> Page[LoggedModel]:
        """Return logged models of some experiments that match a filter, newest first.

        ``datasets`` restricts the clauses on metrics to points on these datasets; without such clauses
        it restricts the models to those that have any point on them.
        """
        ...

    @operation("PATCH", f"{_LOGGED_MODELS}/{{model_id}}/tags")
    def set_tags(self, model_id: str, tags: list[Tag] | None = None) -> None:
        """Set tags of a logged model."""
        ...

    @operation("DELETE", f"{_LOGGED_MODELS}/{{model_id}}/tags/{{tag_key}}", idempotent=False)
    def delete_tag(self, model_id: str, tag_key: str) -> None:
        """Remove a tag. Raises ``NotFound`` if there is none of that key."""
        ...

    @operation("POST", f"{_LOGGED_MODELS}/{{model_id}}/params", repeats=True)
    def log_params(self, model_id: str, params: list[Param] | None = None) -> None:
        """Add params to a logged model; a key that exists already is refused."""
        ...

    @operation("GET", f"{_LOGGED_MODELS}/{{model_id}}/artifacts/directories")
    def list_artifacts(
        self, model_id: str, artifact_directory_path: str = "", page_token: str = ""
    ) -> FileList:
        """Return the children of a folder of the model's files; paths are relative to its root."""
        ...

    @operation("GET", f"{_LOGGED_MODELS}/{{model_id}}/artifacts/files")
    def read_artifact(self, model_id: str, artifact_file_path: str) -> Download:
        """Open one file of a logged model. Raises ``NotFound``, and ``InvalidParameter`` for a directory."""
        ...
