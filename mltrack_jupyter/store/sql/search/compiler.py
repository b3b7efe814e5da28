"""From the tree of a filter to SQL with bound parameters. Nothing a user typed becomes SQL text."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.sql import operators as sql_operators

from mltrack_jupyter.store.rules import parse_experiment_id
from mltrack_jupyter.store.sql.search.fields import (
    LISTS,
    TEXTS,
    Attribute,
    Fields,
    Linked,
    Pairs,
    Points,
)
from mltrack_jupyter.store.sql.search.grammar import (
    Comparison,
    Identifier,
    fail,
    parse_filter,
    parse_order,
)
from mltrack_jupyter.store.sql.tables import SHORT_VALUE, runs
from mltrack_jupyter.store.sql.types import NUMBER
from mltrack_jupyter.store.sql.values import to_bits
from mltrack_jupyter.suggestions import did_you_mean

_SYMBOLS = {
    "=": sql_operators.eq,
    "!=": sql_operators.ne,
    "<": sql_operators.lt,
    "<=": sql_operators.le,
    ">": sql_operators.gt,
    ">=": sql_operators.ge,
}
_RANGES = frozenset({"=", "<", "<=", ">", ">="})
_SHORT = 250  # as SHORT_VALUE says


def filtered(query: Select[Any], fields: Fields, text: str) -> Select[Any]:
    """Add the conditions of a filter to a query. Raises ``InvalidParameter``."""
    for comparison in parse_filter(text, double_quotes=fields.double_quotes):
        query = query.where(_condition(fields, comparison, text))
    return query


def _condition(fields: Fields, comparison: Comparison, text: str) -> ColumnElement[bool]:
    identifier = comparison.identifier
    field = _field(fields, identifier, text)
    if isinstance(field, Attribute):
        if not field.filterable:
            raise fail(text, identifier.position, f"{identifier} can be ordered by, not filtered.")
        _check(field, comparison, text)
        return _compare(field.column, comparison, _attribute_value(field, comparison, text))
    if isinstance(field, Linked):
        return _linked(field, comparison, text)
    _check(field, comparison, text)
    if isinstance(field, Points):
        return _latest_point(fields, field, comparison)
    table = field.table
    mine = and_(table.c[field.owner] == fields.table.c.id, table.c.key == identifier.key)
    if comparison.operator == "IS NULL":
        return ~exists().where(mine)
    if comparison.operator == "IS NOT NULL":
        return exists().where(mine)
    if identifier.key in field.absent:
        stored = select(table.c.value).where(mine).scalar_subquery()
        present = func.coalesce(stored, field.absent[identifier.key])
        return _compare(present, comparison, comparison.value)
    condition = _compare(table.c.value, comparison, comparison.value)
    if field.numeric and comparison.operator == "!=":
        condition = or_(condition, table.c.value.is_(None))  # NULL is NaN, which equals nothing
    return exists().where(mine, condition)


def _linked(field: Linked, comparison: Comparison, text: str) -> ColumnElement[bool]:
    key = comparison.identifier.key
    if key not in field.columns:
        raise fail(text, comparison.identifier.position, f"expected {_listed(field.columns)}.")
    attribute = Attribute(field.columns[key], TEXTS | LISTS)
    _check(attribute, comparison, text)
    joined = and_(
        field.link.c[field.owner] == runs.c.id,
        field.link.c[field.target.name.removesuffix("s")] == field.target.c.id,
    )
    return exists().where(joined, _compare(attribute.column, comparison, comparison.value))


def _latest_point(fields: Fields, field: Points, comparison: Comparison) -> ColumnElement[bool]:
    table, operator = field.table, comparison.operator
    value = float(comparison.value)  # type: ignore[arg-type]
    mine = and_(table.c[field.owner] == fields.table.c.id, table.c.key == comparison.identifier.key)
    points = select(table.c.bits).where(mine)
    points = points if field.among is None else points.where(field.among)
    newest = (column.desc() for column in table.c["timestamp", "step", "ordinal", "bits"])
    bits, zero = points.order_by(*newest).limit(1).scalar_subquery(), value == 0
    low, high = (to_bits(-0.0), to_bits(0.0)) if zero else (to_bits(value), to_bits(value))
    same = bits.between(low, high)
    # The bits of NaN lie beyond those of the infinities; NaN differs from everything, and no more.
    conditions: dict[str, ColumnElement[bool]] = {
        "=": same,
        "!=": ~same,
        "<": and_(bits >= to_bits(-math.inf), bits < low),
        "<=": and_(bits >= to_bits(-math.inf), bits <= high),
        ">": and_(bits <= to_bits(math.inf), bits > high),
        ">=": and_(bits <= to_bits(math.inf), bits >= low),
    }
    return conditions[operator]


def _field(
    fields: Fields, identifier: Identifier, text: str
) -> Attribute | Pairs | Linked | Points:
    entity, key = identifier.entity, identifier.key
    if entity in fields.points:
        return fields.points[entity]
    if entity in fields.pairs:
        return fields.pairs[entity]
    if entity in fields.linked:
        return fields.linked[entity]
    if entity == "" or entity in fields.prefixes:
        if key in fields.attributes:
            return fields.attributes[key]
        raise fail(
            text,
            identifier.position,
            f"there is no attribute {key!r}{_near(key, fields.attributes)}; "
            f"expected {_listed(fields.attributes)}{_or_pairs(fields, key)}.",
        )
    known = [*fields.pairs, *fields.linked, *fields.points, *fields.prefixes]
    raise fail(
        text,
        identifier.position,
        f"{entity!r} cannot be asked for{_near(entity, known)}; expected {_listed(known)}.",
    )


def _or_pairs(fields: Fields, key: str) -> str:
    names = [f"{name}.{key}" for name in ("metrics", "params", "tags") if name in fields.pairs]
    return f", or {' or '.join(names)}" if names else ""


def _near(name: str, known: Any) -> str:
    hint = did_you_mean(name, known)
    return f" ({hint})" if hint else ""


def _listed(names: Any) -> str:
    return ", ".join(sorted(names))


def _check(field: Attribute | Pairs | Points, comparison: Comparison, text: str) -> None:
    operator = comparison.operator
    name = comparison.identifier
    if operator not in field.operators:
        raise fail(
            text,
            comparison.position,
            f"{operator} cannot be used with {name}; expected {' '.join(sorted(field.operators))}.",
        )
    if isinstance(field, Attribute) and field.choices:
        asked = comparison.value if isinstance(comparison.value, tuple) else (comparison.value,)
        if not set(asked) <= set(field.choices):
            raise fail(
                text,
                comparison.position,
                f"{name} is one of {', '.join(field.choices)}, in capitals.",
            )
    if comparison.value is None or isinstance(comparison.value, tuple):
        return
    if field.numeric and comparison.quoted and not _number_in_quotes_is_fine(field):
        of = ", in milliseconds since 1970" if name.key.endswith(("_time", "_timestamp")) else ""
        raise fail(text, comparison.position, f"{name} is a number{of}; write it without quotes.")
    if not field.numeric and not comparison.quoted:
        raise fail(text, comparison.position, f"{name} is text; write the value in 'quotes'.")


def _number_in_quotes_is_fine(field: Attribute | Pairs | Points) -> bool:
    return isinstance(field, Attribute) and str(field.column).endswith("model_versions.version")


def _attribute_value(field: Attribute, comparison: Comparison, text: str) -> Any:
    value = comparison.value
    if isinstance(getattr(field.column, "type", None), Integer) and not field.numeric:
        many = value if isinstance(value, tuple) else (value,)
        numbers = tuple(parse_experiment_id(str(item)) for item in many)
        return numbers if isinstance(value, tuple) else numbers[0]
    if field.numeric and isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise fail(text, comparison.position, f"{value!r} is not a number.") from None
    if field.whole and isinstance(value, float) and not value.is_integer():
        raise fail(text, comparison.position, f"{comparison.identifier} is a whole number.")
    return value


def _compare(column: ColumnElement[Any], comparison: Comparison, value: Any) -> ColumnElement[bool]:
    operator = comparison.operator
    if operator in ("IN", "NOT IN"):
        return column.in_(value) if operator == "IN" else column.not_in(value)
    if operator in ("LIKE", "ILIKE"):
        return _like(column.like if operator == "LIKE" else column.ilike, value)
    if isinstance(column.type, Integer) and isinstance(value, float):
        # A database that is strict about types would round what it compares with a whole number.
        value = int(value) if value.is_integer() and abs(value) < 2**63 else literal(value, NUMBER)
    condition: ColumnElement[bool] = _SYMBOLS[operator](column, value)
    return condition


def _like(compare: Callable[..., ColumnElement[bool]], pattern: str) -> ColumnElement[bool]:
    """Compare with a pattern in which only % and _ are special; elsewhere than SQLite, so is a backslash."""
    if "\\" not in pattern:
        return compare(pattern)
    return compare(pattern.replace("\\", "\\\\"), escape="\\")


def candidates(fields: Fields, text: str) -> Iterator[Select[Any]]:
    """Yield, for each clause of a filter that an index answers, the numbers of what fits it."""
    for comparison in parse_filter(text, double_quotes=fields.double_quotes):
        identifier = comparison.identifier
        field = _field(fields, identifier, text)
        if not isinstance(field, Pairs) or identifier.key in field.absent:
            continue
        table, value = field.table, comparison.value
        found = select(table.c[field.owner]).where(table.c.key == identifier.key)
        if comparison.operator in _RANGES if field.numeric else comparison.operator == "=":
            found = found.where(_compare(table.c.value, comparison, value))
            if field.numeric:
                yield found
            elif isinstance(value, str) and len(value) <= _SHORT:
                yield found.where(SHORT_VALUE)


def first_order(fields: Fields, items: Sequence[str]) -> tuple[Pairs, str, bool] | None:
    """Return what a list is ordered by first, if that is a key of a table: the table, key, ascending."""
    for item, ordering in zip(items[:1], parse_order(items[:1]), strict=True):
        field = _field(fields, ordering.identifier, item)
        if isinstance(field, Pairs):
            return field, ordering.identifier.key, ordering.ascending
    return None


def orders_by(fields: Fields, items: Sequence[str], column: ColumnElement[Any]) -> bool:
    """Tell whether an order names an attribute that is this column."""
    found = (
        _field(fields, ordering.identifier, item)
        for item, ordering in zip(items, parse_order(items), strict=True)
    )
    return any(isinstance(field, Attribute) and field.column is column for field in found)


def ordered(query: Select[Any], fields: Fields, items: Sequence[str]) -> Select[Any]:
    """Add an order to a query: values that are missing or NaN come last, NaN before missing."""
    for item, ordering in zip(items, parse_order(items), strict=True):
        identifier = ordering.identifier
        bare = fields.order_bare and (identifier.entity or item[0] in '`"')
        field = _field(fields, identifier, item)
        keyed = isinstance(field, Pairs) and not fields.order_by_pairs
        if (
            bare
            or keyed
            or isinstance(field, Linked | Points)
            or (isinstance(field, Attribute) and not field.sortable)
        ):
            raise fail(item, identifier.position, f"{identifier} cannot be ordered by.")
        if isinstance(field, Attribute):
            column: ColumnElement[Any] = field.column
            missing: ColumnElement[Any] | None
            nullable = getattr(column, "nullable", True)
            missing = case((column.is_(None), 1), else_=0) if nullable else None
        else:
            pairs = field.table.alias()
            mine = and_(pairs.c[field.owner] == fields.table.c.id, pairs.c.key == identifier.key)
            query = query.outerjoin(pairs, mine)
            column = pairs.c.value
            missing = case((pairs.c.key.is_(None), 2), (column.is_(None), 1), else_=0)
        # An order that begins with a column itself can be that of an index.
        query = query if missing is None else query.order_by(missing)
        query = query.order_by(column.asc() if ordering.ascending else column.desc())
    return query
