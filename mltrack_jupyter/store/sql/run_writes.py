"""Writing params, tags and metric points of a run, inside a transaction that is open already."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from operator import lt
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, bindparam, insert, select, update

from mltrack_jupyter.entities import Metric, Param, Tag
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.names import RUN_NAME
from mltrack_jupyter.store.sql.database import (
    chunked,
    known_keys,
    upsert,
    upsert_columns,
)
from mltrack_jupyter.store.sql.tables import (
    latest_metrics,
    metric_keys,
    metrics,
    params,
    runs,
    tags,
)
from mltrack_jupyter.store.sql.values import from_bits, from_bits_many, to_bits, to_number

_KNOWN = select(latest_metrics).where(
    latest_metrics.c.run.in_(bindparam("of", expanding=True)),
    latest_metrics.c.key.in_(bindparam("keys", expanding=True)),
)
_NUMBERS = select(metric_keys.c.key, metric_keys.c.id).where(
    metric_keys.c.key.in_(bindparam("keys", expanding=True))
)


def add_params(connection: Connection, run: Row[Any], items: Sequence[Param]) -> None:
    """Write params once; raise ``InvalidParameter`` if one has another value already."""
    if not items:
        return
    wanted = {item.key: item.value for item in items}
    query = select(params.c.key, params.c.value).where(
        params.c.run == run.id, params.c.key.in_(wanted)
    )
    for key, old in connection.execute(query):
        if wanted.pop(key) != old:
            new = next(item.value for item in items if item.key == key)
            raise InvalidParameter(
                f"Changing param values is not allowed: param {rules.short(key)} of run {run.run_id} was "
                f"logged with the value {rules.short(old)}, not {rules.short(new)}. Log it under "
                "another name, or start a new run."
            )
    rows = [{"run": run.id, "key": key, "value": value} for key, value in wanted.items()]
    if rows:
        connection.execute(insert(params), rows)


def set_tags(connection: Connection, run: int, items: Sequence[Tag]) -> None:
    """Set tags; the last of a key wins. The run's name follows the tag ``mlflow.runName``."""
    values = {item.key: item.value for item in items}
    if not values.get("mlflow.runName"):
        values.pop("mlflow.runName", None)  # a run keeps the name that it has
    rows = [{"run": run, "key": key, "value": value} for key, value in values.items()]
    upsert(connection, tags, rows)
    if RUN_NAME in values:
        named = {"name": values[RUN_NAME]}
        connection.execute(update(runs).where(runs.c.id == run).values(named))


_LEAST, _GREATEST = to_bits(-math.inf), to_bits(math.inf)
"""Beyond these bits are those of NaN."""
Columns = tuple[Sequence[int], Sequence[int], Sequence[int]]
"""Steps, timestamps (ms) and the bits of values; the point with the greatest of them is the latest."""


def add_points(connection: Connection, run: int, points: Sequence[Metric]) -> None:
    """Add points to the histories of a run, see :func:`write_points`."""
    by_key: dict[tuple[int, str], tuple[list[int], list[int], list[int]]] = {}
    for point in points:
        steps, timestamps, bits = by_key.setdefault((run, point.key), ([], [], []))
        steps.append(point.step)
        timestamps.append(point.timestamp)
        bits.append(to_bits(point.value))
    write_points(connection, by_key)


def write_points(connection: Connection, points: Mapping[tuple[int, str], Columns]) -> None:
    """Add points to histories of (run, key), and bring the latest values up to date.

    The latest point of a key has the greatest (step, timestamp, value). The cost does not depend on
    how many points there are already.
    """
    ordered = {place: _in_order(found) for place, found in sorted(points.items()) if found[0]}
    if not ordered:
        return
    key_ids = _key_ids(connection, {key for _, key in ordered})
    known = _known(connection, ordered)
    fresh: dict[tuple[int, str], int] = {}
    new = _Rows()
    for (run, key), found in ordered.items():
        last = known.get((run, key))
        rows = new
        if last is not None and _first(found) <= (last["step"], last["timestamp"], last["bits"]):
            rows = _Rows()  # some may be there already; the others cannot be
        rows.add(run, key_ids[key], found)
        fresh[run, key] = len(found[0]) if rows is new else rows.insert(connection)
    new.insert(connection)
    latest = [
        _latest(run, key, found, known.get((run, key)), fresh[run, key])
        for (run, key), found in ordered.items()
    ]
    upsert(connection, latest_metrics, latest)


