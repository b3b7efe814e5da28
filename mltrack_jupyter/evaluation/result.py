"""What an evaluation found: metrics, files, tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mltrack_jupyter.plain import path_text

if TYPE_CHECKING:
    import pandas as pd

TABLE = "eval_results_table"
"""The table with a row for each row of the data, where a metric gives scores by row."""


@dataclass(frozen=True)
class EvaluationArtifact:
    """A file of an evaluation: where it is, and what it says (a figure, a DataFrame, a dict, a text)."""

    uri: str
    content: Any = field(repr=False, default=None)


@dataclass(frozen=True)
class EvaluationResult:
    """What an evaluation found.

    Parameters
    ----------
    metrics
        Name to number, under MLflow's names.
    artifacts
        Name to file, such as ``"confusion_matrix"``.
    run_id
        The run that all of it was logged to.
    """

    metrics: Mapping[str, float]
    artifacts: Mapping[str, EvaluationArtifact] = field(default_factory=dict)
    run_id: str = ""

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Name to table, for the files that are tables of rows."""
        return {
            name: item.content
            for name, item in self.artifacts.items()
            if name.endswith(TABLE) and hasattr(item.content, "columns")
        }

    def save(self, path: str | PathLike[str]) -> None:
        """Write the metrics and the places of the files as JSON into a folder."""
        folder = Path(path_text(path))
        folder.mkdir(parents=True, exist_ok=True)
        places = {name: {"uri": item.uri} for name, item in self.artifacts.items()}
        for name, content in (("metrics", dict(self.metrics)), ("artifacts_metadata", places)):
            (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
