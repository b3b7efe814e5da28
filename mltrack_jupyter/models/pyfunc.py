"""A model of any library as one thing: data in, predictions out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from os import PathLike
from typing import Any

from mltrack_jupyter.models.audit import Origin
from mltrack_jupyter.models.loading import open_model
from mltrack_jupyter.models.mlmodel import GENERIC, ModelMetadata


@dataclass(frozen=True)
class PyFuncModel:
    """A model with :meth:`predict`, whatever library it is of.

    ``metadata`` has its signature, its flavors and the run that made it.
    """

    metadata: ModelMetadata
    _native: Any
    _predict: Callable[[Any], Any]

    def predict(self, data: Any) -> Any:
        """Return the predictions for some data, in the types that the library takes and gives."""
        return self._predict(data)

    @property
    def model_id(self) -> str | None:
        """The id of the logged model that it was loaded from, if it was one."""
        return self.metadata.model_id or None

    def unwrap(self) -> Any:
        """Return the native object."""
        return self._native

    get_raw_model = unwrap

    def __repr__(self) -> str:
        flavors = ", ".join(name for name in self.metadata.flavors if name != GENERIC)
        return f"PyFuncModel({type(self._native).__qualname__}, flavors: {flavors or GENERIC})"


def load_model(
    path: str | PathLike[str],
    *,
    trust: bool | Iterable[str] | None = None,
    origin: Origin | None = None,
) -> PyFuncModel:
    """Load a model's folder as something with ``predict``.

    ``trust`` and ``origin`` are those of :func:`mltrack_jupyter.models.load_model`.
    """
    loaded = open_model(path, trust=trust, origin=origin)
    generic = loaded.metadata.flavors.get(GENERIC, {})
    method = str(generic.get("predict_fn") or "predict")
    return PyFuncModel(
        loaded.metadata, loaded.native, loaded.flavor.predictor(loaded.native, method)
    )
