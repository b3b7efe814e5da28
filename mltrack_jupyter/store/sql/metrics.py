"""Histories of metrics in SQL."""

from __future__ import annotations

from sqlalchemy import select

from mltrack_jupyter.entities import Metric, Page
from mltrack_jupyter.services import Metrics
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.sql.database import Database
from mltrack_jupyter.store.sql.paging import decode_token, encode_token
from mltrack_jupyter.store.sql.tables import metric_keys, metrics, runs
from mltrack_jupyter.store.sql.values import from_bits_many


class SqlMetrics(Metrics):
    """Histories of metrics in SQL; the cost grows with the points that are read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def history(
        self, run_id: str, metric_key: str, page_token: str = "", max_results: int | None = None
    ) -> Page[Metric]:
        if max_results is not None:
            rules.check_page_size(max_results, 10**9)
        offset = decode_token(page_token)
        query = (
            select(metrics.c.timestamp, metrics.c.step, metrics.c.bits)
            .join(runs, runs.c.id == metrics.c.run)
            .join(metric_keys, metric_keys.c.id == metrics.c.key_id)
            .where(runs.c.run_id == run_id, metric_keys.c.key == metric_key)
            .order_by(metrics.c.timestamp, metrics.c.step, metrics.c.bits)
        )
        if offset or max_results is not None:
            query = query.offset(offset)
            query = query.limit(max_results + 1 if max_results is not None else 10**9)
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
