"""Histories of metrics in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from operator import le, lt

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
_INTEGERS = msgspec.json.Decoder(list[int])
_JOINED = text(
    "SELECT group_concat(timestamp), group_concat(step), group_concat(bits) FROM metrics "
    "WHERE run = (SELECT id FROM runs WHERE run_id = :run_id) "
    "AND key_id = (SELECT id FROM metric_keys WHERE key = :key)"
)
_OF_RUN_AND_KEY = (
    select(metrics.c.timestamp, metrics.c.step, metrics.c.bits)
    .join(runs, runs.c.id == metrics.c.run)
    .join(metric_keys, metric_keys.c.id == metrics.c.key_id)
    .where(runs.c.run_id == bindparam("run_id"), metric_keys.c.key == bindparam("key"))
)
_HISTORY = _OF_RUN_AND_KEY.order_by(metrics.c.timestamp, metrics.c.step, metrics.c.bits)
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
            columns = zip(found.timestamps, found.steps, found.values, strict=True)
            points = [Metric(metric_key, value, time, step) for time, step, value in columns]
            return Page(points, "")
        most = _MOST if max_results is None else max_results
        query = _HISTORY.offset(offset).limit(most + 1)
        with self._database.read() as connection:
            asked = {"run_id": run_id, "key": metric_key}
            rows = connection.execute(query, asked).all()
        more = encode_token(offset + most) if len(rows) > most else ""
        points = [
            Metric(metric_key, from_bits(row.bits), row.timestamp, row.step) for row in rows[:most]
        ]
        return Page(points, more)

    def columns(self, run_id: str, metric_key: str) -> Points:
        asked = {"run_id": run_id, "key": metric_key}
        with self._database.read() as connection:
            if self._database.is_sqlite:
                times, steps, bits = _in_order(_joined(connection, asked))
            else:
                rows = connection.execute(_HISTORY, asked).all()
                times, steps, bits = map(list, zip(*rows, strict=True)) if rows else ([], [], [])
        values = from_bits_many(bits)
        return Points(key=metric_key, steps=steps, timestamps=times, values=values)

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
        query = _OF_RUN_AND_KEY.order_by(metrics.c.step, metrics.c.timestamp, metrics.c.bits)
        if start_step is not None:
            query = query.where(metrics.c.step.between(start_step, end_step))
        found: list[Metric] = []
        with self._database.read() as connection:
            for run_id in run_ids:
                rows = connection.execute(query, {"run_id": run_id, "key": metric_key}).all()
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


def _joined(connection: Connection, asked: dict[str, str]) -> list[list[int]]:
    """Return times, steps and bits from SQLite: three texts of numbers come faster than 100,000 rows."""
    found = connection.execute(_JOINED, asked).one()
    return [_INTEGERS.decode(f"[{text or ''}]") for text in found]


def _in_order(columns: list[list[int]]) -> list[list[int]]:
    """Return columns sorted by the first, the second, the third, as those of a training loop are anyway."""
    times, steps, _ = columns
    if all(map(le, times, islice(times, 1, None))) and all(map(lt, steps, islice(steps, 1, None))):
        return columns
    return [list(column) for column in zip(*sorted(zip(*columns, strict=True)), strict=True)]


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
