"""The base of every entity: immutable, with unset fields left out of its JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any, Protocol, Self, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

Member = TypeVar("Member", bound=Enum)
Thing = TypeVar("Thing", bound=Struct)


def text() -> Any:
    """Return the default of a text field that is written even when it is empty, as MLflow writes it."""
    # msgspec leaves out a field that equals its default, but never compares with a factory's.
    return field(default_factory=str)


def number() -> Any:
    """Return the default of an integer field that is written even when it is 0."""
    return field(default_factory=int)


def member_of_number(members: type[Member], number: object, first: int = 1) -> Member | None:
    """Return the member that has a number in MLflow, whose words are numbers from ``first``; else ``None``."""
    return dict(enumerate(members, first)).get(number) if isinstance(number, int) else None


class Word(str, Enum):
    """A word of MLflow's, which has numbers for them: the order gives those, from 1."""

    def __str__(self) -> str:
        # Printed as MLflow's users know it, who have it as text.
        return str(self.value)

    @classmethod
    def _missing_(cls, value: object) -> Word | None:
        return member_of_number(cls, value)

    @classmethod
    def from_string(cls, text: str) -> Self:
        """Return the member of a word; MLflow has its number here."""
        return cls(text)

    @classmethod
    def to_string(cls, member: Word | int) -> str:
        """Return the word of a member or of MLflow's number."""
        return str(cls(member).value)


class Entity(Struct, frozen=True, omit_defaults=True):
    """An immutable record; fields that hold their default are absent from its JSON, as in MLflow's.

    As MLflow's, it can be read as a dict: ``dict(run.info)["run_name"]``.
    """

    def __iter__(self) -> Iterator[Any]:
        # What is a list on the wire is the dict of the same name here.
        kind = type(self)
        known = {name for name in dir(kind) if isinstance(getattr(kind, name), property)}
        names = sorted(known.union(self.__struct_encode_fields__))
        return ((name, getattr(self, name)) for name in names)


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


def without_blanks(item: Thing, *names: str) -> Thing:
    """Return an entity with ``None`` for each of these fields that is empty, as MLflow's Python has them.

    The store and the wire have no ``None``: there, what is not known is empty.
    """
    blank = {name: None for name in names if getattr(item, name) == ""}
    return replace(item, **blank) if blank else item


def as_dict(pairs: Iterable[_Pair]) -> dict[str, str]:
    """Read a list of key-value pairs as a dict."""
    return {pair.key: pair.value for pair in pairs}
