"""The search of logged models: clauses on metrics, on some datasets only, and their own form of order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select

from mltrack_jupyter.entities import ModelDataset, ModelOrder
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store.rules import short
from mltrack_jupyter.store.sql.search import LOGGED_MODEL_FIELDS, Filter
from mltrack_jupyter.store.sql.search.fields import Points
from mltrack_jupyter.store.sql.search.grammar import MAX_ORDER
from mltrack_jupyter.store.sql.tables import logged_model_metrics, logged_models
from mltrack_jupyter.store.sql.values import to_bits

_MAX_DATASETS = 100
_POINTS = logged_model_metrics


def matching(query: Select[Any], text: str, datasets: Sequence[ModelDataset]) -> Select[Any]:
    """Add the conditions of a filter, and of datasets, to a query. Raises ``InvalidParameter``."""
    if not datasets:
        return Filter(LOGGED_MODEL_FIELDS, text).of(query)
    if len(datasets) > _MAX_DATASETS:
        raise InvalidParameter(f"At most {_MAX_DATASETS} datasets can be asked for at once.")
    if not all(dataset.dataset_name for dataset in datasets):
        raise InvalidParameter("Missing value for required parameter 'datasets[].dataset_name'.")
    among = or_(*(_on(item.dataset_name, item.dataset_digest) for item in datasets))
    points = Points(_POINTS, "logged_model", among)
    asked = Filter(replace(LOGGED_MODEL_FIELDS, points={"metrics": points}), text)
    query = asked.of(query)
    if asked.names("metrics"):
        return query
    measured = select(_POINTS.c.logged_model).where(among)
    return query.where(logged_models.c.id.in_(measured))


def _on(name: str, digest: str) -> ColumnElement[bool]:
    conditions = [_POINTS.c.dataset_name == name] if name else []
    conditions += [_POINTS.c.dataset_digest == digest] if digest else []
    return and_(True, *conditions)


def in_order(query: Select[Any], items: Sequence[ModelOrder]) -> Select[Any]:
    """Add an order to a query: values that are missing or NaN come last, ties the newest first."""
    if len(items) > MAX_ORDER:
        raise InvalidParameter(f"An order may have at most {MAX_ORDER} columns, not {len(items)}.")
    for item in items:
        entity, dot, key = item.field_name.partition(".")
        if dot and entity == "metrics" and key:
            latest = _latest(key, item)
            query = query.outerjoin(latest, latest.c.logged_model == logged_models.c.id)
            column: ColumnElement[Any] = latest.c.bits
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


def _latest(key: str, item: ModelOrder) -> Any:
    """Return the last point of a metric by time and step, for each model that has one."""
    newest = [column.desc() for column in _POINTS.c["timestamp", "step", "ordinal", "bits"]]
    place = func.row_number().over(partition_by=_POINTS.c.logged_model, order_by=newest)
    ranked = (
        select(_POINTS.c.logged_model, _POINTS.c.bits, place.label("place"))
        .where(_POINTS.c.key == key, _on(item.dataset_name, item.dataset_digest))
        .subquery()
    )
    return select(ranked.c.logged_model, ranked.c.bits).where(ranked.c.place == 1).subquery()
