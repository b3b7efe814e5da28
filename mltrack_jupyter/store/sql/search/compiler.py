"""From the tree of a filter to SQL with bound parameters. Nothing a user typed becomes SQL text."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
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
    Field,
    Fields,
    Linked,
    Pairs,
    Points,
)
from mltrack_jupyter.store.sql.search.grammar import (
    Comparison,
    Identifier,
    Ordering,
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


class Filter:
    """A filter of one kind of entity: read once, however many queries it is a part of.

    Whatever is asked of it raises ``InvalidParameter`` if it cannot be read.
    """

    def __init__(self, fields: Fields, text: str) -> None:
        self._fields = fields
        self._text = text

    def __bool__(self) -> bool:
        return bool(self._text)

    def of(self, query: Select[Any]) -> Select[Any]:
        """Return a query with the conditions of the filter."""
        return query.where(*self._conditions) if self._text else query

    def names(self, entity: str) -> bool:
        """Tell whether something of an entity is compared."""
        return any(comparison.identifier.entity == entity for comparison, _ in self._comparisons)

    def candidates(self) -> Iterator[Select[Any]]:
        """Yield, for each clause that an index answers, the numbers of what fits it."""
        for comparison, field in self._comparisons:
            key = comparison.identifier.key
            if not isinstance(field, Pairs) or key in field.absent:
                continue
            table, value = field.table, comparison.value
            found = select(table.c[field.owner]).where(table.c.key == key)
            if comparison.operator in _RANGES if field.numeric else comparison.operator == "=":
                found = found.where(_compare(table.c.value, comparison, value))
                if field.numeric:
                    yield found
                elif isinstance(value, str) and len(value) <= _SHORT:
                    yield found.where(SHORT_VALUE)

    @cached_property
    def _comparisons(self) -> list[tuple[Comparison, Field]]:
        found = parse_filter(self._text, double_quotes=self._fields.double_quotes)
        return [(item, _field(self._fields, item.identifier, self._text)) for item in found]

    @cached_property
    def _conditions(self) -> list[ColumnElement[bool]]:
        return [
            _condition(self._fields, field, comparison, self._text)
            for comparison, field in self._comparisons
        ]


class Order:
    """An order of one kind of entity, read once: values that are missing or NaN come last, NaN before missing."""

    def __init__(self, fields: Fields, items: Sequence[str]) -> None:
        self._fields = fields
        self._items = items

    def __bool__(self) -> bool:
        return bool(self._items)

    @property
    def first(self) -> tuple[Pairs, str, bool] | None:
        """What comes first, if that is a key of a table: the table, key, ascending."""
        for _, ordering, field in self._columns[:1]:
            if isinstance(field, Pairs):
                return field, ordering.identifier.key, ordering.ascending
        return None

    def names(self, column: ColumnElement[Any]) -> bool:
        """Tell whether this column is in the order as an attribute."""
        return any(
            isinstance(field, Attribute) and field.column is column for _, _, field in self._columns
        )

    def of(self, query: Select[Any], *, first: int = 0) -> Select[Any]:
        """Return a query in this order, or in that from the place ``first`` on."""
        for item, ordering, field in self._columns[first:]:
            query = _ordered(query, self._fields, item, ordering, field)
        return query

    @cached_property
    def _columns(self) -> list[tuple[str, Ordering, Field]]:
        return [
            (item, ordering, _field(self._fields, ordering.identifier, item))
            for item, ordering in zip(self._items, parse_order(self._items), strict=True)
        ]


def _condition(
    fields: Fields, field: Field, comparison: Comparison, text: str
) -> ColumnElement[bool]:
    identifier = comparison.identifier
    if isinstance(field, Attribute):
        if not field.filterable:
            raise fail(text, identifier.position, f"{identifier} can be ordered by, not filtered.")
        _check(field, comparison, text)
        return _compare(field.column, comparison, _attribute_value(field, comparison, text))
    if isinstance(field, Linked):
        return _linked(field, comparison, text)
    _check(field, comparison, text)
    if isinstance(field, Points):
        return _latest_point(field, comparison)
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


def _latest_point(field: Points, comparison: Comparison) -> ColumnElement[bool]:
    value = float(comparison.value)  # type: ignore[arg-type]
    bits = field.latest(comparison.identifier.key)
    low, high = (to_bits(-0.0), to_bits(0.0)) if value == 0 else (to_bits(value), to_bits(value))
    least, greatest = to_bits(-math.inf), to_bits(math.inf)
    # The bits of NaN lie beyond those of the infinities; NaN differs from everything, and no more.
    ranges = {
        "=": (low, high),
        "!=": (low, high),
        "<": (least, low - 1),
        "<=": (least, high),
        ">": (high + 1, greatest),
        ">=": (low, greatest),
    }
    found = bits.between(*ranges[comparison.operator])
    return ~found if comparison.operator == "!=" else found


def _field(fields: Fields, identifier: Identifier, text: str) -> Field:
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


def _ordered(
    query: Select[Any], fields: Fields, item: str, ordering: Ordering, field: Field
) -> Select[Any]:
    identifier = ordering.identifier
    bare = fields.order_bare and (identifier.entity or item[0] in '`"')
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
    return query.order_by(column.asc() if ordering.ascending else column.desc())
