"""A few rows that a model takes, kept beside it as JSON in the layouts that MLflow reads."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mltrack_jupyter.errors import InvalidParameter

FILE_NAME = "input_example.json"
SERVING_FILE_NAME = "serving_input_example.json"
# An example shows the shape of the data; it must not become a copy of it.
MAX_ROWS = 20


def save_example(example: Any, folder: Path) -> dict[str, Any]:
    """Write the first rows of some input; return what ``MLmodel`` says about the files."""
    kind, content, request = _layouts(example)
    _write(folder / FILE_NAME, content)
    _write(folder / SERVING_FILE_NAME, request)
    info = {"artifact_path": FILE_NAME, "serving_input_path": SERVING_FILE_NAME, "type": kind}
    return {**info, "pandas_orient": "split"} if kind == "dataframe" else info


def _layouts(example: Any) -> tuple[str, Any, Any]:
    """Return the kind of an example, its JSON, and the JSON of a request that would score it."""
    if hasattr(example, "columns") and hasattr(example, "iloc"):
        rows = example.iloc[:MAX_ROWS]
        # As objects, so that dates stay dates; what is missing (NaN, NaT, NA) becomes None.
        cells = rows.astype(object).where(rows.notna(), None).values.tolist()
        split = {"columns": [str(name) for name in rows.columns], "data": _plain(cells)}
        return "dataframe", split, {"dataframe_split": split}
    if hasattr(example, "tolist"):
        rows = example[:MAX_ROWS] if getattr(example, "ndim", 0) else example
        plain = _plain(rows.tolist())
        return "ndarray", plain, {"inputs": plain}
    plain = _plain(example[:MAX_ROWS] if isinstance(example, list | tuple) else example)
    return "json_object", plain, {"inputs": plain}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if hasattr(value, "isoformat"):
        return value.isoformat()
    # JSON has no NaN; a missing value is null there.
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write(path: Path, content: Any) -> None:
    try:
        text = json.dumps(content, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidParameter(f"The input example cannot be written as JSON: {error}.") from error
    path.write_text(text, encoding="utf-8")
