"""Writing the points of metrics, inside a transaction that is open already.

Points come in two ways. Over the wire each has its ordinal, 0 as a rule, and an exact repetition is stored
once: a request may be sent again. From a journal, whose place the store knows, each is a point of its own;
those that are alike in key, step and time are given the ordinals that follow those that are there. No time
is ever changed.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain, islice, pairwise, repeat
from operator import gt, le, lt
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, func, select, text, tuple_

from mltrack_jupyter.entities import Metric, Singles
from mltrack_jupyter.store.sql.database import chunked, known_keys
from mltrack_jupyter.store.sql.dialects import dialect_of
from mltrack_jupyter.store.sql.tables import latest_metrics, metric_keys, metrics
from mltrack_jupyter.store.sql.upserts import upsert_columns
from mltrack_jupyter.store.sql.values import (
    from_bits,
    from_bits_many,
    to_bits,
    to_bits_many,
    to_number,
)

Place = tuple[int, str]
"""The number of a run, and the key of a metric."""
Logged = tuple[list[int], list[int], list[int]]
"""Steps, timestamps (ms) and the bits of values, in the order in which they were logged."""
Columns = tuple[Sequence[int], Sequence[int], Sequence[int], Sequence[int]]
"""Steps, timestamps (ms), ordinals and the bits of values; the point with the greatest is the latest."""

_KNOWN = select(latest_metrics).where(
    latest_metrics.c.run.in_(bindparam("of", expanding=True)),
    latest_metrics.c.key.in_(bindparam("keys", expanding=True)),
)
_NUMBERS = select(metric_keys.c.key, metric_keys.c.id).where(
    metric_keys.c.key.in_(bindparam("keys", expanding=True))
)
_LAST_KEY = select(func.max(metric_keys.c.id))
_MANY = 200
"""From how many names on SQLite is not asked first which of them it has."""
# As one text: each name as a parameter of its own costs more than to find it.
_IN_SQLITE = text(
    "SELECT known.key, known.id FROM json_each(:keys) AS wanted "
    "CROSS JOIN metric_keys AS known ON known.key = wanted.value"
)
_TAKEN_IN_SQLITE = text(
    # As a join it looks pair by pair into the index; a list of pairs would be looked for in every row.
    "SELECT step, timestamp, max(ordinal) FROM json_each(:pairs) AS pair CROSS JOIN metrics "
    "WHERE run = :run_number AND key_id = :key_number "
    "AND step = json_extract(pair.value, '$[0]') AND timestamp = json_extract(pair.value, '$[1]') "
    "GROUP BY step, timestamp"
)
_TAKEN = (
    select(metrics.c.step, metrics.c.timestamp, func.max(metrics.c.ordinal))
    .where(metrics.c.run == bindparam("run_number"), metrics.c.key_id == bindparam("key_number"))
    .where(tuple_(metrics.c.step, metrics.c.timestamp).in_(bindparam("pairs", expanding=True)))
    .group_by(metrics.c.step, metrics.c.timestamp)
)
_COLUMNS = ("run", "key_id", "step", "timestamp", "ordinal", "bits")
_ORDINAL = _COLUMNS.index("ordinal")
_WITHOUT_ORDINAL = _COLUMNS[:_ORDINAL] + _COLUMNS[_ORDINAL + 1 :]
_LATEST = ("run", "key", "step", "timestamp", "ordinal", "bits", "value", "min", "max", "count")
_LEAST, _GREATEST = to_bits(-math.inf), to_bits(math.inf)
"""Beyond these bits are those of NaN."""


def add_points(connection: Connection, run: int, points: Sequence[Metric]) -> None:
    """Add points to the histories of a run; an exact repetition, ordinal included, is stored once."""
    by_key: dict[Place, list[tuple[int, int, int, int]]] = {}
    for point in points:
        row = (point.step, point.timestamp, point.ordinal, to_bits(point.value))
        by_key.setdefault((run, point.key), []).append(row)
    if not by_key:
        return
    ordered: dict[Place, Columns] = {
        place: tuple(zip(*sorted(set(rows)), strict=True))  # type: ignore[misc]
        for place, rows in sorted(by_key.items())
    }
    key_ids, _ = _key_ids(connection, {key for _, key in ordered})
    known = _known(connection, ordered)
    fresh: dict[Place, int] = {}
    new = _Rows()
    for (run, key), found in ordered.items():
        last = known.get((run, key))
        rows = new
        if last is not None and next(zip(*found, strict=True)) <= _of_row(last):
            rows = _Rows()  # some may be there already; the others cannot be
        rows.add(run, key_ids[key], found)
        fresh[run, key] = len(found[0]) if rows is new else rows.insert(connection)
    new.insert(connection)
    _set_latest(connection, ordered, known, fresh)


def append_points(connection: Connection, points: Mapping[Place, Logged]) -> None:
    """Add what was logged to histories, every point of it: for whoever knows that none comes again.

    The cost does not depend on how many points there are already.
    """
    logged = {place: found for place, found in sorted(points.items()) if found[0]}
    if not logged:
        return
    key_ids, new = _key_ids(connection, {key for _, key in logged})
    known = _known(connection, [place for place in logged if place[1] not in new])
    alone = {p: found for p, found in logged.items() if len(found[0]) == 1 and p not in known}
    if alone:
        numbers, keys = zip(*alone, strict=True)
        columns = [[column[0] for column in some] for some in zip(*alone.values(), strict=True)]
        _append_alone(connection, numbers, keys, key_ids, columns)
        logged = {place: found for place, found in logged.items() if place not in alone}
    ordered: dict[Place, Columns] = {}
    rows = _Rows()
    for (run, key), found in logged.items():
        number = key_ids[key]
        told = _told_apart(connection, (run, number), found, known.get((run, key)))
        ordered[run, key] = told
        rows.add(run, number, told)
    rows.insert(connection)
    _set_latest(
        connection, ordered, known, {place: len(item[0]) for place, item in ordered.items()}
    )


def append_singles(connection: Connection, run: int, points: Singles) -> None:
    """Add points of a run that are of different metrics, column by column, without an object for any of them."""
    keys = points.keys
    columns = [points.steps, points.timestamps, to_bits_many(points.values)]
    order: Sequence[int] = range(len(keys))
    if any(map(gt, keys, islice(keys, 1, None))):
        order = sorted(order, key=keys.__getitem__)
    key_ids, new = _key_ids(connection, set(keys))
    known = _known(connection, [(run, key) for key in keys if key not in new])
    if known:
        later = [place for place in order if (run, keys[place]) in known]
        append_points(
            connection,
            {(run, keys[at]): tuple([column[at]] for column in columns) for at in later},  # type: ignore[misc]
        )
        order = [place for place in order if (run, keys[place]) not in known]
    if not isinstance(order, range):
        keys = [keys[place] for place in order]
        columns = [[column[place] for place in order] for column in columns]
    _append_alone(connection, [run] * len(keys), keys, key_ids, columns)


def _append_alone(
    connection: Connection,
    numbers: Sequence[int],
    keys: Sequence[str],
    key_ids: Mapping[str, int],
    columns: Sequence[list[int]],
) -> None:
    """Add points that are the only ones of their metrics, column by column: many names have one each.

    Given are the numbers of runs, and steps, times and bits, in the order of runs and keys.
    """
    steps, timestamps, bits = columns
    ids = [key_ids[key] for key in keys]
    rows = numbers, ids, steps, timestamps, bits
    upsert_columns(connection, metrics, _WITHOUT_ORDINAL, rows, replace=False)
    values: list[Any] = from_bits_many(bits)
    if min(bits, default=0) < _LEAST or max(bits, default=0) > _GREATEST:
        values = [to_number(value) for value in values]
    latest = [numbers, keys, steps, timestamps, [0] * len(bits), bits, values, values, values]
    upsert_columns(connection, latest_metrics, _LATEST, [*latest, [1] * len(bits)])


def _told_apart(
    connection: Connection, place: tuple[int, int], found: Logged, last: RowMapping | None
) -> Columns:
    """Return points in their order, with ordinals that follow those of the points that are there."""
    steps, timestamps, bits = found
    if last is None and len(steps) == 1:
        return steps, timestamps, [0], bits
    if not all(map(lt, steps, islice(steps, 1, None))):
        return _counted(connection, place, found, last)
    if last is None or (steps[0], timestamps[0]) > (last["step"], last["timestamp"]):
        return steps, timestamps, [0] * len(steps), bits  # as a training loop makes them
    return _counted(connection, place, found, last)


def _counted(
    connection: Connection, place: tuple[int, int], found: Logged, last: RowMapping | None
) -> Columns:
    steps, timestamps, bits = found
    pairs = list(zip(steps, timestamps, strict=True))
    if not all(map(le, pairs, islice(pairs, 1, None))):
        # A stable order: those alike stay as they were logged.
        order = sorted(range(len(pairs)), key=pairs.__getitem__)
        pairs, bits = [pairs[index] for index in order], [bits[index] for index in order]
        steps, timestamps = map(list, zip(*pairs, strict=True))
    taken = _taken(connection, place, pairs, last)
    ordinal = taken.get(pairs[0], -1) + 1
    ordinals = [ordinal]
    for before, pair in pairwise(pairs):
        ordinal = ordinal + 1 if pair == before else taken.get(pair, -1) + 1
        ordinals.append(ordinal)
    return steps, timestamps, ordinals, bits


def _taken(
    connection: Connection,
    place: tuple[int, int],
    pairs: Sequence[tuple[int, int]],
    last: RowMapping | None,
) -> dict[tuple[int, int], int]:
    """Return the greatest ordinals that are there at some steps and times, which are in order."""
    if last is None:
        return {}
    newest = last["step"], last["timestamp"]
    found = {newest: last["ordinal"]}
    earlier = pairs[: bisect_right(pairs, newest)]
    run, key_id = place
    as_json = dialect_of(connection).json_lists
    query = _TAKEN_IN_SQLITE if as_json else _TAKEN
    for some in chunked(dict.fromkeys(pair for pair in earlier if pair != newest), 400):
        asked_for = json.dumps(some) if as_json else some
        asked = {"run_number": run, "key_number": key_id, "pairs": asked_for}
        for step, timestamp, ordinal in connection.execute(query, asked):
            found[step, timestamp] = ordinal
    return found


class _Rows:
    """Rows of points, as columns: a loop over them in Python would cost as much as the database."""

    def __init__(self) -> None:
        self._found: list[tuple[int, int, Columns]] = []

    def add(self, run: int, key_id: int, found: Columns) -> None:
        self._found.append((run, key_id, found))

    def insert(self, connection: Connection) -> int:
        """Insert the points, leaving those that are there already; return how many were new."""
        if not self._found:
            return 0
        runs, keys, points = zip(*self._found, strict=True)
        counts = [len(found[0]) for found in points]
        joined = chain.from_iterable
        columns = [
            list(joined(map(repeat, runs, counts))),
            list(joined(map(repeat, keys, counts))),
            *(list(joined(some)) for some in zip(*points, strict=True)),
        ]
        names: tuple[str, ...] = _COLUMNS
        if not any(columns[_ORDINAL]):  # what the database writes by itself need not be told it
            names = _WITHOUT_ORDINAL
            del columns[_ORDINAL]
        return upsert_columns(connection, metrics, names, columns, replace=False)


def _known(connection: Connection, points: Iterable[Place]) -> dict[Place, RowMapping]:
    places = list(points)
    if not places:
        return {}
    numbers, keys = (sorted(set(column)) for column in zip(*places, strict=True))
    found: dict[Place, RowMapping] = {}
    for some in chunked(numbers):
        for names in chunked(keys):
            asked = {"of": some, "keys": names}
            for row in connection.execute(_KNOWN, asked).mappings():
                found[row["run"], row["key"]] = row
    return found


def _of_row(row: RowMapping) -> tuple[int, int, int, int]:
    return row["step"], row["timestamp"], row["ordinal"], row["bits"]


def _set_latest(
    connection: Connection,
    points: Mapping[Place, Columns],
    known: Mapping[Place, RowMapping],
    fresh: Mapping[Place, int],
) -> None:
    """Bring the latest values up to date: the latest point has the greatest (step, time, ordinal, value)."""
    rows = [
        (run, key, *_latest(found, known.get((run, key)), fresh[run, key]))
        for (run, key), found in points.items()
    ]
    upsert_columns(connection, latest_metrics, _LATEST, list(zip(*rows, strict=True)))


def _latest(found: Columns, known: RowMapping | None, fresh: int) -> tuple[Any, ...]:
    """Return the columns of a latest value behind its run and its key."""
    numbers: Sequence[int] = found[3]
    if min(numbers) < _LEAST or max(numbers) > _GREATEST:
        numbers = [bits for bits in numbers if _LEAST <= bits <= _GREATEST]
    extremes = from_bits_many([min(numbers), max(numbers)] if numbers else [])
    last = found[0][-1], found[1][-1], found[2][-1], found[3][-1]
    if known is not None:
        last = max(last, _of_row(known))
        extremes += [value for value in (known["min"], known["max"]) if value is not None]
        fresh += known["count"]
    value = to_number(from_bits(last[3]))
    return *last, value, min(extremes, default=None), max(extremes, default=None), fresh


def _key_ids(connection: Connection, keys: set[str]) -> tuple[dict[str, int], Collection[str]]:
    """Return the numbers of names, and the names of which no run has a point yet."""
    known = known_keys(connection)
    wanted = keys.difference(known)
    ids = {key: known[key] for key in keys if key in known}
    if not wanted:
        return ids, ()
    if dialect_of(connection).is_file and len(wanted) > _MANY:
        found, new = _numbered_by_sqlite(connection, sorted(wanted))
    else:
        found, new = _numbered(connection, wanted)
    known.update(found)
    return found | ids, new


def _numbered(connection: Connection, wanted: set[str]) -> tuple[dict[str, int], Collection[str]]:
    ids = _stored_ids(connection, wanted)
    fresh = sorted(wanted - ids.keys())
    new: Collection[str] = ()
    if fresh:
        # One that a rival has written meanwhile is kept, and found.
        added = upsert_columns(connection, metric_keys, ("key",), [fresh], replace=False)
        ids |= _stored_ids(connection, fresh)
        new = set(fresh) if added == len(fresh) else ()
    return ids, new


def _numbered_by_sqlite(
    connection: Connection, wanted: list[str]
) -> tuple[dict[str, int], Collection[str]]:
    """Do the same for a great many: whoever writes is alone, and a new row has the number after the greatest."""
    last = connection.execute(_LAST_KEY).scalar() or 0
    added = upsert_columns(connection, metric_keys, ("key",), [wanted], replace=False)
    if added == len(wanted) and connection.execute(_LAST_KEY).scalar() == last + added:
        ids = dict(zip(wanted, range(last + 1, last + added + 1), strict=True))
        return ids, ids.keys()
    ids = _stored_ids(connection, wanted)
    return ids, {key for key, number in ids.items() if number > last}


def _stored_ids(connection: Connection, keys: Collection[str]) -> dict[str, int]:
    if dialect_of(connection).json_lists:
        stored = connection.execute(_IN_SQLITE, {"keys": json.dumps([*keys])})
        return {row.key: row.id for row in stored}
    ids: dict[str, int] = {}
    for some in chunked(keys):
        found = connection.execute(_NUMBERS, {"keys": some})
        ids.update((key, number) for key, number in found)
    return ids
