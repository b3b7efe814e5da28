"""Runs as columns: three queries for a page, whatever the number of columns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table

from mltrack_jupyter.entities import Column, RunTable
from mltrack_jupyter.store.sql.run_data import load_cells
from mltrack_jupyter.store.sql.tables import latest_metrics, params, tags
from mltrack_jupyter.store.sql.values import from_bits

# Tags that a table shows although their names mark them as system tags.
SHOWN_TAGS = (
    "mlflow.parentRunId",
    "mlflow.source.name",
    "mltrack.model",
    "mltrack.notebook.path",
    "mltrack.inferred",
    "mltrack.warnings",
)
_SYSTEM = ("mlflow.", "mltrack.")


def load_table(
    connection: Connection,
    rows: Sequence[Row[Any]],
    wanted: Sequence[str] | None,
    next_page_token: str,
    total: int,
) -> RunTable:
    """Return rows of runs as a table with the wanted columns (``params.depth``), or with all."""
    return RunTable(
        run_ids=[row.run_id for row in rows],
        run_names=[row.name for row in rows],
        experiment_ids=[str(row.experiment) for row in rows],
        statuses=[row.status for row in rows],
        start_times=[row.start_time for row in rows],
        end_times=[row.end_time for row in rows],
        user_ids=[row.user_id for row in rows],
        columns=_columns(connection, rows, wanted),
        next_page_token=next_page_token,
        total=total,
    )


def _columns(
    connection: Connection, rows: Sequence[Row[Any]], wanted: Sequence[str] | None
) -> list[Column]:
    place = {row.id: index for index, row in enumerate(rows)}
    found: dict[tuple[str, str], list[str | float | None]] = {}
    sources: list[tuple[str, Table, str]] = [
        ("param", params, "value"),
        ("metric", latest_metrics, "bits"),
        ("tag", tags, "value"),
    ]
    for kind, table, column in sources:
        keys = None if wanted is None else _keys(kind, wanted)
        if keys == []:
            continue
        for run, key, value in load_cells(connection, table, column, list(place), keys):
            values = found.get((kind, key))
            if values is None:
                if wanted is None and not is_shown(kind, key):
                    continue
                values = found[kind, key] = [None] * len(rows)
            values[place[run]] = from_bits(value) if kind == "metric" else value
    order = {"param": 0, "metric": 1, "tag": 2}
    return [
        Column(kind=kind, key=key, values=values)
        for (kind, key), values in sorted(found.items(), key=lambda i: (order[i[0][0]], i[0][1]))
    ]


def _keys(kind: str, wanted: Collection[str]) -> list[str]:
    start = f"{kind}s."
    return sorted({name.removeprefix(start) for name in wanted if name.startswith(start)})


def is_shown(kind: str, key: str) -> bool:
    """Tell whether a table has a column where nothing is said of columns: if it is no system tag."""
    return kind != "tag" or key in SHOWN_TAGS or not key.startswith(_SYSTEM)