class _Rows:
    """Rows of points, as columns: a loop over them in Python would cost as much as the database."""

    def __init__(self) -> None:
        self._columns: tuple[list[int], ...] = ([], [], [], [], [])

    def add(self, run: int, key_id: int, found: Columns) -> None:
        count = len(found[0])
        for column, values in zip(
            self._columns, ([run] * count, [key_id] * count, *found), strict=True
        ):
            column.extend(values)

    def insert(self, connection: Connection) -> int:
        """Insert the points, leaving those that are there already; return how many were new."""
        return upsert_columns(connection, metrics, _COLUMNS, self._columns, replace=False)


_COLUMNS = ("run", "key_id", "step", "timestamp", "bits")


def _first(found: Columns) -> tuple[int, int, int]:
    return found[0][0], found[1][0], found[2][0]


def _in_order(found: Columns) -> Columns:
    """Return points sorted and each once, as a training loop makes them anyway."""
    steps = found[0]
    if all(map(lt, steps, islice(steps, 1, None))):
        return found
    sorted_ = sorted(set(zip(*found, strict=True)))
    return tuple(zip(*sorted_, strict=True))  # type: ignore[return-value]


def _known(
    connection: Connection, points: Mapping[tuple[int, str], Columns]
) -> dict[tuple[int, str], RowMapping]:
    numbers = sorted({run for run, _ in points})
    keys = sorted({key for _, key in points})
    found: dict[tuple[int, str], RowMapping] = {}
    for some in chunked(numbers):
        for names in chunked(keys):
            asked = {"of": some, "keys": names}
            for row in connection.execute(_KNOWN, asked).mappings():
                found[row["run"], row["key"]] = row
    return found


def _latest(
    run: int, key: str, found: Columns, known: RowMapping | None, fresh: int
) -> dict[str, Any]:
    numbers = found[2]
    if min(numbers) < _LEAST or max(numbers) > _GREATEST:
        numbers = [bits for bits in numbers if _LEAST <= bits <= _GREATEST]
    extremes = from_bits_many([min(numbers), max(numbers)] if numbers else [])
    last = found[0][-1], found[1][-1], found[2][-1]
    if known is not None:
        last = max(last, (known["step"], known["timestamp"], known["bits"]))
        extremes += [value for value in (known["min"], known["max"]) if value is not None]
    step, timestamp, bits = last
    return {
        "run": run,
        "key": key,
        "step": step,
        "timestamp": timestamp,
        "bits": bits,
        "value": to_number(from_bits(bits)),
        "min": min(extremes, default=None),
        "max": max(extremes, default=None),
        "count": fresh + (known["count"] if known is not None else 0),
    }


def _key_ids(connection: Connection, keys: Iterable[str]) -> dict[str, int]:
    known = known_keys(connection)
    ids = {key: known[key] for key in keys if key in known}
    wanted = set(keys) - ids.keys()
    if not wanted:
        return ids
    ids |= _stored_ids(connection, wanted)
    if fresh := sorted(wanted - ids.keys()):
        # One that a rival has written meanwhile is kept, and found.
        upsert_columns(connection, metric_keys, ("key",), [fresh], replace=False)
        ids |= _stored_ids(connection, fresh)
    known.update(ids)
    return ids


def _stored_ids(connection: Connection, keys: Iterable[str]) -> dict[str, int]:
    ids: dict[str, int] = {}
    for some in chunked(keys):
        found = connection.execute(_NUMBERS, {"keys": some})
        ids.update((key, number) for key, number in found)
    return ids
