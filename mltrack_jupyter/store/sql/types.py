"""Types of columns that mean the same in every database."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Dialect, Double, String, Text, TypeDecorator
from sqlalchemy.types import TypeEngine

from mltrack_jupyter.services.operation import over_wire
from mltrack_jupyter.store.artifacts import PROXY

# Texts are compared and ordered by their characters, as SQLite does, not as a language sorts them. MySQL's
# tables get such an order from their database, see schema.py.
_BY_CHARACTERS = "C"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LARGEST = sys.float_info.max


def string(length: int) -> TypeEngine[str]:
    """Return the type of a short text, which can be a key."""
    return String(length).with_variant(String(length, collation=_BY_CHARACTERS), "postgresql")


# MySQL makes the smallest type that holds so much: LONGTEXT. Its TEXT ends at 64 kB.
LONG: TypeEngine[str] = (
    Text()
    .with_variant(Text(collation=_BY_CHARACTERS), "postgresql")
    .with_variant(Text(2**32 - 1), "mysql")
)


_folders: WeakKeyDictionary[Dialect, Path] = WeakKeyDictionary()
_tops: WeakKeyDictionary[Dialect, str] = WeakKeyDictionary()
_FILE = "file:"
_OWN = f"{PROXY}:/"


def moves_with(dialect: Dialect, folder: Path) -> None:
    """Let the places in a database that are below a folder be written relative to it.

    Above the database they are absolute always; so they are right still when the folder was moved.
    """
    _folders[dialect] = folder


def opens_at(dialect: Dialect, top: str) -> None:
    """Let those who use a database in their own process be told, and name, its own places as places below ``top``.

    In it they are ``mlflow-artifacts:`` URIs always.
    """
    _tops[dialect] = top


def teller(connection: Connection) -> Callable[[str], str]:
    """Return what makes of a place as it is kept the one that a caller is told."""
    top = _tops.get(connection.dialect)
    if not top or over_wire.get():
        return str

    def told(place: str) -> str:
        if not place.startswith(_OWN):
            return place
        return f"{top}/{place.removeprefix(_OWN).strip('/')}"

    return told


class Place(TypeDecorator[str]):
    """A path or URI of files."""

    impl = LONG
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return a place as it is written, however a caller was told it."""
        if not value:
            return value
        top, folder = _tops.get(dialect), _folders.get(dialect)
        if top and value.startswith(f"{top}/"):
            return _OWN + value.removeprefix(f"{top}/")
        if folder and value.startswith(address := _address(folder)):
            return _FILE + value.removeprefix(address)
        return value.removeprefix(f"{folder}/") if folder else value

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[str | None], str | None] | None:
        """Return what makes a place as it is meant, where places are written relative to a folder."""
        folder = _folders.get(dialect)
        if folder is None:
            return super().result_processor(dialect, coltype)
        below, address = f"{folder}/", _address(folder)

        def meant(value: str | None) -> str | None:
            if not value or value[0] == "/":
                return value
            if value.startswith(_FILE) and not value.startswith(f"{_FILE}/"):
                return address + value.removeprefix(_FILE)
            return value if _SCHEME.match(value) else below + value

        return meant


def _address(folder: Path) -> str:
    return f"file://{quote(str(folder))}/"


class _Finite(TypeDecorator[float]):
    impl = Double
    cache_ok = True

    def process_bind_param(self, value: float | None, _dialect: Dialect) -> float | None:
        """Return the value, or the largest float in place of an infinity."""
        return value if value is None else max(-_LARGEST, min(_LARGEST, value))


NUMBER: TypeEngine[float] = Double().with_variant(_Finite(), "mysql")
"""A float to search and to order by. MySQL has no infinities: there they are the largest floats."""
