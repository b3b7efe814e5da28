"""Types of columns that mean the same in every database."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Dialect, Double, String, Text, TypeDecorator
from sqlalchemy.types import TypeEngine

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


def moves_with(dialect: Dialect, folder: Path) -> None:
    """Let the places in a database that are below a folder be written relative to it.

    Above the database they are absolute always; so they are right still when the folder was moved.
    """
    _folders[dialect] = folder


class Place(TypeDecorator[str]):
    """A path or URI of files."""

    impl = LONG
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return a place as it is written."""
        folder = _folders.get(dialect)
        inside = f"{folder}/"
        return value.removeprefix(inside) if value and folder else value

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[str | None], str | None] | None:
        """Return what makes a place as it is meant, where places are written relative to a folder."""
        folder = _folders.get(dialect)
        if folder is None:
            return super().result_processor(dialect, coltype)
        below = f"{folder}/"

        def meant(value: str | None) -> str | None:
            if not value or value[0] == "/" or _SCHEME.match(value):
                return value
            return below + value

        return meant


class Number(TypeDecorator[float]):
    """A float to search and to order by. MySQL has no infinities: there they are the largest floats."""

    impl = Double
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[float | None], Any] | None:
        """Return what is done to a value on its way to the database."""
        return _within if dialect.name == "mysql" else None


NUMBER = Number()


def _within(value: float | None) -> float | None:
    return value if value is None else max(-_LARGEST, min(_LARGEST, value))
