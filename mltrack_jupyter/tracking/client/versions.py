"""Calls about versions of registered models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mltrack_jupyter.entities import STAGES, ModelVersion, PagedList
from mltrack_jupyter.errors import InvalidParameter, NotFound
from mltrack_jupyter.store import rules
from mltrack_jupyter.tracking.client.base import Calls, pairs


class VersionCalls(Calls):
    """Versions of registered models, by name and number."""

    def create_model_version(
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: Mapping[str, Any] | None = None,
        run_link: str | None = None,
        description: str | None = None,
        await_creation_for: int | None = None,
        model_id: str | None = None,
    ) -> ModelVersion:
        """Create the next version from a source URI; it is ready at once, without any waiting."""
        return self.services.model_versions.create(
            name,
            source,
            run_id=run_id or "",
            tags=pairs(tags),
            run_link=run_link or "",
            description=description or "",
            model_id=model_id or "",
        ).for_reading()

    def copy_model_version(self, src_model_uri: str, dst_name: str) -> ModelVersion:
        """Make ``models:/<name>/<version>`` the next version of another registered model.

        The copy has its tags and its description.
        """
        # Models bring yaml; whoever logs metrics by a client shall not wait for it.
        from mltrack_jupyter.registry import find_version, register_model
        from mltrack_jupyter.registry.uris import AliasOf, Latest, Stage, Version, parse_model_uri

        uri = parse_model_uri(src_model_uri)
        if not isinstance(uri, Version | Stage | AliasOf | Latest):
            raise InvalidParameter(
                f"copy_model_version takes models:/<name>/<version> or models:/<name>@<alias>, not "
                f"{src_model_uri!r}."
            )
        source = find_version(uri, self.services)
        return register_model(
            self.services, str(uri), dst_name, tags=source.tags, description=source.description
        ).for_reading()

    def get_model_version(self, name: str, version: str | int) -> ModelVersion:
        """Return a version."""
        number = rules.id_text(version, "version")
        return self.services.model_versions.get(name, number).for_reading()

    def get_model_version_download_uri(self, name: str, version: str | int) -> str:
        """Return the artifact URI where the files of a version are."""
        return self.services.model_versions.get_download_uri(
            name, rules.id_text(version, "version")
        )

    def get_model_version_stages(self, name: str, version: str | int) -> list[str]:
        """Return the stages that there are."""
        return list(STAGES)

    def search_model_versions(
        self,
        filter_string: str | None = None,
        max_results: int = 10_000,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[ModelVersion]:
        """Return a page of the versions that match a filter, the last changed first."""
        page = self.services.model_versions.search(
            filter_string or "", max_results, order_by, page_token or ""
        )
        return PagedList([item.for_reading() for item in page], page.next_page_token)

    def update_model_version(
        self, name: str, version: str | int, description: str | None = None
    ) -> ModelVersion:
        """Set the description."""
        number = rules.id_text(version, "version")
        return self.services.model_versions.update(name, number, description or "").for_reading()

    def transition_model_version_stage(
        self, name: str, version: str | int, stage: str, archive_existing_versions: bool = False
    ) -> ModelVersion:
        """Move a version to a stage, and the others of that stage to Archived if asked to."""
        return self.services.model_versions.transition_stage(
            name, rules.id_text(version, "version"), stage, archive_existing_versions
        ).for_reading()

    def delete_model_version(self, name: str, version: str | int) -> None:
        """Delete a version and the aliases that point at it."""
        self.services.model_versions.delete(name, rules.id_text(version, "version"))

    def set_model_version_tag(
        self,
        name: str,
        version: str | int | None = None,
        key: str | None = None,
        value: Any = None,
        stage: str | None = None,
    ) -> None:
        """Set a tag of a version, or of the newest one in a stage."""
        number, name_of_tag = self._one(name, version, stage, key)
        self.services.model_versions.set_tag(name, number, name_of_tag, str(value))

    def delete_model_version_tag(
        self,
        name: str,
        version: str | int | None = None,
        key: str | None = None,
        stage: str | None = None,
    ) -> None:
        """Remove a tag of a version, or of the newest one in a stage."""
        number, name_of_tag = self._one(name, version, stage, key)
        self.services.model_versions.delete_tag(name, number, name_of_tag)

    def _one(
        self, name: str, version: str | int | None, stage: str | None, key: str | None
    ) -> tuple[str, str]:
        if key is None or (version is None) == (stage is None):
            raise InvalidParameter("Give either version or stage, and the key of the tag.")
        if version is not None:
            return rules.id_text(version, "version"), key
        found = self.services.registered_models.get_latest_versions(name, [str(stage)])
        if not found:
            raise NotFound(f"The model {name!r} has no version in the stage {stage!r}.")
        return found[0].version, key
