"""Histories of metrics in SQL."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, select, text

from mltrack_jupyter.entities import Metric, MetricSeries, Page
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
_INTEGERS = msgspec.json.Decoder(list[int])
_JOINED = text(
    "SELECT group_concat(timestamp), group_concat(step), group_concat(bits) FROM metrics "
    "WHERE run = (SELECT id FROM runs WHERE run_id = :run_id) "
    "AND key_id = (SELECT id FROM metric_keys WHERE key = :key)"
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
        if self._database.is_sqlite and not offset and max_results is None:
            with self._database.read() as connection:
                return Page(_whole_history(connection, run_id, metric_key), "")
        query = (
            select(metrics.c.timestamp, metrics.c.step, metrics.c.bits)
            .join(runs, runs.c.id == metrics.c.run)
            .join(metric_keys, metric_keys.c.id == metrics.c.key_id)
            .where(runs.c.run_id == run_id, metric_keys.c.key == metric_key)
            .order_by(metrics.c.timestamp, metrics.c.step, metrics.c.bits)
        )
        if offset or max_results is not None:
            query = query.offset(offset)
            query = query.limit(max_results + 1 if max_results is not None else _MOST)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        more = ""
        if max_results is not None and len(rows) > max_results:
            rows, more = rows[:max_results], encode_token(offset + max_results)
        values = from_bits_many([row.bits for row in rows])
        points = [
            Metric(metric_key, value, row.timestamp, row.step)
            for value, row in zip(values, rows, strict=True)
        ]
        return Page(points, more)

    def history_bulk_interval(
        self,
        run_ids: list[str],
        metric_key: str,
        start_step: int | None = None,
        end_step: int | None = None,
        max_results: int = 2500,
    ) -> list[Metric]:
        _check_interval(run_ids, start_step, end_step)
        rules.check_page_size(max_results, 2500)
        query = (
            select(metrics.c.timestamp, metrics.c.step, metrics.c.bits)
            .join(runs, runs.c.id == metrics.c.run)
            .join(metric_keys, metric_keys.c.id == metrics.c.key_id)
            .where(metric_keys.c.key == metric_key)
            .order_by(metrics.c.step, metrics.c.timestamp, metrics.c.bits)
        )
        if start_step is not None:
            query = query.where(metrics.c.step.between(start_step, end_step))
        found: list[Metric] = []
        with self._database.read() as connection:
            for run_id in run_ids:
                rows = connection.execute(query.where(runs.c.run_id == run_id)).all()
                found += [
                    Metric(metric_key, from_bits(row.bits), row.timestamp, row.step, run_id=run_id)
                    for row in (rows[index] for index in spread(len(rows), max_results))
                ]
        return found

    def series(
        self, run_ids: list[str], metric_keys: list[str], max_points: int = 1000
    ) -> list[MetricSeries]:
        metric_series.check(run_ids, metric_keys, max_points)
        with self._database.read() as connection:
            return metric_series.load(connection, run_ids, metric_keys, max_points)


def _whole_history(connection: Connection, run_id: str, key: str) -> list[Metric]:
    """Return every point, from SQLite: three texts of numbers are read faster than 100,000 rows."""
    found = connection.execute(_JOINED, {"run_id": run_id, "key": key}).one()
    times, steps, bits = (_INTEGERS.decode(f"[{text or ''}]") for text in found)
    rows = sorted(zip(times, steps, bits, strict=True))  # nearly sorted as it is, by step
    values = from_bits_many([row[2] for row in rows])
    return [Metric(key, value, row[0], row[1]) for row, value in zip(rows, values, strict=True)]


def _check_interval(run_ids: Sequence[str], start_step: int | None, end_step: int | None) -> None:
    if not run_ids or len(run_ids) > _MAX_RUNS:
        raise InvalidParameter(
            f"Invalid value for parameter 'run_ids': from 1 to {_MAX_RUNS} are expected, "
            f"not {len(run_ids)}."
        )
    if (start_step is None) != (end_step is None):
        raise InvalidParameter("Give start_step and end_step together, or neither of them.")
    if start_step is not None and end_step is not None and start_step > end_step:
        raise InvalidParameter(
            f"end_step must not be less than start_step, but {end_step} is less than {start_step}."
        )
