"""What goes into a model and what comes out: MLflow's schema of columns and tensors."""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from mltrack_jupyter.errors import InvalidParameter
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


@dataclass(frozen=True)
class Column:
    """A column of a table, or one field of a record.

    ``details`` holds what a nested type needs: ``items`` of an array, ``properties`` of an object,
    ``values`` of a map, in MLflow's JSON.
    """

    type: str
    name: Name | None = None
    required: bool = True
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "type", str(self.type))
        object.__setattr__(self, "name", column_name(self.name))

    def to_dict(self) -> dict[str, Any]:
        """Return MLflow's JSON object."""
        named = {} if self.name is None else {"name": self.name}
        return {"type": self.type, **self.details, **named, "required": self.required}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Column:
        """Read MLflow's JSON object."""
        rest = dict(content)
        kind, name = rest.pop("type", None), rest.pop("name", None)
        # Before MLflow 2.7 the key was "optional".
        required = rest.pop("required", not rest.pop("optional", False))
        if not isinstance(kind, str) or isinstance(name, dict) or name == []:
            raise InvalidParameter(f"{_short(content)} is not a column of a model's signature.")
        return cls(kind, name, bool(required), rest)


@dataclass(frozen=True)
class Tensor:
    """An array; ``-1`` in its shape stands for any length, ``dtype`` is numpy's type or its name."""

    dtype: str
    shape: tuple[int, ...]
    name: Name | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "dtype", str(self.dtype))
        object.__setattr__(self, "name", column_name(self.name))
        object.__setattr__(self, "shape", tuple(self.shape))

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


Spec = Column | Tensor


@dataclass(frozen=True)
class Schema:
    """The columns of a table, or the tensors of a call, in their order."""

    specs: Sequence[Spec]

    def __post_init__(self) -> None:
        object.__setattr__(self, "specs", tuple(self.specs))

    def __iter__(self) -> Iterator[Spec]:
        return iter(self.specs)

    def __len__(self) -> int:
        return len(self.specs)

    @property
    def names(self) -> list[Name]:
        """Names of the columns; empty for data without names."""
        return [spec.name for spec in self.specs if spec.name is not None]

    def to_json(self) -> str:
        """Return MLflow's JSON text."""
        return json.dumps([spec.to_dict() for spec in self.specs])

    @classmethod
    def from_json(cls, text: str) -> Schema:
        """Read MLflow's JSON text."""
        return cls(tuple(_spec(item) for item in _json_list(text)))


@dataclass(frozen=True)
class ModelSignature:
    """Schemas of a model's inputs and outputs; ``params`` are the settings of a call, as MLflow's JSON."""

    inputs: Schema | None = None
    outputs: Schema | None = None
    params: tuple[Mapping[str, Any], ...] | None = None

    def to_dict(self) -> dict[str, str | None]:
        """Return what stands in ``MLmodel``: JSON texts."""
        return {
            "inputs": self.inputs.to_json() if self.inputs else None,
            "outputs": self.outputs.to_json() if self.outputs else None,
            "params": json.dumps(list(self.params)) if self.params else None,
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> ModelSignature:
        """Read what stands in ``MLmodel``. Raises ``InvalidParameter``."""
        if not isinstance(content, Mapping):
            raise InvalidParameter("The signature of the model is corrupt: it must be a mapping.")
        inputs, outputs, params = (content.get(key) for key in ("inputs", "outputs", "params"))
        return cls(
            Schema.from_json(inputs) if inputs else None,
            Schema.from_json(outputs) if outputs else None,
            tuple(_json_list(params)) if params else None,
        )


def _spec(item: Mapping[str, Any]) -> Spec:
    return Tensor.from_dict(item) if item.get("type") == "tensor" else Column.from_dict(item)


def _json_list(text: object) -> list[dict[str, Any]]:
    try:
        items = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError) as error:
        raise InvalidParameter(f"The signature of the model is corrupt: {error}") from error
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise InvalidParameter(
            "The signature of the model is corrupt: it must be a JSON list of objects."
        )
    return items


def _short(content: object) -> str:
    shown = repr(content)
    return shown if len(shown) <= 120 else shown[:117] + "..."


def __getattr__(name: str) -> Any:
    # Scripts written for MLflow look for it here.
    if name != "infer_signature":
        raise AttributeError(f"module 'mltrack_jupyter.models.signature' has no attribute {name!r}")
    return importlib.import_module("mltrack_jupyter.models.inference").infer_signature
