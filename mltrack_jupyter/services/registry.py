"""Registered models and their versions: MLflow's model registry, stages and aliases included."""

from __future__ import annotations

from typing import Protocol

from mltrack_jupyter.entities import ModelVersion, Page, RegisteredModel, Tag
from mltrack_jupyter.services.operation import Download, operation

_MODELS = "/api/2.0/mlflow/registered-models"
_VERSIONS = "/api/2.0/mlflow/model-versions"


class RegisteredModels(Protocol):
    """Unique names with versions, tags and aliases."""

    @operation("POST", f"{_MODELS}/create", answer="registered_model", idempotent=False)
    def create(
        self, name: str, tags: list[Tag] | None = None, description: str = ""
    ) -> RegisteredModel:
        """Create a registered model. Raises ``AlreadyExists`` if the name is taken."""
        ...

    @operation("POST", f"{_MODELS}/rename", answer="registered_model", idempotent=False)
    def rename(self, name: str, new_name: str) -> RegisteredModel:
        """Give a registered model another name; versions, tags and aliases stay."""
        ...

    @operation("PATCH", f"{_MODELS}/update", answer="registered_model")
    def update(self, name: str, description: str = "") -> RegisteredModel:
        """Set the description."""
        ...

    @operation("DELETE", f"{_MODELS}/delete", idempotent=False)
    def delete(self, name: str) -> None:
        """Delete a registered model with its versions, tags and aliases."""
        ...

    @operation("GET", f"{_MODELS}/get", answer="registered_model")
    def get(self, name: str) -> RegisteredModel:
        """Return a registered model. Raises ``NotFound``."""
        ...

    @operation("GET", f"{_MODELS}/search", also=("POST",), answer="registered_models")
    def search(
        self,
        filter: str = "",
        max_results: int = 100,
        order_by: list[str] | None = None,
        page_token: str = "",
    ) -> Page[RegisteredModel]:
        """Return registered models that match a filter, by name; at most 1,000 a page."""
        ...

    @operation(
        "POST",
        f"{_MODELS}/get-latest-versions",
        also=("GET",),
        answer="model_versions",
        safe=True,
    )
    def get_latest_versions(self, name: str, stages: list[str] | None = None) -> list[ModelVersion]:
        """Return the newest version of each of the stages (of all four without ``stages``)."""
        ...

    @operation("POST", f"{_MODELS}/set-tag")
    def set_tag(self, name: str, key: str, value: str = "") -> None:
        """Set a tag."""
        ...

    @operation("DELETE", f"{_MODELS}/delete-tag")
    def delete_tag(self, name: str, key: str) -> None:
        """Remove a tag; one that is absent is no error."""
        ...

    @operation("POST", f"{_MODELS}/alias")
    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Point an alias at a version, away from where it pointed before."""
        ...

    @operation("GET", f"{_MODELS}/alias", answer="model_version")
    def get_by_alias(self, name: str, alias: str) -> ModelVersion:
        """Return the version that an alias points at.

        Raises ``NotFound`` for an unknown model, ``InvalidParameter`` for an unknown alias.
        """
        ...

    @operation("DELETE", f"{_MODELS}/alias")
    def delete_alias(self, name: str, alias: str) -> None:
        """Remove an alias; one that is absent is no error."""
        ...

    @operation(
        "POST", "/api/1/registered-models/register", answer="model_version", idempotent=False
    )
    def register(
        self,
        name: str,
        run_id: str,
        artifact_path: str = "",
        alias: str = "",
        stage: str = "",
        description: str = "",
        model_id: str = "",
    ) -> ModelVersion:
        """Register a model of a run as the next version of ``name``, creating the name if needed.

        It is the logged model ``model_id``, else the newest one at ``artifact_path``, else what is at that path.
        The version is made of it for ever, whatever is logged to the path afterwards. Everything happens or nothing does. Raises ``InvalidParameter`` if the run has no model.
        """
        ...


class ModelVersions(Protocol):
    """Versions of registered models; numbers are never used twice while the model lives."""

    @operation("POST", f"{_VERSIONS}/create", answer="model_version", idempotent=False)
    def create(
        self,
        name: str,
        source: str,
        run_id: str = "",
        tags: list[Tag] | None = None,
        run_link: str = "",
        description: str = "",
        model_id: str = "",
    ) -> ModelVersion:
        """Create the next version of a registered model from a source URI."""
        ...

    @operation("PATCH", f"{_VERSIONS}/update", answer="model_version")
    def update(self, name: str, version: str, description: str = "") -> ModelVersion:
        """Set the description."""
        ...

    @operation("POST", f"{_VERSIONS}/transition-stage", answer="model_version")
    def transition_stage(
        self, name: str, version: str, stage: str, archive_existing_versions: bool = False
    ) -> ModelVersion:
        """Move a version to a stage, and the others of that stage to Archived if asked to."""
        ...

    @operation("DELETE", f"{_VERSIONS}/delete", idempotent=False)
    def delete(self, name: str, version: str) -> None:
        """Delete a version and the aliases that point at it."""
        ...

    @operation("GET", f"{_VERSIONS}/get", answer="model_version")
    def get(self, name: str, version: str) -> ModelVersion:
        """Return a version. Raises ``NotFound``."""
        ...

    @operation("GET", f"{_VERSIONS}/search", answer="model_versions")
    def search(
        self,
        filter: str = "",
        max_results: int = 200_000,
        order_by: list[str] | None = None,
        page_token: str = "",
    ) -> Page[ModelVersion]:
        """Return versions that match a filter, the last changed first."""
        ...

    @operation("GET", f"{_VERSIONS}/get-download-uri", answer="artifact_uri")
    def get_download_uri(self, name: str, version: str) -> str:
        """Return the artifact URI where the files of a version are."""
        ...

    @operation("GET", "/model-versions/get-artifact")
    def read_artifact(self, name: str, version: str, path: str) -> Download:
        """Open one file of a version. Raises ``NotFound``, and ``InvalidParameter`` for a directory."""
        ...

    @operation("POST", f"{_VERSIONS}/set-tag")
    def set_tag(self, name: str, version: str, key: str, value: str = "") -> None:
        """Set a tag."""
        ...

    @operation("DELETE", f"{_VERSIONS}/delete-tag")
    def delete_tag(self, name: str, version: str, key: str) -> None:
        """Remove a tag; one that is absent is no error."""
        ...
