"""A page of a longer answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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

    def to_list(self) -> PagedList[T]:
        """Return the page as the list that MLflow's client returns."""
        return PagedList(self.items, self.next_page_token)

    def __getitem__(self, index: int) -> T:
        return self.items[index]

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


class PagedList(list[T]):
    """A page as MLflow's client returns it: a list that knows the ``token`` of the next page, ``None`` on the last."""

    def __init__(self, items: Iterable[T] = (), token: str | None = None) -> None:
        super().__init__(items)
        self.token = token or None

    @property
    def items(self) -> list[T]:
        """The page as a plain list."""
        return list(self)

    @property
    def next_page_token(self) -> str:
        """The token of the next page, empty on the last."""
        return self.token or ""

    def to_list(self) -> list[T]:
        """Return the page as a plain list."""
        return list(self)
