"""Writing params, tags and metric points of a run, inside a transaction that is open already."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, insert, select, update

from mltrack_jupyter.entities import Metric, Param, Tag
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.sql.database import insert_row, upsert
from mltrack_jupyter.store.sql.tables import (
    latest_metrics,
    metric_keys,
    metrics,
    params,
    runs,
    tags,
)
from mltrack_jupyter.store.sql.values import from_bits, to_bits, to_number


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
    if "mlflow.runName" in values:
        named = {"name": values["mlflow.runName"]}
        connection.execute(update(runs).where(runs.c.id == run).values(named))


def add_points(connection: Connection, run: int, points: Sequence[Metric]) -> None:
    """Add points to the history, and bring the latest values up to date.

    The latest point of a key has the greatest (step, timestamp, value). The cost does not depend on
    how many points there are already.
    """
    by_key: dict[str, set[tuple[int, int, int]]] = {}
    for point in points:
        by_key.setdefault(point.key, set()).add((point.step, point.timestamp, to_bits(point.value)))
    if not by_key:
        return
    key_ids = _key_ids(connection, by_key)
    known = {
        row["key"]: row
        for row in connection.execute(
            select(latest_metrics).where(
                latest_metrics.c.run == run, latest_metrics.c.key.in_(by_key)
            )
        ).mappings()
    }
    latest = []
    for key, found in sorted(by_key.items()):
        rows = [
            {"run": run, "key_id": key_ids[key], "step": step, "timestamp": timestamp, "bits": bits}
            for step, timestamp, bits in sorted(found)
        ]
        fresh = upsert(connection, metrics, rows, replace=False)
        latest.append(_latest(run, key, found, known.get(key), fresh))
    upsert(connection, latest_metrics, latest)


def _latest(
    run: int,
    key: str,
    found: set[tuple[int, int, int]],
    known: RowMapping | None,
    fresh: int,
) -> dict[str, Any]:
    values = [from_bits(bits) for _, _, bits in found]
    extremes = [value for value in values if not math.isnan(value)]
    if known is not None:
        found = {*found, (known["step"], known["timestamp"], known["bits"])}
        extremes += [value for value in (known["min"], known["max"]) if value is not None]
    step, timestamp, bits = max(found)
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
    wanted = set(keys)
    query = select(metric_keys.c.key, metric_keys.c.id).where(metric_keys.c.key.in_(wanted))
    ids: dict[str, int] = {row.key: row.id for row in connection.execute(query)}
    for key in sorted(wanted - ids.keys()):
        ids[key] = insert_row(connection, metric_keys, {"key": key})
    return ids
