"""Pages of a search of runs, found in a time that does not grow with the runs.

SQLite plans without knowing that a page is short. So it is told what to begin with: with the clause of
the filter that few runs fit, if there is one; else with the index of what the runs are ordered by, which
is walked until the page is full. Servers' planners know and decide for themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Row, Select, exists, func, literal, select

from mltrack_jupyter.store.sql.dialects import dialect_of
from mltrack_jupyter.store.sql.search import RUN_FIELDS, Filter, Order
from mltrack_jupyter.store.sql.tables import runs

FEW = 2000
"""So many runs are looked at and sorted in a few milliseconds."""


@dataclass(frozen=True)
class RunScope:
    """Which runs are looked for; without experiments or ids, those of all experiments."""

    stages: Sequence[str]
    experiments: Sequence[int] | None = None
    run_ids: Sequence[str] | None = None
    filter: str = ""

    def query(self, *, by_index: bool = True) -> Select[Any]:
        """Return the query; with ``by_index=False`` SQLite does not begin with the experiments' index."""
        return self.conditions.of(self.unfiltered(by_index=by_index))

    @cached_property
    def conditions(self) -> Filter:
        """The filter, which is read once for all queries of a search."""
        return Filter(RUN_FIELDS, self.filter)

    def unfiltered(self, *, by_index: bool = True) -> Select[Any]:
        """Return the query without the filter."""
        found = select(runs).where(runs.c.lifecycle_stage.in_(self.stages))
        if self.run_ids is not None:
            return found.where(runs.c.run_id.in_(self.run_ids))
        if self.experiments is None:
            return found
        column = runs.c.experiment if by_index else runs.c.experiment + 0
        return found.where(column.in_(self.experiments))


class RunPages:
    """The runs of a scope in an order, page by page; ties are newest first."""

    def __init__(self, connection: Connection, scope: RunScope, order_by: Sequence[str]) -> None:
        self._connection = connection
        self._scope = scope
        self._order = Order(RUN_FIELDS, order_by)

    def total(self) -> int:
        """Return how many runs there are; the cost grows with the runs of the scope, or its filter's."""
        counting = self._query.with_only_columns(func.count(), maintain_column_froms=True)
        return int(self._connection.execute(counting.order_by(None)).scalar_one())

    def rows(self, offset: int, limit: int) -> list[Row[Any]]:
        """Return rows of runs; the cost grows with the offset."""
        if self._scope.run_ids is not None and not self._order:
            return self._as_asked(self._scope.run_ids, offset, limit)
        leading = self._order.first
        if leading is None or not self._is_large or self._narrowed is not None:
            return self._slice(self._sorted(self._query), offset, limit)
        found: list[Row[Any]] = []
        for query in self._walk(*leading):
            got = self._slice(query, offset, limit - len(found))
            found += got
            if len(found) == limit:
                break
            if offset:
                offset = 0 if got else offset - self._count(query)
        return found

    def _as_asked(self, run_ids: Sequence[str], offset: int, limit: int) -> list[Row[Any]]:
        """Return the runs that were asked for by their ids, in that order over all pages."""
        ids = self._query.with_only_columns(runs.c.run_id)
        there = set(self._connection.execute(ids).scalars())
        page = [run_id for run_id in dict.fromkeys(run_ids) if run_id in there]
        page = page[offset : offset + limit]
        query = self._query.where(runs.c.run_id.in_(page))
        rows = {row.run_id: row for row in self._connection.execute(query)}
        return [rows[run_id] for run_id in page]

    def _walk(self, pairs: Any, key: str, ascending: bool) -> list[Select[Any]]:
        """Return the runs that have a number or text, then those with NaN, then those with nothing."""
        table = pairs.table.alias()
        column = table.c.value.asc() if ascending else table.c.value.desc()
        mine = table.c[pairs.owner] == runs.c.id
        having = self._scope.query(by_index=False).join(table, mine).where(table.c.key == key)
        numbers = having.where(table.c.value.is_not(None)).order_by(column)
        steps = [self._sorted(numbers, first=1)]
        if pairs.numeric:
            steps.append(self._sorted(having.where(table.c.value.is_(None)), first=1))
        missing = ~exists(select(literal(1)).where(mine, table.c.key == key).select_from(table))
        return [*steps, self._sorted(self._scope.query().where(missing), first=1)]

    @cached_property
    def _query(self) -> Select[Any]:
        if self._narrowed is None:
            return self._scope.query()
        return self._scope.query(by_index=False).where(runs.c.id.in_(self._narrowed))

    @cached_property
    def _is_large(self) -> bool:
        if dialect_of(self._connection).knows_sizes or self._scope.run_ids is not None:
            return False
        return self._count(self._scope.unfiltered(), FEW + 1) > FEW

    @cached_property
    def _narrowed(self) -> Select[Any] | None:
        """The clause of the filter that the fewest runs fit, if those are few."""
        if not self._scope.conditions or not self._is_large:
            return None
        counted = [
            (self._count(found, FEW + 1), place, found)
            for place, found in enumerate(self._scope.conditions.candidates())
        ]
        least = min(counted, default=None)
        return least[2] if least is not None and least[0] <= FEW else None

    def _count(self, query: Select[Any], most: int | None = None) -> int:
        ones = query.with_only_columns(literal(1), maintain_column_froms=True).order_by(None)
        counting = select(func.count()).select_from(ones.limit(most).subquery())
        return int(self._connection.execute(counting).scalar_one())

    def _slice(self, query: Select[Any], offset: int, limit: int) -> list[Row[Any]]:
        return list(self._connection.execute(query.offset(offset).limit(limit)).all())

    def _sorted(self, query: Select[Any], *, first: int = 0) -> Select[Any]:
        query = self._order.of(query, first=first)
        if not self._order.names(runs.c.start_time):
            query = query.order_by(runs.c.start_time.desc())
        return query.order_by(runs.c.run_id.asc())
