"""The registry in MLflow's verbs: registered models and versions that match a filter, tags, aliases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from mltrack_jupyter.entities import ModelVersion, Page, RegisteredModel
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store import rules
from mltrack_jupyter.tracking.registry_store import registry_services

T = TypeVar("T", ModelVersion, RegisteredModel)
_PAGE = 1000


def search_registered_models(
    max_results: int | None = None,
    filter_string: str | None = None,
    order_by: list[str] | None = None,
) -> list[RegisteredModel]:
    """Return the registered models that match a filter, by name."""
    models = registry_services().registered_models
    return _all(
        lambda size, token: models.search(filter_string or "", size, order_by, token), max_results
    )


def search_model_versions(
    max_results: int | None = None,
    filter_string: str | None = None,
    order_by: list[str] | None = None,
) -> list[ModelVersion]:
    """Return the versions of registered models that match a filter, the last changed first."""
    versions = registry_services().model_versions
    return _all(
        lambda size, token: versions.search(filter_string or "", size, order_by, token), max_results
    )


def _all(ask: Callable[[int, str], Page[T]], limit: int | None) -> list[T]:
    if limit is not None and limit < 1:
        raise InvalidParameter(f"max_results must be at least 1, not {limit}.")
    found: list[T] = []
    token = ""
    while True:
        page = ask(min(_PAGE, (limit or 10**9) - len(found)), token)
        found += [item.for_reading() for item in page]
        token = page.next_page_token
        if not token or (limit and len(found) >= limit):
            return found


def set_model_version_tag(
    name: str, version: str | int | None = None, key: str | None = None, value: Any = None
) -> None:
    """Set a tag of a version of a registered model. Raises ``NotFound``."""
    if version is None or key is None:
        raise InvalidParameter("Give the version and the key of the tag.")
    registry_services().model_versions.set_tag(
        name, rules.id_text(version, "version"), key, str(value)
    )
