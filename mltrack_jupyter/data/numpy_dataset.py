"""Arrays of numpy as a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from mltrack_jupyter.data.dataset import Dataset, schema_or_none
from mltrack_jupyter.data.digest import array_digest
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.models import Schema
from mltrack_jupyter.models.inference import as_known


class NumpyDataset(Dataset):
    """Features, and maybe targets: an array or a dict of arrays each."""

    def __init__(
        self,
        features: Any,
        source: Any = None,
        targets: Any = None,
        name: str | None = None,
        digest: str | None = None,
    ) -> None:
        self.features = features
        self.targets = targets
        super().__init__(source, name, digest)

    def _compute_digest(self) -> str:
        return array_digest(self.features, self.targets)

    @cached_property
    def schema(self) -> tuple[Schema, Schema | None] | None:
        """Schemas of the features and of the targets, or ``None`` where they have no name."""
        features = schema_or_none(self.features)
        targets = None if self.targets is None else schema_or_none(self.targets)
        return None if features is None else (features, targets)

    def _schema_content(self) -> dict[str, Any] | None:
        if self.schema is None:
            return None
        features, targets = self.schema
        content = {
            "features": features.to_json(),
            "targets": None if targets is None else targets.to_json(),
        }
        return {"mlflow_tensorspec": content}

    @property
    def profile(self) -> dict[str, Any]:
        """Shapes, numbers of cells and of bytes."""
        parts = {"features": self.features, "targets": self.targets}
        return {
            f"{part}_{what}": _measured(data, what)
            for part, data in parts.items()
            if data is not None
            for what in ("shape", "size", "nbytes")
        }


def _measured(data: Any, what: str) -> Any:
    if isinstance(data, Mapping):
        return {name: getattr(array, what) for name, array in data.items()}
    return getattr(data, what)


def _arrays(data: Any) -> Any:
    """Return tensors of other libraries as numpy's arrays."""
    if isinstance(data, Mapping):
        return {name: as_known(array) for name, array in data.items()}
    return as_known(data)


def from_numpy(
    features: Any,
    source: Any = None,
    targets: Any = None,
    name: str | None = None,
    digest: str | None = None,
) -> NumpyDataset:
    """Return arrays as a dataset.

    Parameters
    ----------
    features, targets
        An array, or a dict of arrays by name.
    source
        Where the data came from: a path, an address; the code that runs now if absent.

    Raises
    ------
    InvalidParameter
        Something else than arrays was given.
    """
    if features is None:
        raise InvalidParameter("from_numpy needs features: an array, or a dict of arrays.")
    features, targets = _arrays(features), _arrays(targets)
    for what, data in (("features", features), ("targets", targets)):
        items = data.values() if isinstance(data, Mapping) else [data]
        if not all(hasattr(item, "nbytes") for item in items if item is not None):
            raise InvalidParameter(
                f"{what} of from_numpy must be an array or a dict of arrays, not a "
                f"{type(data).__name__}; numpy.asarray(...) makes one."
            )
    return NumpyDataset(features, source, targets, name, digest)
