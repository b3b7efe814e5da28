"""A polars DataFrame as a dataset."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from mltrack_jupyter.data.pandas_dataset import FrameDataset
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.models import Column, Schema

# MLflow's word for each type of polars; those of the second line hold more than is needed.
_TYPES = {
    "Binary": "binary", "Boolean": "boolean", "Datetime": "datetime", "String": "string",
    "Float32": "float", "Float64": "double", "Int8": "integer", "Int16": "integer", "Int32": "integer",
    "Int64": "long", "Categorical": "string", "Enum": "string", "Date": "datetime", "UInt8": "integer",
    "UInt16": "integer", "UInt32": "long",
}  # fmt: skip


class PolarsDataset(FrameDataset):
    """A DataFrame of polars as a dataset."""

    def _compute_digest(self) -> str:
        return str(self.df.hash_rows().sum())

    @cached_property
    def schema(self) -> Schema | None:
        """Types of the columns, or ``None`` where one has no name in a signature."""
        try:
            return Schema(
                [
                    # As MLflow has it: a column is needed if anything is in it.
                    Column(kind.pop("type"), name, self.df[name].count() > 0, kind)
                    for name, kind in (
                        (name, _type(self.df[name].dtype)) for name in self.df.columns
                    )
                ]
            )
        except InvalidParameter:
            return None

    @property
    def profile(self) -> dict[str, Any]:
        """Numbers of rows and of cells."""
        return {"num_rows": self.df.height, "num_elements": self.df.height * self.df.width}

    def to_pandas(self) -> Any:
        """Return the data as a DataFrame of pandas."""
        import pandas as pd

        return pd.DataFrame(self.df.to_dict(as_series=False), columns=self.df.columns)


def _type(dtype: Any) -> dict[str, Any]:
    """Return MLflow's JSON for a type of polars."""
    name = str(dtype.base_type()) if hasattr(dtype, "base_type") else str(dtype)
    if name in ("List", "Array"):
        return {"type": "array", "items": _type(dtype.inner)}
    if name == "Struct":
        fields = {field.name: {**_type(field.dtype), "required": True} for field in dtype.fields}
        return {"type": "object", "properties": fields}
    if name not in _TYPES:
        raise InvalidParameter(f"A model's signature has no name for the type {dtype} of polars.")
    return {"type": _TYPES[name]}


def from_polars(
    df: Any,
    source: Any = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
    predictions: str | None = None,
) -> PolarsDataset:
    """Return a DataFrame of polars as a dataset.

    The parameters are those of :func:`from_pandas`. Raises ``InvalidParameter`` for something else.
    """
    if not (hasattr(df, "hash_rows") and hasattr(df, "columns")):
        raise InvalidParameter(
            f"from_polars takes a DataFrame of polars, not a {type(df).__name__}; collect() makes one of a "
            "LazyFrame, from_pandas takes one of pandas."
        )
    return PolarsDataset(df, source, targets, name, digest, predictions)
