"""What the parts of the client share: the services they ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mltrack_jupyter.entities import RunStatus, Tag
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.left_out import lacking
from mltrack_jupyter.services import Services
from mltrack_jupyter.store import normalise_uri
from mltrack_jupyter.tracking import session
from mltrack_jupyter.tracking.artifacts import PathLike
from mltrack_jupyter.tracking.registry_store import get_registry_uri, with_registry

_VERBS = [
    "start_run",
    "end_run",
    "log_params",
    "log_metrics",
    "set_tags",
    "log_model",
    "load_model",
    "register_model",
    "set_experiment",
    "autolog",
]
_BY_IDS = (
    "mltrack itself has this verb, for the active run; a client does by ids what create_run, log_batch, set_tag, "
    "log_artifacts and create_model_version are for."
)


class Calls:
    """A part of the client: the calls that belong to one noun."""

    def __init__(
        self, tracking_uri: PathLike | None = None, registry_uri: PathLike | None = None
    ) -> None:
        tracking = session.services(tracking_uri)
        # Whoever names the one store alone means it for both.
        registry = registry_uri or (tracking_uri and tracking.uri)
        self._registry_uri = normalise_uri(registry) if registry else get_registry_uri()
        self.services: Services = with_registry(tracking, self._registry_uri)

    def __reduce__(self) -> tuple[type[Calls], tuple[str, str]]:
        # Connections stay where they are; the copy opens its own, in whatever process, to the same two stores.
        return type(self), (self.services.uri, self._registry_uri)

    if not TYPE_CHECKING:  # to a type checker, what is not there is not there

        def __getattr__(self, name: str) -> Any:
            because = f": {_BY_IDS}" if name in _VERBS else lacking(name, dir(type(self)))
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r}{because}"
            )

    @property
    def tracking_uri(self) -> str:
        """Where the store is."""
        return self.services.uri


def parse_status(text: str) -> RunStatus:
    """Return a status by its name. Raises ``InvalidParameter``."""
    if text not in RunStatus.__members__:
        raise InvalidParameter(
            f"{text!r} is no status of a run; right are {', '.join(RunStatus.__members__)}."
        )
    return RunStatus(text)


def pairs(tags: Mapping[str, Any] | None) -> list[Tag]:
    """Return a mapping as tags; values become text."""
    return [Tag(key, str(value)) for key, value in (tags or {}).items()]
