"""Types of the values in a model's columns and params, single and nested: MLflow's words and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from mltrack_jupyter.errors import InvalidParameter

_NUMPY = {
    "boolean": "bool", "integer": "int32", "long": "int64", "float": "float32", "double": "float64",
    "string": "str", "binary": "bytes", "datetime": "datetime64[ns]",
}  # fmt: skip


class DataType(str, Enum):
    """Types of single values; ``integer`` and ``float`` have 32 bits, ``long`` and ``double`` 64."""

    boolean = "boolean"
    integer = "integer"
    long = "long"
    float = "float"
    double = "double"
    string = "string"
    binary = "binary"
    datetime = "datetime"

    def __str__(self) -> str:
        return self.value

    __repr__ = __str__

    def to_dict(self) -> dict[str, Any]:
        """Return MLflow's JSON object."""
        return {"type": self.value}

    def to_numpy(self) -> Any:
        """Return numpy's type for such values."""
        import numpy as np

        return np.dtype(_NUMPY[self.value])

    def to_pandas(self) -> Any:
        """Return the type of a column of pandas with such values."""
        import numpy as np

        return np.dtype("O") if self.value in ("string", "binary") else self.to_numpy()

    @classmethod
    def get_datatypes(cls) -> list[str]:
        """Return the names of all types."""
        return [member.value for member in cls]


@dataclass(frozen=True)
class Array:
    """A list of values of one type."""

    dtype: ValueType

    def __post_init__(self) -> None:
        object.__setattr__(self, "dtype", value_type(self.dtype))

    def to_dict(self) -> dict[str, Any]:
        """Return MLflow's JSON object."""
        return {"type": "array", "items": self.dtype.to_dict()}

    @classmethod
    def from_json_dict(cls, **content: Any) -> Array:
        """Read MLflow's JSON object."""
        return cls(_part(content, "items"))

    def __repr__(self) -> str:
        return f"Array({self.dtype!r})"


@dataclass(frozen=True)
class Property:
    """A named value of an object."""

    name: str
    dtype: ValueType
    required: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "dtype", value_type(self.dtype))

    def to_dict(self) -> dict[str, Any]:
        """Return MLflow's JSON object."""
        return {self.name: {**self.dtype.to_dict(), "required": self.required}}

    @classmethod
    def from_json_dict(cls, **content: Any) -> Property:
        """Read MLflow's JSON object: one name, and what it has."""
        [(name, about)] = content.items()
        if not isinstance(about, Mapping):
            raise _no_type(content)
        kind = {key: value for key, value in about.items() if key != "required"}
        return cls(name, read_type(kind), bool(about.get("required", True)))

    def __repr__(self) -> str:
        return f"{self.name}: {self.dtype!r} ({needed(self.required)})"


@dataclass(frozen=True)
class Object:
    """A record: values under names."""

    properties: Sequence[Property]

    def __post_init__(self) -> None:
        object.__setattr__(self, "properties", tuple(self.properties))

    def to_dict(self) -> dict[str, Any]:
        """Return MLflow's JSON object."""
        named = {name: about for item in self.properties for name, about in item.to_dict().items()}
        return {"type": "object", "properties": named}

    @classmethod
    def from_json_dict(cls, **content: Any) -> Object:
        """Read MLflow's JSON object."""
        named = content.get("properties")
        if not isinstance(named, Mapping):
            raise _no_type(content)
        return cls([Property.from_json_dict(**{str(name): named[name]}) for name in named])

    def __repr__(self) -> str:
        return "{" + ", ".join(repr(item) for item in self.properties) + "}"


@dataclass(frozen=True)
class Map:
    """Values of one type under any texts."""

    value_type: ValueType

    def __post_init__(self) -> None:
        object.__setattr__(self, "value_type", value_type(self.value_type))

    def to_dict(self) -> dict[str, Any]:
        """Return MLflow's JSON object."""
        return {"type": "map", "values": self.value_type.to_dict()}

    @classmethod
    def from_json_dict(cls, **content: Any) -> Map:
        """Read MLflow's JSON object."""
        return cls(_part(content, "values"))

    def __repr__(self) -> str:
        return f"Map(str -> {self.value_type!r})"


@dataclass(frozen=True)
class AnyType:
    """A value of any type."""

    def to_dict(self) -> dict[str, Any]:
        """Return MLflow's JSON object."""
        return {"type": "any"}

    def __repr__(self) -> str:
        return "Any"


@dataclass(frozen=True)
class OtherType:
    """A type that is not known here, as MLflow's JSON has it: a model is not lost for it."""

    content: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return MLflow's JSON object."""
        return dict(self.content)

    def __repr__(self) -> str:
        return str(self.content.get("type"))


ValueType = DataType | Array | Object | Map | AnyType | OtherType
_NESTED: dict[str, type[Array | Object | Map]] = {"array": Array, "object": Object, "map": Map}


def value_type(given: object) -> ValueType:
    """Return the type that somebody named. Raises ``InvalidParameter`` for a name that there is not."""
    if isinstance(given, ValueType):
        return given
    if given == "any":
        return AnyType()
    if isinstance(given, str) and given in DataType.get_datatypes():
        return DataType(given)
    raise InvalidParameter(
        f"There is no type {given!r} in a model's signature; right are "
        f"{', '.join(DataType.get_datatypes())}, and Array, Object, Map of them."
    )


def read_type(content: Mapping[str, Any]) -> ValueType:
    """Read MLflow's JSON object; what is not known here, or not complete, is kept as it is."""
    name = content.get("type")
    try:
        if isinstance(name, str) and name in _NESTED:
            return _NESTED[name].from_json_dict(**content)
        return value_type(name) if len(content) == 1 else OtherType(content)
    except InvalidParameter:
        return OtherType(content)


def json_list(text: object) -> list[dict[str, Any]]:
    """Read a JSON list of objects, of which a signature is made. Raises ``InvalidParameter``."""
    try:
        items = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError) as error:
        raise InvalidParameter(f"The signature of the model is corrupt: {error}") from error
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise InvalidParameter(
            "The signature of the model is corrupt: it must be a JSON list of objects."
        )
    return items


def needed(required: bool) -> str:
    """Return MLflow's word for whether something may be left out."""
    return "required" if required else "optional"


def _part(content: Mapping[str, Any], name: str) -> ValueType:
    inner = content.get(name)
    if not isinstance(inner, Mapping):
        raise _no_type(content)
    return read_type(inner)


def _no_type(content: object) -> InvalidParameter:
    return InvalidParameter(f"{repr(content)[:120]} is no type of a model's signature.")
