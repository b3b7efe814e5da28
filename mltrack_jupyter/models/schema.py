"""The data that a model takes or gives: MLflow's schema of columns and tensors."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.models.data_types import (
    DataType,
    OtherType,
    ValueType,
    json_list,
    needed,
    read_type,
    value_type,
)
from mltrack_jupyter.models.questions import Questions
from mltrack_jupyter.plain import scalar

Name = str | int | float | bool | tuple[Any, ...]
"""The name of a column: text, or what else a frame calls its columns by and JSON keeps."""


def column_name(label: Any) -> Name | None:
    """Return the name of a column as it stands in a signature; ``None`` and NaN are none."""
    label = scalar(label)
    if isinstance(label, tuple | list):
        return tuple(column_name(part) for part in label)
    if label is None or (isinstance(label, float) and label != label):
        return None
    return label if isinstance(label, str | int) or _is_finite(label) else str(label)


def _is_finite(label: Any) -> bool:
    return isinstance(label, float) and math.isfinite(label)


@dataclass(frozen=True)
class Column:
    """A column of a table, or one field of a record.

    ``type`` takes a :class:`DataType`, its name, or a nested type such as ``Array("long")``. ``details``
    holds what a nested type needs: ``items`` of an array, ``properties`` of an object, ``values`` of a
    map, in MLflow's JSON.
    """

    type: Any
    name: Name | None = None
    required: bool = True
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        content = self.type.to_dict() if hasattr(self.type, "to_dict") else self._named()
        kind = str(content.pop("type"))
        object.__setattr__(
            self, "type", DataType(kind) if kind in DataType.get_datatypes() else kind
        )
        object.__setattr__(self, "details", content)
        object.__setattr__(self, "name", column_name(self.name))

    def _named(self) -> dict[str, Any]:
        if self.details:
            return {"type": self.type, **self.details}
        return value_type(self.type).to_dict()

    @property
    def value_type(self) -> ValueType:
        """The type as an object: a :class:`DataType`, or an ``Array``, ``Object``, ``Map``."""
        return read_type({"type": str(self.type), **self.details})

    def to_dict(self) -> dict[str, Any]:
        """Return MLflow's JSON object."""
        named = {} if self.name is None else {"name": self.name}
        return {"type": str(self.type), **self.details, **named, "required": self.required}

    def __repr__(self) -> str:
        named = "" if self.name is None else f"{self.name!r}: "
        return f"{named}{self.value_type!r} ({needed(self.required)})"

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Column:
        """Read MLflow's JSON object."""
        rest = dict(content)
        kind, name = rest.pop("type", None), rest.pop("name", None)
        # Before MLflow 2.7 the key was "optional".
        required = rest.pop("required", not rest.pop("optional", False))
        if not isinstance(kind, str) or isinstance(name, dict) or name == []:
            raise InvalidParameter(f"{_short(content)} is not a column of a model's signature.")
        # Whatever the type is: one that is not known here does not cost the model.
        known = OtherType({"type": kind, **rest})
        return cls(known, name, bool(required))

    @classmethod
    def from_json_dict(cls, **content: Any) -> Column:
        """Read MLflow's JSON object, by MLflow's name."""
        return cls.from_dict(content)


@dataclass(frozen=True, init=False)
class Tensor:
    """An array; ``-1`` in its shape stands for any length, ``type`` is numpy's type or its name."""

    dtype: str
    shape: tuple[int, ...]
    name: Name | None = None

    def __init__(self, type: Any, shape: Sequence[int], name: Name | None = None) -> None:
        object.__setattr__(self, "dtype", str(type))
        object.__setattr__(self, "shape", tuple(shape))
        object.__setattr__(self, "name", column_name(name))

    @property
    def type(self) -> Any:
        """The type of the values, as numpy has it."""
        import numpy as np

        return np.dtype(self.dtype)

    @property
    def required(self) -> bool:
        """Whether it must be given: always."""
        return True

    def __repr__(self) -> str:
        named = "" if self.name is None else f"{self.name!r}: "
        return f"{named}Tensor({self.dtype!r}, {self.shape})"

    def to_dict(self) -> dict[str, Any]:
        """Return MLflow's JSON object."""
        named = {} if self.name is None else {"name": self.name}
        return {
            **named,
            "type": "tensor",
            "tensor-spec": {"dtype": self.dtype, "shape": list(self.shape)},
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Tensor:
        """Read MLflow's JSON object."""
        spec = content.get("tensor-spec")
        name = content.get("name")
        if not isinstance(spec, Mapping) or not isinstance(spec.get("dtype"), str):
            raise InvalidParameter(f"{_short(content)} is not a tensor of a model's signature.")
        shape = spec.get("shape")
        if not isinstance(shape, list) or not all(type(size) is int for size in shape):
            raise InvalidParameter(f"{_short(content)} has no shape made of whole numbers.")
        return cls(spec["dtype"], tuple(shape), name)

    @classmethod
    def from_json_dict(cls, **content: Any) -> Tensor:
        """Read MLflow's JSON object, by MLflow's name."""
        return cls.from_dict(content)


Spec = Column | Tensor


@dataclass(frozen=True)
class Schema(Questions):
    """The columns of a table, or the tensors of a call, in their order."""

    specs: Sequence[Spec]

    def __post_init__(self) -> None:
        object.__setattr__(self, "specs", tuple(self.specs))
        for spec in self.specs:
            if not isinstance(spec, Spec):
                raise InvalidParameter(
                    f"A schema is a list of ColSpec or TensorSpec, not of {type(spec).__name__}."
                )

    def __iter__(self) -> Iterator[Spec]:
        return iter(self.specs)

    def __len__(self) -> int:
        return len(self.specs)

    def __repr__(self) -> str:
        return repr(list(self.specs))

    def to_dict(self) -> list[dict[str, Any]]:
        """Return MLflow's JSON list."""
        return [spec.to_dict() for spec in self.specs]

    def to_json(self) -> str:
        """Return MLflow's JSON text."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: str) -> Schema:
        """Read MLflow's JSON text."""
        return cls(tuple(_spec(item) for item in json_list(text)))


def _spec(item: Mapping[str, Any]) -> Spec:
    return Tensor.from_dict(item) if item.get("type") == "tensor" else Column.from_dict(item)


def _short(content: object) -> str:
    shown = repr(content)
    return shown if len(shown) <= 120 else shown[:117] + "..."
