"""Where models are registered: the store of their runs, unless another one is chosen for the registry."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from dataclasses import replace
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mltrack_jupyter import config, inheritance
from mltrack_jupyter.store import normalise_uri
from mltrack_jupyter.tracking import session

if TYPE_CHECKING:
    from mltrack_jupyter.entities import ModelVersion
    from mltrack_jupyter.services import Services


def get_registry_uri() -> str:
    """Return where models are registered: set here, of the environment, or the tracking URI."""
    told = inheritance.inherited("registry")
    chosen = (
        session.default.registry_uri
        or (told and str(told["uri"]))
        or config.setting(*inheritance.REGISTRY_SETTINGS)
    )
    return normalise_uri(chosen) if chosen else session.get_tracking_uri()


def set_registry_uri(uri: str | os.PathLike[str] | None) -> None:
    """Choose the store in which models are registered, by a URI as that of :func:`set_tracking_uri`.

    Processes that are started from now on inherit the choice; ``None`` (or ``""``) takes it back: models
    are registered in the store of their runs. Raises ``InvalidParameter`` for a URI that cannot be right.
    """
    full = normalise_uri(uri) if uri else None
    session.default.registry_uri = full
    if full is None:
        inheritance.take_back("registry")
    else:
        inheritance.hand_down("registry", {"uri": full})


def is_apart() -> bool:
    """Tell whether models are registered in another store than runs are logged to."""
    return get_registry_uri() != session.get_tracking_uri()


def registry_services() -> Services:
    """Return the services of the store in which models are registered."""
    return session.services(get_registry_uri())


def services_of(model_uri: str | os.PathLike[str]) -> Services:
    """Return the services that know the model at a URI: the registry's for a registered model."""
    from mltrack_jupyter.registry import is_registered

    return registry_services() if is_registered(model_uri) else session.services()


def with_registry(services: Services, uri: str | os.PathLike[str] | None = None) -> Services:
    """Return services that ask for registered models where those are, by default at the registry URI."""
    full = normalise_uri(uri) if uri else get_registry_uri()
    if full == services.uri:
        return services
    found = session.services(full)
    return replace(
        services, registered_models=found.registered_models, model_versions=found.model_versions
    )


def register(model_uri: str | os.PathLike[str], name: str, **options: Any) -> ModelVersion:
    """Make the model at a URI a version in the registry; see :func:`mltrack_jupyter.register_model`.

    Where that is another store, the files are copied into it: a version does not end with a run elsewhere.
    """
    from mltrack_jupyter import registry

    services = services_of(model_uri)
    if not is_apart() or registry.is_registered(model_uri):
        return registry.register_model(services, model_uri, name, **options)
    with _private() as folder:
        local = registry.download_model(model_uri, services, folder)
        return registry.register_model(registry_services(), local, name, **options)


def _private() -> AbstractContextManager[str]:
    return TemporaryDirectory(prefix="mltrack-model-")
