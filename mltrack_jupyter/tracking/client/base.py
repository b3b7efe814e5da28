"""What the parts of the client share: the services they ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mltrack_jupyter.entities import RunStatus, Tag
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.services import Services
from mltrack_jupyter.tracking import session
from mltrack_jupyter.tracking.artifacts import PathLike


class Calls:
    """A part of the client: the calls that belong to one noun."""

    def __init__(self, tracking_uri: PathLike | None = None) -> None:
        self.services: Services = session.services(tracking_uri)


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
