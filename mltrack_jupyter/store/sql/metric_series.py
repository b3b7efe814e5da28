"""Metrics as lines: read in the order they are clustered in, thinned before they leave the server."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

from sqlalchemy import Connection, select

from mltrack_jupyter.entities import MetricSeries
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store.sampling import largest_triangles
from mltrack_jupyter.store.sql.tables import metric_keys, metrics, runs
from mltrack_jupyter.store.sql.values import from_bits_many

_BOUNDS = {"run_ids": 1_000, "metric_keys": 100}
_MAX_POINTS = 10_000
_MAX_TOTAL = 2_000_000


def check(run_ids: Sequence[str], keys: Sequence[str], most: int) -> None:
    """Check how much is asked for at once. Raises ``InvalidParameter``."""
    for (name, bound), given in zip(_BOUNDS.items(), (run_ids, keys), strict=True):
        if len(given) > bound:
            raise InvalidParameter(
                f"At most {bound} {name} can be asked for at once, not {len(given)}."
            )
    if not 2 <= most <= _MAX_POINTS:
        raise InvalidParameter(
            f"Invalid value {most} for parameter 'max_points' supplied: it must be from 2 to {_MAX_POINTS}."
        )
    if len(run_ids) * len(keys) * most > _MAX_TOTAL:
        raise InvalidParameter(
            f"At most {_MAX_TOTAL} points can be asked for at once; ask for fewer max_points."
        )


def load(
    connection: Connection, run_ids: Sequence[str], keys: Sequence[str], most: int
) -> list[MetricSeries]:
    """Return the lines of some metrics, in the order of the runs and of the keys."""
    found = connection.execute(select(metric_keys).where(metric_keys.c.key.in_(keys)))
    names = {row.id: row.key for row in found}
    wanted = list(dict.fromkeys(run_ids))
    rows = connection.execute(select(runs.c.run_id, runs.c.id).where(runs.c.run_id.in_(wanted)))
    numbers = {row.run_id: row.id for row in rows}
    place = {key: index for index, key in enumerate(keys)}
    return [
        line
        for run_id in wanted
        if run_id in numbers
        for line in sorted(
            _lines(connection, run_id, numbers[run_id], names, most),
            key=lambda line: place[line.key],
        )
    ]


def _lines(
    connection: Connection, run_id: str, number: int, names: dict[int, str], most: int
) -> Iterator[MetricSeries]:
    columns = metrics.c["key_id", "step", "timestamp", "ordinal", "bits"]
    query = (
        select(*columns)
        .where(metrics.c.run == number, metrics.c.key_id.in_(names))
        .order_by(*columns)
    )
    for key_id, group in groupby(connection.execute(query), key=lambda row: row.key_id):
        rows = list(group)
        yield _line(
            run_id,
            names[key_id],
            [row.step for row in rows],
            [row.timestamp for row in rows],
            from_bits_many([row.bits for row in rows]),
            most,
        )


def _line(
    run_id: str, key: str, steps: list[int], times: list[int], values: list[float], most: int
) -> MetricSeries:
    total = len(values)
    odd = [index for index, value in enumerate(values) if not math.isfinite(value)]
    odd_steps, odd_values = [steps[i] for i in odd[:most]], [values[i] for i in odd[:most]]
    if odd:
        finite = [index for index, value in enumerate(values) if math.isfinite(value)]
        steps, times = [steps[i] for i in finite], [times[i] for i in finite]
        values = [values[i] for i in finite]
    # Without steps (all of them 0) a metric is a line over time.
    chosen = largest_triangles(times if steps and steps[0] == steps[-1] else steps, values, most)
    return MetricSeries(
        run_id=run_id,
        key=key,
        total=total,
        steps=[steps[i] for i in chosen],
        timestamps=[times[i] for i in chosen],
        values=[values[i] for i in chosen],
        odd_total=len(odd),
        odd_steps=odd_steps,
        odd_values=odd_values,
    )
