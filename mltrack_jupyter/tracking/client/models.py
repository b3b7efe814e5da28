"""Calls about registered models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mltrack_jupyter.entities import ModelVersion, PagedList, RegisteredModel
from mltrack_jupyter.store import rules
from mltrack_jupyter.tracking.client.base import Calls, pairs


class ModelCalls(Calls):
    """Registered models, by name."""

    def create_registered_model(
        self, name: str, tags: Mapping[str, Any] | None = None, description: str | None = None
    ) -> RegisteredModel:
        """Create a registered model. Raises ``AlreadyExists``."""
        return self.services.registered_models.create(
            name, pairs(tags), description or ""
        ).for_reading()

    def get_registered_model(self, name: str) -> RegisteredModel:
        """Return a registered model."""
        return self.services.registered_models.get(name).for_reading()

    def search_registered_models(
        self,
        filter_string: str | None = None,
        max_results: int = 100,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[RegisteredModel]:
        """Return a page of the registered models that match a filter, by name."""
        page = self.services.registered_models.search(
            filter_string or "", max_results, order_by, page_token or ""
        )
        return PagedList([item.for_reading() for item in page], page.next_page_token)

    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        """Give a registered model another name; versions, tags and aliases stay."""
        return self.services.registered_models.rename(name, new_name).for_reading()

    def update_registered_model(self, name: str, description: str | None = None) -> RegisteredModel:
        """Set the description."""
        return self.services.registered_models.update(name, description or "").for_reading()

    def delete_registered_model(self, name: str) -> None:
        """Delete a registered model with its versions."""
        self.services.registered_models.delete(name)

    def get_latest_versions(self, name: str, stages: list[str] | None = None) -> list[ModelVersion]:
        """Return the newest version of each stage."""
        found = self.services.registered_models.get_latest_versions(name, stages)
        return [item.for_reading() for item in found]

    def set_registered_model_tag(self, name: str, key: str, value: Any) -> None:
        """Set a tag."""
        self.services.registered_models.set_tag(name, key, str(value))

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Remove a tag."""
        self.services.registered_models.delete_tag(name, key)

    def set_registered_model_alias(self, name: str, alias: str, version: str | int) -> None:
        """Point an alias at a version."""
        self.services.registered_models.set_alias(name, alias, rules.id_text(version, "version"))

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        """Remove an alias."""
        self.services.registered_models.delete_alias(name, alias)

    def get_model_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """Return the version that an alias points at. Raises ``InvalidParameter`` if there is none."""
        return self.services.registered_models.get_by_alias(name, alias).for_reading()
