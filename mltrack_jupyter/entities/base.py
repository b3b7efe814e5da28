"""The base of every entity: immutable, with unset fields left out of its JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from msgspec import Struct, field


def text() -> Any:
    """Return the default of a text field that is written even when it is empty, as MLflow writes it."""
    # msgspec leaves out a field that equals its default, but never compares with a factory's.
    return field(default_factory=str)


def number() -> Any:
    """Return the default of an integer field that is written even when it is 0."""
    return field(default_factory=int)


class Entity(Struct, frozen=True, omit_defaults=True):
    """An immutable record; fields that hold their default are absent from its JSON, as in MLflow's."""


# Without gc: what holds only texts and numbers can be in no cycle, and there are many of them.
class Tag(Entity, frozen=True, gc=False):
    """A key and its text; of an experiment, a run, a model or a version."""

    key: str
    value: str = text()


class _Pair(Protocol):
    @property
    def key(self) -> str: ...
    @property
    def value(self) -> str: ...


def as_dict(pairs: Iterable[_Pair]) -> dict[str, str]:
    """Read a list of key-value pairs as a dict."""
    return {pair.key: pair.value for pair in pairs}
