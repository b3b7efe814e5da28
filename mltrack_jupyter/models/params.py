"""The settings of a call of a model: names, types and defaults, as MLflow's signatures have them."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.models.data_types import (
    DataType,
    OtherType,
    ValueType,
    json_list,
    read_type,
    value_type,
)

_NUMBERS = ("integer", "long", "float", "double")
_PYTHON: dict[str, Any] = {
    "boolean": bool,
    "string": str,
    "binary": (bytes, bytearray),
    "integer": int,
    "long": int,
}


@dataclass(frozen=True)
class ParamSpec:
    """One setting; ``shape`` is ``None`` for a single value and ``(-1,)`` for a list of them.

    Raises ``InvalidParameter`` if the default is not of the type.
    """

    name: str
    dtype: ValueType
    default: Any
    shape: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        kind = value_type(self.dtype)
        shape = None if self.shape is None else tuple(self.shape)
        if shape not in (None, (-1,)):
            raise InvalidParameter(
                f"The shape of the param {self.name!r} is {shape}; right is None for a single value, or (-1,) "
                "for a list."
            )
        object.__setattr__(self, "dtype", kind)
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "default", _default(self.name, kind, self.default, shape))

    def to_dict(self) -> dict[str, Any]:
        """Return MLflow's JSON object."""
        found = self.default
        if isinstance(found, datetime.date):
            found = found.isoformat()
        return {"name": self.name, "default": found, "shape": self.shape, **self.dtype.to_dict()}

    @classmethod
    def from_json_dict(cls, **content: Any) -> ParamSpec:
        """Read MLflow's JSON object. Raises ``InvalidParameter``."""
        rest = dict(content)
        name, default, shape = (rest.pop(key, None) for key in ("name", "default", "shape"))
        # As it was called in MLflow 2.
        kind = {"type": rest.pop("dtype"), **rest} if "dtype" in rest else rest
        if not isinstance(name, str) or not (shape is None or isinstance(shape, list | tuple)):
            raise InvalidParameter(f"{repr(content)[:120]} is not a param of a model's signature.")
        return cls(name, read_type(kind), default, None if shape is None else tuple(shape))

    def __repr__(self) -> str:
        shape = f" (shape: {self.shape})" if self.shape else ""
        return f"{self.name!r}: {self.dtype!r} (default: {self.default}){shape}"


def _default(name: str, kind: ValueType, value: Any, shape: tuple[int, ...] | None) -> Any:
    if value is None or not isinstance(kind, DataType):
        return value
    if shape is None:
        return _single(name, kind, value)
    if not isinstance(value, list | tuple):
        raise InvalidParameter(f"The param {name!r} is a list; its default {value!r} is none.")
    return [_single(name, kind, item) for item in value]


def _single(name: str, kind: DataType, value: Any) -> Any:
    value = value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value
    if kind == DataType.datetime:
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind in (DataType.float, DataType.double) and number:
        return float(value)
    if (kind in _NUMBERS and isinstance(value, bool)) or not isinstance(
        value, _PYTHON.get(kind.value, float)
    ):
        raise InvalidParameter(
            f"The default {value!r} of the param {name!r} is no {kind}: give a value of that type"
            + (", or shape=(-1,) for a list." if isinstance(value, list | tuple) else ".")
        )
    return value


def _stored(content: Mapping[str, Any]) -> ParamSpec:
    """Read a setting of a model that is there: a default of another type does not cost the model."""
    try:
        return ParamSpec.from_json_dict(**content)
    except InvalidParameter:
        name, default = content.get("name"), content.get("default")
        kind = {key: content[key] for key in content if key not in ("name", "default", "shape")}
        return ParamSpec(str(name), OtherType(kind), default)


@dataclass(frozen=True)
class ParamSchema:
    """The settings of a call, each of a name of its own."""

    params: Sequence[ParamSpec]

    def __post_init__(self) -> None:
        object.__setattr__(self, "params", tuple(self.params))
        names = [spec.name for spec in self.params]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InvalidParameter(f"Params need names of their own; {twice} stand there twice.")

    def __iter__(self) -> Iterator[ParamSpec]:
        return iter(self.params)

    def __len__(self) -> int:
        return len(self.params)

    def to_dict(self) -> list[dict[str, Any]]:
        """Return MLflow's JSON list."""
        return [spec.to_dict() for spec in self.params]

    def to_json(self) -> str:
        """Return MLflow's JSON text."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> ParamSchema:
        """Read MLflow's JSON text. Raises ``InvalidParameter``."""
        return cls([_stored(item) for item in json_list(text)])

    @classmethod
    def of(cls, items: Sequence[Mapping[str, Any] | ParamSpec]) -> ParamSchema:
        """Return the schema of settings, each as MLflow's JSON object or as a :class:`ParamSpec`."""
        return cls(
            [
                item if isinstance(item, ParamSpec) else ParamSpec.from_json_dict(**item)
                for item in items
            ]
        )

    def __repr__(self) -> str:
        return repr(list(self.params))
