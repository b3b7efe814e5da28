"""Reading a schema off data. Neither numpy nor pandas is imported: data of theirs brings them."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.models.params import ParamSchema
from mltrack_jupyter.models.schema import Column, Name, Schema, Tensor, column_name
from mltrack_jupyter.plain import plain, scalar

_PYTHON = {
    bool: "boolean",
    int: "long",
    float: "double",
    str: "string",
    bytes: "binary",
    bytearray: "binary",
}
_ANY_WIDTH = 1 << 31
# By numpy's kind and the number of bytes: the smallest type of MLflow's that holds all of such values.
_WIDTHS = {
    "b": [(1, "boolean")],
    "i": [(4, "integer"), (8, "long")],
    "u": [(2, "integer"), (4, "long")],
    "f": [(4, "float"), (8, "double")],
    "M": [(8, "datetime")],
    "U": [(_ANY_WIDTH, "string")],
    "S": [(_ANY_WIDTH, "binary")],
}
_MISSING = ("NAType", "NaTType")
_Type = dict[str, Any]
_ANY: _Type = {"type": "any"}
# Cells of a column of Python objects that are looked at.
_SAMPLE = 1_000


def infer_params(
    params: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None,
) -> ParamSchema | None:
    """Return the schema of the settings of a call: of names and defaults, or of MLflow's JSON."""
    if not params:
        return None
    return ParamSchema.of([*(_settings(params) if isinstance(params, Mapping) else params)])


