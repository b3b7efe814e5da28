"""What MLflow's users ask a schema: names and types, by MLflow's names for the questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.models.data_types import DataType


class Questions:
    """A schema that is asked; ``specs`` are its columns or tensors, ``names`` those that they have."""

    specs: Sequence[Any]

    @property
    def names(self) -> list[Any]:
        """Names of the columns; empty for data without names."""
        return [spec.name for spec in self.specs if spec.name is not None]

    @property
    def inputs(self) -> list[Any]:
        """The columns or tensors, by MLflow's name."""
        return list(self.specs)

    def input_names(self) -> list[Any]:
        """Return the names, or numbers from 0 for data without names."""
        return [*self.names] if self.has_input_names() else [*range(len(self.specs))]

    def has_input_names(self) -> bool:
        """Tell whether the columns or tensors have names."""
        return bool(self.specs) and self.specs[0].name is not None

    def is_tensor_spec(self) -> bool:
        """Tell whether it is made of tensors."""
        return bool(self.specs) and _is_tensor(self.specs[0])

    def input_types(self) -> list[Any]:
        """Return the types: of columns :class:`DataType` or nested ones, of tensors those of numpy."""
        return [spec.type if _is_tensor(spec) else spec.value_type for spec in self.specs]

    def input_dict(self) -> dict[str, Any]:
        """Return the columns or tensors by name. Raises ``InvalidParameter`` if they have none."""
        return {str(name): spec for name, spec in zip(self._named(), self.specs, strict=True)}

    def input_types_dict(self) -> dict[Any, Any]:
        """Return the types by name. Raises ``InvalidParameter`` if there are no names."""
        return dict(zip(self._named(), self.input_types(), strict=True))

    def required_input_names(self) -> list[Any]:
        """Return the names of what must be given."""
        return self._names_where(True)

    def optional_input_names(self) -> list[Any]:
        """Return the names of what may be left out."""
        return self._names_where(False)

    def numpy_types(self) -> list[Any]:
        """Return numpy's types. Raises ``InvalidParameter`` for nested ones, which it has not."""
        if self.is_tensor_spec():
            return self.input_types()
        return [kind.to_numpy() for kind in self._single_types()]

    def pandas_types(self) -> list[Any]:
        """Return the types of pandas' columns. Raises ``InvalidParameter`` for nested ones and tensors."""
        return [kind.to_pandas() for kind in self._single_types()]

    def _named(self) -> list[Any]:
        if not self.has_input_names():
            raise InvalidParameter(
                "The columns have no names; input_types() has their types in order."
            )
        return self.names

    def _names_where(self, required: bool) -> list[Any]:
        pairs = zip(self.input_names(), self.specs, strict=True)
        return [name for name, spec in pairs if spec.required == required]

    def _single_types(self) -> list[DataType]:
        types = self.input_types()
        if not all(isinstance(kind, DataType) for kind in types):
            raise InvalidParameter(
                f"Only columns of single values have types of numpy and pandas; here are {types}."
            )
        return types


def _is_tensor(spec: Any) -> bool:
    return hasattr(spec, "shape")
