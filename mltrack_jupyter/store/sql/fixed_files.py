"""Files that stay as they are: those of logged models that are ready, and of versions of registered models."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, NamedTuple

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.plain import plain
from mltrack_jupyter.store.artifacts import Locations
from mltrack_jupyter.store.artifacts.streams import CHUNK, PassingReader
from mltrack_jupyter.store.sql import model_places
from mltrack_jupyter.store.sql.database import Database
from mltrack_jupyter.store.sql.model_places import Placed

_ABOUT = "MLmodel"
_OF_SIGNATURE = ("signature", "is_signature_from_type_hint", "type_hint_from_example")
"""Keys of that file which a new signature changes; all others stay as they are."""
_SOON = 0.02
"""For how many seconds it is taken to be as it was that a file may be written."""


class _Fixed(NamedTuple):
    """A place whose files stay as they are, why, and whether more files may be added to it."""

    place: str
    why: str
    takes_more: bool = False


class FixedFiles:
    """Knows which files of a store may not be written any more, nor deleted.

    Places are spelled as :meth:`Locations.name` does. ``has`` tells whether there is a file at a path of a
    location.
    """

    def __init__(
        self, database: Database, locations: Locations, has: Callable[[str, str], bool]
    ) -> None:
        self._database = database
        self._locations = locations
        self._has = has

    def check_written(self, place: str, is_there: Callable[[], bool]) -> None:
        """Refuse a file where one stays as it is. Raises ``InvalidParameter``.

        ``is_there`` tells whether there is a file already: a model takes further files until it is a version.
        """
        fixed, hiding = self._around(place)
        for item in fixed:
            if _is_within(place, item.place) and not (item.takes_more and not is_there()):
                raise _refusal(place, item.why)
        for model, path in hiding:
            if path and self._has(model.uri, path):
                raise _refusal(place, _why(model.model_id))

    def takes_signature(self, place: str) -> bool:
        """Tell whether a place is the file ``MLmodel`` of a ready model of which no version was made yet."""
        fixed, hiding = self._around(place)
        around = [item for item in fixed if _is_within(place, item.place)]
        return (
            not hiding
            and bool(around)
            and all(item.takes_more and place == f"{item.place}/{_ABOUT}" for item in around)
        )

    def check_deleted(self, place: str) -> None:
        """Refuse to delete what stays as it is, or holds such. Raises ``InvalidParameter``."""
        fixed, hiding = self._around(place)
        for item in fixed:
            if _is_within(place, item.place) or _is_within(item.place, place):
                raise _refusal(place, item.why)
        for model, path in hiding:
            if not path or self._has(model.uri, path):
                raise _refusal(place, _why(model.model_id))

    def _around(self, place: str) -> tuple[list[_Fixed], list[tuple[Placed, str]]]:
        """Return what is fixed around a place, and the models elsewhere whose files are seen there."""
        name = self._locations.name
        with self._database.read() as connection:
            if not model_places.may_be_fixed(connection, place):
                return [], []
            ready = model_places.ready_models(connection, place)
            versions = model_places.version_places(connection, place)
            around = model_places.models_around(connection, place)
        ready += [(item.model_id, item.uri) for item in around]
        fixed = [_Fixed(name(uri), _why(model_id), takes_more=True) for model_id, uri in ready]
        because = "it belongs to a version of a registered model"
        fixed += [_Fixed(name(uri), because) for uri in versions]
        hiding = []
        for item in around:
            seen = f"{name(item.root)}/{item.path}"
            if not item.deleted and name(item.uri) != seen and _is_within(place, seen):
                hiding.append((item, place.removeprefix(seen).lstrip("/")))
        return fixed, hiding


def _why(model_id: str) -> str:
    return f"it belongs to the logged model {model_id}, which is ready"


class WatchedReader(PassingReader):
    """A body at whose end it is checked once more whether it may be written, if that took its time."""

    def __init__(self, body: BinaryIO, check: Callable[[], None]) -> None:
        super().__init__(body)
        self._check = check
        self._begun = time.monotonic()

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        chunk = super().read(size)
        is_end = size != 0 and (size < 0 or not chunk)
        if is_end and time.monotonic() - self._begun > _SOON:
            self._check()
        return chunk


def same_digest(body: BinaryIO, present: BinaryIO) -> str:
    """Return the SHA-256 of a body that comes again if it is that of what is there already, else ``""``."""
    found = _digest(body)
    return found if found == _digest(present) else ""


def _digest(file: BinaryIO) -> str:
    found = hashlib.sha256()
    while chunk := file.read(CHUNK):
        found.update(chunk)
    return found.hexdigest()


def with_signature(body: BinaryIO, present: BinaryIO) -> bytes | None:
    """Return what a file ``MLmodel`` is to be if only its signature is new."""
    # Whoever writes other files needs no YAML.
    from mltrack_jupyter.store.yaml_text import MAX_BYTES, parse_mapping

    found, there = body.read(MAX_BYTES + 1), present.read(MAX_BYTES + 1)
    if found == there and len(found) <= MAX_BYTES:  # the same again, as after a lost answer
        return found
    try:
        new, old = (parse_mapping(text.decode(), f"The file {_ABOUT!r}") for text in (found, there))
    except (UnicodeDecodeError, InvalidParameter):
        return None
    return found if _without_signature(new) == _without_signature(old) else None


def _without_signature(content: Mapping[str, Any]) -> str:
    """Return the rest of the file, in which ``1``, ``1.0`` and ``true`` are not alike; null is as good as absent."""
    rest = {
        key: item for key, item in content.items() if key not in _OF_SIGNATURE and item is not None
    }
    return json.dumps(plain(rest, repr), sort_keys=True)


def _is_within(place: str, folder: str) -> bool:
    return place == folder or place.startswith(f"{folder}/")


def _refusal(place: str, why: str) -> InvalidParameter:
    return InvalidParameter(
        f"The file {place.rpartition(':')[2].lstrip('/')!r} stays as it is: {why}. Log another model, which "
        "has files of its own, instead of changing this one."
    )
