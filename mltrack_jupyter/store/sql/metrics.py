"""Histories of metrics in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from operator import le, lt
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, select, text

from mltrack_jupyter.entities import Metric, MetricSeries, Page, Points
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.services import Metrics
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.sampling import spread
from mltrack_jupyter.store.sql import metric_series
from mltrack_jupyter.store.sql.database import Database
from mltrack_jupyter.store.sql.paging import decode_token, encode_token
from mltrack_jupyter.store.sql.tables import metric_keys, metrics, runs
from mltrack_jupyter.store.sql.values import from_bits, from_bits_many

_MAX_RUNS = 100
_MOST_BULK = 25_000
_MOST_INTERVAL = 2500
_INTEGERS = msgspec.json.Decoder(list[int])
_MINE = (
    "WHERE run = (SELECT id FROM runs WHERE run_id = :run_id) "
    "AND key_id = (SELECT id FROM metric_keys WHERE key = :key)"
)
_JOINED = text(
    "SELECT group_concat(timestamp), group_concat(step), group_concat(bits), max(ordinal) "  # noqa: S608
    f"FROM metrics {_MINE}"
)
_ORDINALS = text(f"SELECT group_concat(ordinal) FROM metrics {_MINE}")  # noqa: S608
_OF_RUN_AND_KEY = (
    select(metrics.c.timestamp, metrics.c.step, metrics.c.ordinal, metrics.c.bits)
    .join(runs, runs.c.id == metrics.c.run)
    .join(metric_keys, metric_keys.c.id == metrics.c.key_id)
    .where(runs.c.run_id == bindparam("run_id"), metric_keys.c.key == bindparam("key"))
)
_HISTORY = _OF_RUN_AND_KEY.order_by(
    metrics.c.timestamp, metrics.c.step, metrics.c.ordinal, metrics.c.bits
)
_BY_STEP = _OF_RUN_AND_KEY.order_by(
    metrics.c.step, metrics.c.timestamp, metrics.c.ordinal, metrics.c.bits
)
_MOST = 10**9


class SqlMetrics(Metrics):
    """Histories of metrics in SQL; the cost grows with the points that are read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def history(
        self, run_id: str, metric_key: str, page_token: str = "", max_results: int | None = None
    ) -> Page[Metric]:
        if max_results is not None:
            max_results = min(rules.check_page_size(max_results, rules.MAX_INT64), _MOST)
        offset = decode_token(page_token)
        if not offset and max_results is None:
            found = self.columns(run_id, metric_key)
            return Page(points_of(found), "")
        most = _MOST if max_results is None else max_results
        query = _HISTORY.offset(offset).limit(most + 1)
        with self._database.read() as connection:
            asked = {"run_id": run_id, "key": metric_key}
            rows = connection.execute(query, asked).all()
        more = encode_token(offset + most) if len(rows) > most else ""
        return Page([_point(metric_key, row) for row in rows[:most]], more)

    def columns(self, run_id: str, metric_key: str) -> Points:
        asked = {"run_id": run_id, "key": metric_key}
        with self._database.read() as connection:
            if self._database.dialect.json_lists:
                times, steps, ordinals, bits = _in_order(_joined(connection, asked))
            else:
                rows = connection.execute(_HISTORY, asked).all()
                found = zip(*rows, strict=True) if rows else ([], [], [], [])
                times, steps, ordinals, bits = map(list, found)
        return Points(
            key=metric_key,
            steps=steps,
            timestamps=times,
            values=from_bits_many(bits),
            ordinals=ordinals if any(ordinals) else [],
        )

    def history_bulk(
        self, run_id: list[str] | None = None, metric_key: str = "", max_results: int = 25_000
    ) -> list[Metric]:
        _check_bulk(run_id or [], metric_key)
        left = min(rules.check_page_size(max_results, rules.MAX_INT64), _MOST_BULK)
        found: list[Metric] = []
        with self._database.read() as connection:
            for wanted in sorted(set(run_id or [])):
                query = _HISTORY.limit(left - len(found))
                rows = connection.execute(query, {"run_id": wanted, "key": metric_key}).all()
                found += [_point(metric_key, row, wanted) for row in rows]
        return found

    def history_bulk_interval(
        self,
        run_ids: list[str],
        metric_key: str,
        start_step: int | None = None,
        end_step: int | None = None,
        max_results: int = 2500,
    ) -> list[Metric]:
        _check_interval(run_ids, start_step, end_step)
        if not 1 <= max_results <= _MOST_INTERVAL:
            raise InvalidParameter(
                f"max_results must be between 1 and {_MOST_INTERVAL} points of each run, not {max_results}."
            )
        query = _BY_STEP
        if start_step is not None:
            query = query.where(metrics.c.step.between(start_step, end_step))
        found: list[Metric] = []
        with self._database.read() as connection:
            for run_id in run_ids:
                rows = connection.execute(query, {"run_id": run_id, "key": metric_key}).all()
                chosen = spread(len(rows), max_results)
                found += [_point(metric_key, rows[index], run_id) for index in chosen]
        return found

    def series(
        self, run_ids: list[str], metric_keys: list[str], max_points: int = 1000
    ) -> list[MetricSeries]:
        metric_series.check(run_ids, metric_keys, max_points)
        with self._database.read() as connection:
            return metric_series.load(connection, run_ids, metric_keys, max_points)


