"""Reading a signature off data. Neither numpy nor pandas is imported: data of theirs brings them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.models.signature import Column, ModelSignature, Schema, Tensor

_PYTHON = {
    bool: "boolean",
    int: "long",
    float: "double",
    str: "string",
    bytes: "binary",
    bytearray: "binary",
}
_NUMPY = {
    "bool": "boolean", "boolean": "boolean",
    "int8": "integer", "int16": "integer", "int32": "integer", "uint8": "integer", "uint16": "integer",
    "int64": "long", "uint32": "long",
    "float16": "float", "float32": "float", "float64": "double",
    "str": "string", "string": "string", "bytes": "binary",
}  # fmt: skip
_Type = dict[str, Any]
_ANY: _Type = {"type": "any"}
# Cells of a column of Python objects that are looked at.
_SAMPLE = 1_000


def infer_signature(
    model_input: Any,
    model_output: Any = None,
    params: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
) -> ModelSignature:
    """Return the signature of a model that took and gave such data.

    Parameters
    ----------
    model_input, model_output
        A DataFrame or Series, an array, a dict of arrays or values, a list of records or values.
    params
        Settings of a call: names and defaults, or MLflow's JSON.

    Examples
    --------
    >>> infer_signature([{"age": 41, "name": "Ada"}], [0.5]).inputs.names
    ['age', 'name']
    """
    return ModelSignature(
        None if model_input is None else infer_schema(model_input),
        None if model_output is None else infer_schema(model_output),
        tuple(_settings(params) if isinstance(params, Mapping) else params) if params else None,
    )


def _settings(params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield names and defaults as MLflow's JSON; a list has a length, and the type of what is in it."""
    for name, value in params.items():
        kind = _value(value)
        inner = kind.get("items", kind)
        shape = [-1] if kind["type"] == "array" else None
        yield {"name": name, "default": value, "shape": shape, **inner}


def infer_schema(data: Any) -> Schema:
    """Return the schema of some data, as MLflow infers it. Raises ``InvalidParameter`` if it has none."""
    if _is(data, "pandas", "DataFrame"):
        return Schema(tuple(_series(data[name], str(name)) for name in data.columns))
    if _is(data, "pandas", "Series"):
        return Schema((_series(data, None if data.name is None else str(data.name)),))
    if _is_tensor(data):
        return Schema((_tensor(data, None),))
    if isinstance(data, Mapping):
        return Schema(_fields(data))
    if isinstance(data, list | tuple):
        return Schema(_rows(data))
    return Schema((_column(_value(data), None),))


def _is(data: object, library: str, name: str) -> bool:
    return any(
        base.__name__ == name and base.__module__.partition(".")[0] == library
        for base in type(data).__mro__
    )


def _is_tensor(data: Any) -> bool:
    if _is(data, "numpy", "ndarray"):
        return bool(data.ndim)
    return type(data).__module__.startswith("scipy.sparse")


def _tensor(data: Any, name: str | None) -> Tensor:
    kind = {"U": "str", "S": "bytes"}.get(data.dtype.char, str(data.dtype))
    return Tensor(kind, (-1, *data.shape[1:]), name)


def _fields(data: Mapping[Any, Any]) -> tuple[Column | Tensor, ...]:
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
            str(name),
            required=all(row.get(name) is not None for row in data),
        )
        for name in names
    )


def _column(kind: _Type, name: str | None, required: bool = True) -> Column:
    details = {key: value for key, value in kind.items() if key != "type"}
    # A column without a name cannot be left out.
    needed = name is None or (required and kind != _ANY)
    return Column(kind["type"], name, needed, details)


def _series(series: Any, name: str | None) -> Column:
    required = not bool(series.isna().any())
    kind = str(series.dtype).lower()
    if kind.startswith("datetime"):
        return _column({"type": "datetime"}, name, required)
    if kind in _NUMPY:
        return _column({"type": _NUMPY[kind]}, name, required)
    if kind == "category":
        return _column(_merge([_value(value) for value in series.cat.categories]), name, required)
    if kind == "object":
        values = series.dropna().head(_SAMPLE).tolist()
        found = _merge([_value(value) for value in values]) if values else {"type": "string"}
        return _column(found, name, required)
    raise InvalidParameter(
        f"The column {name!r} has the type {series.dtype}, for which a model's signature has no name; "
        "convert it first, for example with .astype(float)."
    )


def _value(value: Any) -> _Type:
    """Return the type of one value, in MLflow's JSON."""
    # NaN is the only value that differs from itself, and stands for a missing one.
    if value is None or (isinstance(value, float) and value != value):
        return _ANY
    if isinstance(value, Mapping):
        return {"type": "object", "properties": _properties([value])} if value else _ANY
    if _is(value, "numpy", "ndarray"):
        value = list(value) if value.ndim else value[()]
    if isinstance(value, list | tuple):
        return (
            {"type": "array", "items": _merge([_value(item) for item in value])} if value else _ANY
        )
    return {"type": _scalar(value)}


def _scalar(value: Any) -> str:
    known = _PYTHON.get(type(value))
    if known is None and isinstance(value, datetime.date):
        known = "datetime"
    if known is None and type(value).__module__ == "numpy":
        name = type(value).__name__.rstrip("_")
        known = "datetime" if name == "datetime64" else _NUMPY.get(name)
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
