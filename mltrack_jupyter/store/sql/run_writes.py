"""Writing params and tags of a run, inside a transaction that is open already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from mltrack_jupyter.entities import Param, Tag
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.names import RUN_NAME
from mltrack_jupyter.store.sql.tables import params, runs, tags
from mltrack_jupyter.store.sql.upserts import upsert


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