def points_of(columns: Points) -> list[Metric]:
    """Return the points of columns one by one."""
    key, steps, times, values = columns.key, columns.steps, columns.timestamps, columns.values
    if not columns.ordinals:
        return [
            Metric(key, value, time, step)
            for time, step, value in zip(times, steps, values, strict=True)
        ]
    return [
        Metric(key, value, time, step, ordinal=ordinal)
        for time, step, value, ordinal in zip(times, steps, values, columns.ordinals, strict=True)
    ]


def _point(key: str, row: Any, run_id: str = "") -> Metric:
    value = from_bits(row.bits)
    return Metric(key, value, row.timestamp, row.step, run_id=run_id, ordinal=row.ordinal)


def _joined(connection: Connection, asked: dict[str, str]) -> list[list[int]]:
    """Return times, steps, ordinals and bits from SQLite: texts of numbers come faster than 100,000 rows."""
    *texts, greatest = connection.execute(_JOINED, asked).one()
    times, steps, bits = (_numbers(found) for found in texts)
    if not greatest:
        return [times, steps, [0] * len(times), bits]
    return [times, steps, _numbers(connection.execute(_ORDINALS, asked).scalar()), bits]


def _numbers(found: str | None) -> list[int]:
    return _INTEGERS.decode(f"[{found or ''}]")


def _in_order(columns: list[list[int]]) -> list[list[int]]:
    """Return columns sorted by the first, the second, ..., as they come where times grow with the steps."""
    times, steps, ordinals, _ = columns
    if all(map(le, times, islice(times, 1, None))) and (
        all(map(lt, steps, islice(steps, 1, None))) or _is_sorted(times, steps, ordinals)
    ):
        return columns
    return [list(column) for column in zip(*sorted(zip(*columns, strict=True)), strict=True)]


def _is_sorted(*columns: list[int]) -> bool:
    rows = list(zip(*columns, strict=True))
    return all(map(lt, rows, islice(rows, 1, None)))


# What MLflow's pages show of an error begins with the name of what was asked for.
def _check_bulk(run_ids: Sequence[str], metric_key: str) -> None:
    if not run_ids:
        raise InvalidParameter("GetMetricHistoryBulk request must specify at least one run_id.")
    if len(run_ids) > _MAX_RUNS:
        raise InvalidParameter(
            f"GetMetricHistoryBulk request cannot specify more than {_MAX_RUNS} run_ids, but "
            f"{len(run_ids)} were given."
        )
    if not metric_key:
        raise InvalidParameter("GetMetricHistoryBulk request must specify a metric_key.")


def _check_interval(run_ids: Sequence[str], start_step: int | None, end_step: int | None) -> None:
    if not run_ids:
        raise InvalidParameter("Missing value for required parameter 'run_ids'.")
    if len(run_ids) > _MAX_RUNS:
        raise InvalidParameter(
            f"GetMetricHistoryBulkInterval request must specify at most {_MAX_RUNS} run_ids. "
            f"{len(run_ids)} were given."
        )
    if (start_step is None) != (end_step is None):
        raise InvalidParameter(
            "If either start step or end step are specified, both must be specified. Give start_step and end_step, "
            "or neither."
        )
    if start_step is not None and end_step is not None and start_step > end_step:
        raise InvalidParameter(
            f"end_step must be greater than start_step. Given were {start_step} and {end_step}."
        )
