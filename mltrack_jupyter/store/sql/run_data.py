"""Reading params, tags and latest metrics of many runs: one query a table, whatever their number.

SQLite hands them over as one JSON text a table. A row at a time would give up and take back Python's
lock once a row, which threads of a server queue for, and make an object a row on the way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Select,
    String,
    Table,
    TextClause,
    bindparam,
    func,
    select,
    text,
)

from mltrack_jupyter.entities import Metric, Param, Tag
from mltrack_jupyter.store.sql.database import chunked
from mltrack_jupyter.store.sql.dialects import dialect_of
from mltrack_jupyter.store.sql.tables import latest_metrics, params, tags
from mltrack_jupyter.store.sql.values import from_bits_many

# Of so many runs the texts of a table are joined into one, which has to fit into a gigabyte.
_AT_ONCE = 250
_MOST_KEYS = 1000  # more do not fit into the parameters of every server's statements
_Point = tuple[str, int, int, int, int]
"""The key, bits, time, step and ordinal of a point."""
T = TypeVar("T", Param, Tag)


def load_data(
    connection: Connection, numbers: Sequence[int]
) -> tuple[dict[int, list[Metric]], dict[int, list[Param]], dict[int, list[Tag]]]:
    """Return the latest points, the params and the tags of runs, by the run's number and sorted by key."""
    points: dict[int, list[Metric]] = {}
    values: dict[int, list[Param]] = {}
    labels: dict[int, list[Tag]] = {}
    rows = _rows(connection)
    for part in chunked(numbers, _AT_ONCE):
        points |= _points(rows.points(part))
        values |= rows.pairs(params, part, Param)
        labels |= rows.pairs(tags, part, Tag)
    return points, values, labels


class OfRuns:
    """A query for rows of some runs, whose text is made once."""

    def __init__(self, query: Select[Any], column: ColumnElement[int]) -> None:
        each = func.json_each(bindparam("numbers", type_=String)).table_valued("value")
        self._as_json = query.where(column.in_(select(each.c.value)))
        self._one_by_one = query.where(column.in_(bindparam("numbers", expanding=True)))

    def __call__(self, connection: Connection, numbers: list[int]) -> CursorResult[Any]:
        """Return the rows."""
        if dialect_of(connection).json_lists:
            return connection.execute(self._as_json, {"numbers": str(numbers)})
        return connection.execute(self._one_by_one, {"numbers": numbers})


def _joined(table: Table, item: str, condition: str = "") -> TextClause:
    # The order of the key is that of the table itself, in which SQLite reads and groups it.
    return text(
        "SELECT '{' || group_concat('\"' || run || '\":' || items) || '}' FROM ("  # noqa: S608
        f"SELECT run, json_group_array({item}) AS items FROM {table.name} "
        f"WHERE run IN (SELECT value FROM json_each(:numbers)) {condition} GROUP BY run)"
    )


_PAIR = "json_object('key', key, 'value', value)"
_JOINED = {
    params.name: _joined(params, _PAIR),
    tags.name: _joined(tags, _PAIR),
    # The bits of a value: SQLite writes no more than 15 digits of a number.
    latest_metrics.name: _joined(latest_metrics, "json_array(key, bits, timestamp, step, ordinal)"),
}
_SOME = "AND key IN (SELECT value FROM json_each(:keys))"
_CELLS = {
    (table.name, some): _joined(table, f"json_array(key, {column})", _SOME if some else "")
    for table, column in ((params, "value"), (tags, "value"), (latest_metrics, "bits"))
    for some in (True, False)
}
_CELL = msgspec.json.Decoder(dict[int, list[tuple[str, str | int]]], strict=False)
_POINTS = msgspec.json.Decoder(dict[int, list[_Point]], strict=False)
_PAIRS: dict[type[Any], msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(dict[int, list[kind]], strict=False)  # type: ignore[valid-type]
    for kind in (Param, Tag)
}


def load_cells(
    connection: Connection,
    table: Table,
    column: str,
    numbers: Sequence[int],
    keys: Sequence[str] | None,
) -> Iterator[tuple[int, str, Any]]:
    """Yield run, key and value of a table (its texts, or its ``bits``), of some keys or of all."""
    rows = _rows(connection)
    for part in chunked(numbers, _AT_ONCE):
        yield from rows.cells(table, column, part, keys)


class _Rows:
    """Reads a row at a time."""

    def __init__(self, connection: Connection) -> None:
        self._execute = connection.execute

    def pairs(self, table: Table, numbers: list[int], kind: type[T]) -> dict[int, list[T]]:
        query = select(table).where(table.c.run.in_(numbers)).order_by(table.c.run, table.c.key)
        found: dict[int, list[T]] = {}
        for run, key, value in self._execute(query):
            found.setdefault(run, []).append(kind(key, value))
        return found

    def points(self, numbers: list[int]) -> dict[int, list[_Point]]:
        latest = latest_metrics.c
        columns = select(*latest["run", "key", "bits", "timestamp", "step", "ordinal"])
        query = columns.where(latest.run.in_(numbers)).order_by(latest.run, latest.key)
        found: dict[int, list[_Point]] = {}
        for run, *point in self._execute(query):
            found.setdefault(run, []).append(tuple(point))
        return found

    def cells(
        self, table: Table, column: str, numbers: list[int], keys: Sequence[str] | None
    ) -> Iterator[tuple[int, str, Any]]:
        some = None if keys is None else frozenset(keys)
        query = select(table.c.run, table.c.key, table.c[column]).where(table.c.run.in_(numbers))
        if some is not None and len(some) <= _MOST_KEYS:
            query = query.where(table.c.key.in_(some))
        for run, key, value in self._execute(query):
            if some is None or key in some:
                yield run, key, value


class _JsonRows(_Rows):
    """Reads all rows of a table as one JSON text."""

    def _text(self, query: TextClause, numbers: list[int], **asked: str) -> str:
        return self._execute(query, {"numbers": str(numbers), **asked}).scalar() or "{}"

    def pairs(self, table: Table, numbers: list[int], kind: type[T]) -> dict[int, list[T]]:
        found: dict[int, list[T]] = _PAIRS[kind].decode(self._text(_JOINED[table.name], numbers))
        return found

    def points(self, numbers: list[int]) -> dict[int, list[_Point]]:
        return _POINTS.decode(self._text(_JOINED[latest_metrics.name], numbers))

    def cells(
        self,
        table: Table,
        column: str,  # noqa: ARG002 - the query has it
        numbers: list[int],
        keys: Sequence[str] | None,
    ) -> Iterator[tuple[int, str, Any]]:
        asked = {} if keys is None else {"keys": json.dumps(keys)}
        text = self._text(_CELLS[table.name, keys is not None], numbers, **asked)
        for run, cells in _CELL.decode(text).items():
            for key, value in cells:
                yield run, key, value


def _rows(connection: Connection) -> _Rows:
    return (_JsonRows if dialect_of(connection).json_lists else _Rows)(connection)


def _points(found: dict[int, list[_Point]]) -> dict[int, list[Metric]]:
    values = iter(from_bits_many([point[1] for points in found.values() for point in points]))
    return {
        run: [
            Metric(key, next(values), timestamp, step, "", "", "", "", ordinal)
            for key, _, timestamp, step, ordinal in points
        ]
        for run, points in found.items()
    }
