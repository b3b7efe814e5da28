"""Statistics of the columns of a table of runs: one grouped query for each kind of column."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Select, Table, case, func, select

from mltrack_jupyter.entities import ColumnStats, RunColumns
from mltrack_jupyter.store.sql.dialects import dialect_of
from mltrack_jupyter.store.sql.run_table import is_shown
from mltrack_jupyter.store.sql.tables import latest_metrics, params, runs, tags
from mltrack_jupyter.store.sql.values import to_bits

# By the bits, which tell infinities in every database: MySQL's numbers have none.
_FINITE = to_bits(-sys.float_info.max), to_bits(sys.float_info.max)


def load_columns(connection: Connection, scope: Select[Any], most: int) -> RunColumns:
    """Return the columns of the runs whose numbers ``scope`` selects."""
    total = connection.execute(select(func.count()).select_from(scope.subquery())).scalar_one()
    everything = connection.execute(select(func.count()).select_from(runs)).scalar_one()
    most_runs = not dialect_of(connection).knows_sizes and 2 * total > everything
    return RunColumns(
        total=total,
        columns=[
            *_texts(connection, scope, "param", params, total, most, along_index=most_runs),
            *_metrics(connection, scope, total),
            *_texts(connection, scope, "tag", tags, total, most),
        ],
    )


def _metrics(connection: Connection, scope: Select[Any], total: int) -> Iterator[ColumnStats]:
    table = latest_metrics
    finite = case((table.c.bits.between(*_FINITE), table.c.value))
    query = (
        select(
            table.c.key,
            func.count(),
            func.count(table.c.bits.distinct()),
            func.min(finite),
            func.max(finite),
        )
        .where(table.c.run.in_(scope))
        .group_by(table.c.key)
        .order_by(table.c.key)
    )
    for key, count, distinct, least, greatest in connection.execute(query):
        yield ColumnStats(
            kind="metric",
            key=key,
            count=count,
            distinct=distinct,
            varying=distinct > 1 or count < total,
            min=least,
            max=greatest,
        )


def _texts(
    connection: Connection,
    scope: Select[Any],
    kind: str,
    table: Table,
    total: int,
    most: int,
    *,
    along_index: bool = False,
) -> Iterator[ColumnStats]:
    # Of most runs the values are counted in the order of the index of (key, value), without a sort;
    # SQLite does so when it cannot look for the runs one by one.
    owner = table.c.run + 0 if along_index else table.c.run
    query = (
        select(table.c.key, table.c.value, func.count().label("times"))
        .where(owner.in_(scope))
        .group_by(table.c.key, table.c.value)
        .order_by(table.c.key)
    )
    for key, group in groupby(connection.execute(query), key=lambda row: row.key):
        rows = list(group)
        if not is_shown(kind, key):
            continue
        values = [row.value for row in rows]
        count = sum(row.times for row in rows)
        least, greatest = _range(values)
        yield ColumnStats(
            kind=kind,
            key=key,
            count=count,
            distinct=len(values),
            varying=len(values) > 1 or count < total,
            min=least,
            max=greatest,
            categories=sorted(values) if len(values) <= most else [],
        )


def _range(values: Sequence[str]) -> tuple[float | None, float | None]:
    """Return the least and the greatest number if all texts are numbers."""
    try:
        numbers = [number for number in map(float, values) if math.isfinite(number)]
    except ValueError:
        return None, None
    return min(numbers, default=None), max(numbers, default=None)
