"""A pandas DataFrame as a dataset."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from mltrack_jupyter.data.dataset import Dataset, schema_list, schema_or_none
from mltrack_jupyter.data.digest import frame_digest
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.models import Schema
from mltrack_jupyter.plain import is_hashable

if TYPE_CHECKING:
    import pandas as pd


def check_columns(df: Any, **named: Any) -> None:
    """Refuse the name of a column that a DataFrame has not."""
    for what, column in named.items():
        if column is not None and not (is_hashable(column) and column in df.columns):
            raise InvalidParameter(
                f"{what}={column!r} is no column of the DataFrame; its columns are "
                f"{', '.join(map(str, df.columns[:20]))}."
            )


class FrameDataset(Dataset):
    """A DataFrame, the column that is to be predicted, and the column with predictions."""

    def __init__(
        self,
        df: Any,
        source: Any = None,
        targets: Any = None,
        name: str | None = None,
        digest: str | None = None,
        predictions: Any = None,
    ) -> None:
        check_columns(df, targets=targets, predictions=predictions)
        self.df = df
        self.targets = targets
        self.predictions = predictions
        super().__init__(source, name, digest)

    def _schema_content(self) -> dict[str, Any] | None:
        return None if self.schema is None else {"mlflow_colspec": schema_list(self.schema)}


class PandasDataset(FrameDataset):
    """A DataFrame of pandas as a dataset."""

    df: pd.DataFrame

    def _compute_digest(self) -> str:
        return frame_digest(self.df)

    @cached_property
    def schema(self) -> Schema | None:
        """Types of the columns, or ``None`` where one has no name in a signature."""
        return schema_or_none(self.df)

    @property
    def profile(self) -> dict[str, Any]:
        """Numbers of rows and of cells."""
        return {"num_rows": len(self.df), "num_elements": int(self.df.size)}


def from_pandas(
    df: pd.DataFrame,
    source: Any = None,
    targets: Any = None,
    name: str | None = None,
    digest: str | None = None,
    predictions: Any = None,
) -> PandasDataset:
    """Return a DataFrame as a dataset.

    Parameters
    ----------
    source
        Where the data came from: a path, an address; the code that runs now if absent.
    targets, predictions
        Names of the column to predict, and of the column with a model's predictions: whatever the frame
        calls them, text or not.

    Raises
    ------
    InvalidParameter
        There is no such column, or ``df`` is no DataFrame.
    """
    if not (hasattr(df, "columns") and hasattr(df, "iloc")):
        raise InvalidParameter(f"from_pandas takes a DataFrame, not a {type(df).__name__}.")
    return PandasDataset(df, source, targets, name, digest, predictions)
