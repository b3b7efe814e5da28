"""Finding a version of a registered model; what is not there is answered with what is."""

from __future__ import annotations

from mltrack_jupyter.entities import ModelVersion, RegisteredModel
from mltrack_jupyter.errors import InvalidParameter, NotFound
from mltrack_jupyter.registry.uris import AliasOf, Latest, Registered, Stage, Version
from mltrack_jupyter.services import Services

_SHOWN = 10


def find_version(uri: Registered, services: Services) -> ModelVersion:
    """Return the version that a URI names.

    Raises
    ------
    NotFound
        No such model or version, or none in that stage; the message says what there is.
    InvalidParameter
        No such alias.
    """
    match uri:
        case AliasOf():
            return _by_alias(uri, services)
        case Version():
            return _by_number(uri, services)
        case Stage():
            found = [
                item
                for item in _latest(uri.name, services)
                if item.current_stage.lower() == uri.stage.lower()
            ]
        case Latest():
            found = _latest(uri.name, services)
    if not found:
        where = f" in the stage {uri.stage}" if isinstance(uri, Stage) else ""
        raise NotFound(
            f"Registered model '{uri.name}' has no version{where}; {_versions(uri.name, services)}."
        )
    return max(found, key=lambda item: int(item.version))


def _model(name: str, services: Services) -> RegisteredModel:
    try:
        return services.registered_models.get(name)
    except NotFound as error:
        page = services.registered_models.search(max_results=_SHOWN)
        names = ", ".join(model.name for model in page) or "none yet"
        more = ", …" if page.next_page_token else ""
        raise NotFound(
            f"There is no registered model '{name}'; registered are: {names}{more}."
        ) from error


def _latest(name: str, services: Services) -> list[ModelVersion]:
    try:
        return services.registered_models.get_latest_versions(name)
    except NotFound:
        _model(name, services)
        raise


def _versions(name: str, services: Services) -> str:
    latest = services.registered_models.get_latest_versions(name)
    shown = ", ".join(f"{item.version} ({item.current_stage})" for item in latest)
    return f"the newest of each stage are: {shown}" if shown else "it has no versions at all"


def _by_alias(uri: AliasOf, services: Services) -> ModelVersion:
    try:
        return services.registered_models.get_by_alias(uri.name, uri.alias)
    except (InvalidParameter, NotFound) as error:
        known = ", ".join(sorted(_model(uri.name, services).aliases)) or "none"
        raise InvalidParameter(
            f"Registered model '{uri.name}' has no alias '{uri.alias}'; its aliases: {known}."
        ) from error


def _by_number(uri: Version, services: Services) -> ModelVersion:
    try:
        return services.model_versions.get(uri.name, uri.version)
    except NotFound as error:
        _model(uri.name, services)
        raise NotFound(
            f"Registered model '{uri.name}' has no version {uri.version}; "
            f"{_versions(uri.name, services)}."
        ) from error
