"""Registered models: a unique name with versions 1, 2, …, stages and aliases."""

from __future__ import annotations

from msgspec.structs import replace

from mltrack_jupyter.entities.base import Entity, Tag, Word, as_dict, text, without_blanks
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.shown import one_line

STAGES = ("None", "Staging", "Production", "Archived")
"""The stages of a model version, spelled as MLflow answers them."""


def canonical_stage(text: str) -> str:
    """Return a stage as MLflow spells it. Raises ``InvalidParameter`` if there is no such stage."""
    for stage in STAGES:
        if stage.lower() == str(text).lower():
            return stage
    raise InvalidParameter(
        f"Invalid value {one_line(repr(text))[:80]} for parameter 'stage' supplied: stages are "
        f"{', '.join(STAGES)}."
    )


class ModelVersionStatus(Word):
    """Where a version stands; here each is ready at once."""

    PENDING_REGISTRATION = "PENDING_REGISTRATION"
    FAILED_REGISTRATION = "FAILED_REGISTRATION"
    READY = "READY"

    @classmethod
    def all_status(cls) -> list[ModelVersionStatus]:
        """Return all of them."""
        return list(cls)


class Alias(Entity, frozen=True, kw_only=True):
    """A name that points at one version of a registered model."""

    alias: str
    version: str


class ModelVersion(Entity, frozen=True, kw_only=True, rename={"tag_list": "tags"}):
    """One version of a registered model; ``version`` is a decimal string from ``"1"``."""

    name: str
    version: str
    creation_timestamp: int = 0
    last_updated_timestamp: int = 0
    user_id: str = text()
    current_stage: str = text()
    description: str = text()
    source: str = text()
    run_id: str = text()
    status: str = "READY"
    status_message: str = ""
    tag_list: list[Tag] = []
    run_link: str = text()
    aliases: list[str] = []
    model_id: str = ""

    def for_reading(self) -> ModelVersion:
        """Return the version with ``None`` for what is not known of it, as MLflow's client does."""
        return without_blanks(
            self, "user_id", "description", "run_id", "run_link", "status_message", "model_id"
        )

    @property
    def tags(self) -> dict[str, str]:
        """Tags as a dict."""
        return as_dict(self.tag_list)


class RegisteredModel(
    Entity, frozen=True, kw_only=True, rename={"tag_list": "tags", "alias_list": "aliases"}
):
    """A unique name, its newest version of each stage, and its aliases."""

    name: str
    creation_timestamp: int = 0
    last_updated_timestamp: int = 0
    user_id: str = ""
    description: str = ""
    latest_versions: list[ModelVersion] = []
    tag_list: list[Tag] = []
    alias_list: list[Alias] = []

    def for_reading(self) -> RegisteredModel:
        """Return the model with ``None`` for what is not known of it, as MLflow's client does."""
        latest = [version.for_reading() for version in self.latest_versions]
        return without_blanks(replace(self, latest_versions=latest), "user_id", "description")

    @property
    def tags(self) -> dict[str, str]:
        """Tags as a dict."""
        return as_dict(self.tag_list)

    @property
    def aliases(self) -> dict[str, str]:
        """Alias to version."""
        return {item.alias: item.version for item in self.alias_list}
