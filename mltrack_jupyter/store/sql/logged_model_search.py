"""The search of logged models: clauses on metrics, on some datasets only, and their own form of order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, or_, select

from mltrack_jupyter.entities import ModelDataset, ModelOrder
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store.rules import short
from mltrack_jupyter.store.sql.model_points import latest_bits
from mltrack_jupyter.store.sql.search import LOGGED_MODEL_FIELDS, Filter
from mltrack_jupyter.store.sql.search.fields import Points
from mltrack_jupyter.store.sql.search.grammar import MAX_ORDER
from mltrack_jupyter.store.sql.tables import logged_model_metrics, logged_models
from mltrack_jupyter.store.sql.values import to_bits

_MAX_DATASETS = 100


def matching(
    models: ColumnElement[bool], text: str, datasets: Sequence[ModelDataset]
) -> Select[Any]:
    """Return the query for some models, with a filter and datasets. Raises ``InvalidParameter``."""
    if len(datasets) > _MAX_DATASETS:
        raise InvalidParameter(f"At most {_MAX_DATASETS} datasets can be asked for at once.")
    if not all(dataset.dataset_name for dataset in datasets):
        raise InvalidParameter("Missing value for required parameter 'datasets[].dataset_name'.")
    on = [_on(item.dataset_name, item.dataset_digest) for item in datasets]
    among = or_(*on) if on else None
    points = Points(lambda key: latest_bits(key, models, among))
    asked = Filter(replace(LOGGED_MODEL_FIELDS, points={"metrics": points}), text)
    query = asked.of(select(logged_models).where(models))
    if among is None or asked.names("metrics"):
        return query
    measured = select(logged_model_metrics.c.logged_model).where(among)
    return query.where(logged_models.c.id.in_(measured))


def _on(name: str, digest: str) -> ColumnElement[bool]:
    columns = logged_model_metrics.c
    conditions = [columns.dataset_name == name] if name else []
    conditions += [columns.dataset_digest == digest] if digest else []
    return and_(True, *conditions)


def in_order(
    query: Select[Any], items: Sequence[ModelOrder], models: ColumnElement[bool]
) -> Select[Any]:
    """Add an order to a query for some models: values that are missing or NaN come last, ties the newest first."""
    if len(items) > MAX_ORDER:
        raise InvalidParameter(f"An order may have at most {MAX_ORDER} columns, not {len(items)}.")
    for item in items:
        entity, dot, key = item.field_name.partition(".")
        if dot and entity == "metrics" and key:
            name, digest = item.dataset_name, item.dataset_digest
            on = _on(name, digest) if name or digest else None
            # Once for each model; without DISTINCT, SQLite would look it up wherever it is named.
            latest = select(logged_models.c.id, latest_bits(key, models, on).label("bits"))
            found = latest.where(models).distinct().subquery()
            query = query.join(found, found.c.id == logged_models.c.id)
            column: ColumnElement[Any] = found.c.bits
            number = column.between(to_bits(-math.inf), to_bits(math.inf))
            missing: ColumnElement[Any] = case((column.is_(None), 2), (number, 0), else_=1)
        else:
            column = _attribute(item.field_name)
            missing = case((column.is_(None), 1), else_=0)
        query = query.order_by(missing, column.asc() if item.ascending else column.desc())
    return query.order_by(logged_models.c.creation_timestamp.desc(), logged_models.c.id.desc())


def _attribute(name: str) -> ColumnElement[Any]:
    known = LOGGED_MODEL_FIELDS.attributes
    plain = name.removeprefix("attributes.").removesuffix("_ms")
    if plain not in known:
        raise InvalidParameter(
            f"Invalid order by field name: {short(name)}; expected metrics.<key> or one of "
            f"{', '.join(sorted(known))}."
        )
    return known[plain].column