def _settings(params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield names and defaults as MLflow's JSON; a list has a length, and the type of what is in it."""
    for name, value in params.items():
        kind = _value(value)
        inner = kind.get("items", kind)
        shape = [-1] if kind["type"] == "array" else None
        yield {"name": name, "default": plain(value), "shape": shape, **inner}


def infer_schema(data: Any) -> Schema:
    """Return the schema of some data, as MLflow infers it. Raises ``InvalidParameter`` if it has none."""
    try:
        specs = _specs(as_known(data))
    except RecursionError as error:
        raise InvalidParameter("The data is nested too deeply for a signature.") from error
    if not specs:
        raise InvalidParameter("Data without columns has no signature.")
    return Schema(specs)


def _specs(data: Any) -> tuple[Column | Tensor, ...]:
    if _is(data, "pandas", "DataFrame"):
        return _frame(data)
    if _is(data, "pandas", "Series"):
        return (_series(data, data.name),)
    if _is_tensor(data):
        return (_tensor(data, None),)
    if isinstance(data, Mapping):
        return _fields(data)
    if isinstance(data, list | tuple):
        return _rows(data)
    return (_column(_value(data), None),)


def _frame(frame: Any) -> tuple[Column, ...]:
    names = [column_name(label) for label in frame.columns]
    if len(set(names)) < len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise InvalidParameter(
            f"Two columns have the name {twice!r}; the columns of a signature have a name each."
        )
    if None in names and len(names) > 1:
        raise InvalidParameter(
            "Some columns have a name and one has none; a signature needs all or none."
        )
    return tuple(_series(frame.iloc[:, place], name) for place, name in enumerate(names))


def as_known(data: Any) -> Any:
    """Return data of another library, such as torch, polars or pyarrow, as numpy's or pandas's."""
    homes = {base.__module__.partition(".")[0] for base in type(data).__mro__}
    if homes & {"numpy", "scipy"} or hasattr(data, "iloc"):
        return data
    if dataclasses.is_dataclass(data) and not isinstance(data, type):
        return {item.name: getattr(data, item.name) for item in dataclasses.fields(data)}
    if hasattr(data, "to_pandas"):
        return data.to_pandas()
    if hasattr(data, "__array__") and hasattr(data, "shape"):
        import numpy as np

        # A tensor may be on another device, and know how it came about.
        data = data.detach() if hasattr(data, "detach") else data
        return np.asarray(data.cpu() if hasattr(data, "cpu") else data)
    return data


def is_array(data: Any) -> bool:
    """Whether data is an array of numpy, with or without dimensions."""
    return _is(data, "numpy", "ndarray")


def _is(data: object, library: str, name: str) -> bool:
    return any(
        base.__name__ == name and base.__module__.partition(".")[0] == library
        for base in type(data).__mro__
    )


def _is_tensor(data: Any) -> bool:
    if is_array(data):
        return bool(data.ndim)
    return type(data).__module__.startswith("scipy.sparse")


def _tensor(data: Any, name: Name | None) -> Tensor:
    if data.dtype.kind == "V":
        raise InvalidParameter(
            f"An array of records ({data.dtype}) has no type in a signature; pandas.DataFrame(...) makes columns "
            "of it."
        )
    kind = {"U": "str", "S": "bytes"}.get(data.dtype.char, str(data.dtype.newbyteorder("=")))
    return Tensor(kind, (-1, *data.shape[1:]), name)


def _fields(data: Mapping[Any, Any]) -> tuple[Column | Tensor, ...]:
    data = {name: as_known(value) for name, value in data.items()}
    if not all(isinstance(name, str) for name in data):
        raise InvalidParameter("A signature needs text as the names of its fields.")
    if data and all(_is_tensor(value) for value in data.values()):
        return tuple(_tensor(value, name) for name, value in data.items())
    return tuple(_column(_value(value), name) for name, value in data.items())


def _rows(data: Sequence[Any]) -> tuple[Column, ...]:
    if not data or not all(isinstance(row, Mapping) for row in data):
        # MLflow reads an empty list as text.
        return (
            _column(_merge([_value(item) for item in data]) if data else {"type": "string"}, None),
        )
    names = dict.fromkeys(name for row in data for name in row)
    return tuple(
        _column(
            _merge([_value(row[name]) for row in data if name in row]),
            name,
            required=all(row.get(name) is not None for row in data),
        )
        for name in names
    )


def _column(kind: _Type, name: Any, required: bool = True) -> Column:
    details = {key: value for key, value in kind.items() if key != "type"}
    # A column without a name cannot be left out.
    needed = name is None or (required and kind != _ANY)
    return Column(kind["type"], name, needed, details)


def _series(series: Any, name: Name | None) -> Column:
    required = not bool(series.isna().any())
    return _column(_type_of(series, name), name, required)


def _type_of(series: Any, name: Name | None) -> _Type:
    """Return the type of a column by its dtype; of objects by what they are."""
    dtype = series.dtype.subtype if hasattr(series.dtype, "fill_value") else series.dtype  # sparse
    known = _by_width(dtype)
    if known is not None:
        return {"type": known}
    if getattr(dtype, "kind", "") != "O":
        raise InvalidParameter(
            f"The column {name!r} has the type {series.dtype}, for which a model's signature has no name; "
            "convert it first, for example with .astype(float)."
        )
    if hasattr(dtype, "categories"):
        values = dtype.categories[:_SAMPLE].tolist()
    else:
        head = series.dropna().head(_SAMPLE)
        better = head.infer_objects() if str(dtype) == "object" else head
        if str(better.dtype) != str(dtype):
            return _type_of(better, name)
        values = head.tolist() or [""]
    try:
        return _merge([_value(value) for value in values])
    except InvalidParameter as error:
        raise InvalidParameter(f"The column {name!r}: {error}") from error


def _by_width(dtype: Any) -> str | None:
    kind, size = getattr(dtype, "kind", ""), getattr(dtype, "itemsize", 8)
    return next((name for most, name in _WIDTHS.get(kind, ()) if size <= most), None)


def _value(value: Any) -> _Type:
    """Return the type of one value, in MLflow's JSON."""
    # NaN is the only value that differs from itself, and stands for a missing one.
    if (
        value is None
        or (isinstance(value, float) and value != value)
        or type(value).__name__ in _MISSING
    ):
        return _ANY
    value = as_known(value)
    if isinstance(value, Mapping):
        return {"type": "object", "properties": _properties([value])} if value else _ANY
    if is_array(value):
        if not value.ndim:
            return _value(value[()])
        value = list(value)
    if isinstance(value, list | tuple):
        return (
            {"type": "array", "items": _merge([_value(item) for item in value])} if value else _ANY
        )
    return {"type": _scalar(value)}


def _scalar(value: Any) -> str:
    if type(value).__module__ == "numpy" and hasattr(value, "dtype"):
        known = _by_width(value.dtype)
    elif isinstance(value, datetime.date):
        known = "datetime"
    else:
        known = _PYTHON.get(type(scalar(value)))
    if known is None:
        raise InvalidParameter(
            f"A model's signature has no name for values of the type {type(value).__qualname__}."
        )
    return known


def _properties(rows: Sequence[Mapping[Any, Any]]) -> _Type:
    names = dict.fromkeys(str(name) for row in rows for name in row)
    found = {}
    for name in names:
        kind = _merge([_value(row[name]) for row in rows if name in row])
        needed = kind != _ANY and all(name in row for row in rows)
        found[name] = {**kind, "required": needed}
    return found


def _merge(kinds: Sequence[_Type]) -> _Type:
    """Return the type that holds values of all these types."""
    known = [kind for kind in kinds if kind != _ANY]
    if not known:
        return _ANY
    first, *others = known
    for other in others:
        first = _both(first, other)
    return first


def _both(one: _Type, other: _Type) -> _Type:
    if one == other:
        return one
    if one["type"] == other["type"] == "array":
        return {"type": "array", "items": _merge([one["items"], other["items"]])}
    if one["type"] == other["type"] == "object":
        mine, theirs = one["properties"], other["properties"]
        return {
            "type": "object",
            "properties": {
                name: _property(mine.get(name), theirs.get(name)) for name in {**mine, **theirs}
            },
        }
    raise InvalidParameter(
        f"Values of the types {one['type']} and {other['type']} stand in one column; "
        "a model's signature needs one type for each."
    )


def _property(one: _Type | None, other: _Type | None) -> _Type:
    bare = [{k: v for k, v in kind.items() if k != "required"} for kind in (one, other) if kind]
    required = bool(one and other and one["required"] and other["required"])
    return {**_merge(bare), "required": required}
