"""A page of a longer answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from mltrack_jupyter.entities.base import Entity

T = TypeVar("T")


class Page(Entity, Generic[T], frozen=True):
    """Some items, and the token of the next page (empty on the last)."""

    items: list[T] = []
    next_page_token: str = ""

    @property
    def token(self) -> str:
        """The token of the next page, by MLflow's name."""
        return self.next_page_token

    def __getitem__(self, index: int) -> T:
        return self.items[index]

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)
