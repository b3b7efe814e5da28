"""Params that were given another value: each change is kept in the change feed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, update

from mltrack_jupyter.entities import Amendment, Param
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.sql.change_log import Write, record_changes
from mltrack_jupyter.store.sql.tables import changes, params

_ACTION = "amend-param"


def amended(run: Row[Any], key: str, before: str, after: str, **when: str | int) -> Write:
    """Return what the change feed is told of a param that has another value now.

    ``when`` has the time and actor of one that was amended elsewhere: the feed has those of the import.
    """
    detail = {"key": key, "before": before, "after": after, **when}
    told = json.dumps(detail, ensure_ascii=False)
    return Write("run", run.run_id, _ACTION, str(run.experiment), told)


def read_amendments(connection: Connection, run_id: str) -> list[Amendment]:
    """Return the amendments of a run, oldest first."""
    query = (
        select(changes.c.detail, changes.c.timestamp, changes.c.actor)
        .where(changes.c.entity == "run", changes.c.entity_id == run_id)
        .where(changes.c.action == _ACTION)
        .order_by(changes.c.seq)
    )
    return [
        Amendment(**{"timestamp": row.timestamp, "actor": row.actor, **json.loads(row.detail)})
        for row in connection.execute(query)
    ]


def check_amendments(found: Sequence[Amendment]) -> None:
    """Check names, values and times. Raises ``InvalidParameter``."""
    for item in found:
        rules.check_pairs([Param(item.key, item.before), Param(item.key, item.after)], "param")
        rules.check_int64(item.timestamp, "timestamp")
        rules.check_text(item.actor, "actor", 256)


def bring_amendments(connection: Connection, run: Row[Any], found: Sequence[Amendment]) -> None:
    """Write amendments that were made elsewhere, once; a param that has an old value here follows them."""
    if not found:
        return
    known = Counter(map(_identity, read_amendments(connection, run.run_id)))
    told = []
    for item in found:
        if known[_identity(item)] > 0:
            known[_identity(item)] -= 1
            continue
        mine = (params.c.run == run.id) & (params.c.key == item.key)
        was = mine & (params.c.value == item.before)
        connection.execute(update(params).where(was).values(value=item.after))
        told.append(
            amended(
                run,
                item.key,
                item.before,
                item.after,
                timestamp=item.timestamp,
                actor=item.actor,
            )
        )
    record_changes(connection, told)


def _identity(item: Amendment) -> tuple[str, str, str, int]:
    return item.key, item.before, item.after, item.timestamp
