"""A few rows that a model takes, kept beside it as JSON in the layouts that MLflow reads."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.models.folder import ModelFolder
from mltrack_jupyter.models.inference import as_known, is_array
from mltrack_jupyter.models.schema import column_name
from mltrack_jupyter.plain import plain

FILE_NAME = "input_example.json"
SERVING_FILE_NAME = "serving_input_example.json"
# An example shows the shape of the data; it must not become a copy of it.
MAX_ROWS = 20
MAX_CELLS = 1_000_000
MAX_BYTES = 16_000_000
_LARGEST = 64 * 1024 * 1024

_Layout = tuple[dict[str, Any], Any, Any]


def split_example(example: Any) -> tuple[Any, Mapping[str, Any] | None]:
    """Return the data of an example and the settings of the call: a pair of both is MLflow's form."""
    if isinstance(example, tuple) and len(example) == 2 and isinstance(example[1], Mapping):
        return example
    return example, None


def save_example(example: Any, folder: Path) -> dict[str, Any]:
    """Write the first rows of some input; return what ``MLmodel`` says about the files.

    Nothing is written of what JSON cannot hold. Raises ``InvalidParameter``.
    """
    data, params = split_example(example)
    info, content, request = _layout(as_known(data))
    if params is not None:
        settings = _plain(params)
        content, request = {"inputs": content, "params": settings}, {**request, "params": settings}
        info["params"] = "true"
    texts = {FILE_NAME: _text(content)}
    if request:
        texts[SERVING_FILE_NAME] = _text(request)
        info["serving_input_path"] = SERVING_FILE_NAME
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return {"artifact_path": FILE_NAME, **info}


def _layout(data: Any) -> _Layout:
    """Return what is said of an example, its JSON, and the JSON of a request that would score it."""
    if hasattr(data, "iloc") and hasattr(data, "columns"):
        rows = data.iloc[: _rows(data)]
        columns = [_plain(list(rows.iloc[:, place])) for place in range(len(rows.columns))]
        content = {
            "columns": [column_name(name) for name in rows.columns],
            "data": list(zip(*columns, strict=True)) if columns else [()] * len(rows),
        }
        return (
            {"type": "dataframe", "pandas_orient": "split"},
            content,
            {"dataframe_split": content},
        )
    if hasattr(data, "toarray"):
        if data.ndim > 1:
            return _sparse(data)
        data = data.toarray()
    if isinstance(data, Mapping) and data and all(map(is_array, data.values())):
        arrays = {column_name(name): _array(array) for name, array in data.items()}
        return {"type": "ndarray"}, arrays, {"inputs": arrays}
    if hasattr(data, "tolist"):
        array = _array(data)
        return {"type": "ndarray"}, array, {"inputs": array}
    found = _plain(data[:MAX_ROWS] if isinstance(data, list | tuple) else data)
    return {"type": "json_object"}, found, {"inputs": found}


def _rows(data: Any) -> int:
    """Return how many of the first rows are kept. Raises ``InvalidParameter`` where one is too large."""
    wide = int(prod(getattr(data, "shape", ())[1:]))
    if wide > MAX_CELLS:
        raise InvalidParameter(f"one row of it has {wide:,} cells, and {MAX_CELLS:,} are the limit")
    return min(MAX_ROWS, MAX_CELLS // max(1, wide))


def _array(array: Any) -> Any:
    if not getattr(array, "ndim", 1):
        return _plain(array)
    return _plain(array[: _rows(array)].tolist())


def _sparse(matrix: Any) -> _Layout:
    kind = matrix.format if matrix.format in ("csr", "csc") else "csr"
    rows = matrix.asformat(kind)[:MAX_ROWS]
    if rows.nnz > MAX_CELLS:
        raise InvalidParameter(
            f"its first rows have {rows.nnz:,} cells, and {MAX_CELLS:,} are the limit"
        )
    parts = {name: _plain(getattr(rows, name).tolist()) for name in ("data", "indices", "indptr")}
    dense = prod(rows.shape) <= MAX_CELLS
    request = {"inputs": _plain(rows.toarray().tolist())} if dense else {}
    return {"type": f"sparse_matrix_{kind}"}, {**parts, "shape": list(rows.shape)}, request


def read_example(folder: ModelFolder, about: Mapping[str, Any]) -> Any:
    """Return an example as it was saved: a DataFrame, an array, a sparse matrix, or what JSON has.

    ``about`` is what ``MLmodel`` says about it. Raises ``NotFound`` or ``InvalidParameter``.
    """
    text = folder.read(str(about.get("artifact_path") or FILE_NAME), _LARGEST)
    try:
        content = json.loads(text)
        if about.get("params"):
            content = content["inputs"]
        kind = str(about.get("type"))
        if kind == "dataframe":
            return _read_frame(content, str(about.get("pandas_orient", "split")))
        if kind == "ndarray":
            return _read_arrays(content)
        if kind.startswith("sparse_matrix_"):
            from scipy import sparse

            form = sparse.csc_matrix if kind.endswith("csc") else sparse.csr_matrix
            return form(
                (content["data"], content["indices"], content["indptr"]), shape=content["shape"]
            )
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InvalidParameter(f"The input example of the model is corrupt: {error}.") from error
    return content


def _read_frame(content: Any, orient: str) -> Any:
    import pandas as pd

    if orient != "split":
        return pd.DataFrame.from_records(content)
    return pd.DataFrame(content["data"], columns=content.get("columns"))


def _read_arrays(content: Any) -> Any:
    import numpy as np

    if isinstance(content, dict) and set(content) != {"inputs"}:
        return {name: np.asarray(array) for name, array in content.items()}
    # MLflow 2 has one array below a key.
    return np.asarray(content["inputs"] if isinstance(content, dict) else content)


def _plain(value: Any) -> Any:
    # JSON has no NaN; a missing value is null there.
    return plain(value, _leaf, number=lambda _value: None)


def _leaf(value: Any) -> Any:
    if isinstance(value, bytes | bytearray):  # as MLflow's reader expects it
        return base64.encodebytes(value).decode("ascii")
    if hasattr(value, "isoformat") and not hasattr(value, "total_seconds"):
        return value.isoformat()
    if type(value).__name__ == "datetime64":
        return str(value)
    raise InvalidParameter(f"JSON has no form for a {type(value).__qualname__}")


def _text(content: Any) -> str:
    text = json.dumps(content, allow_nan=False)
    if len(text) > MAX_BYTES:
        raise InvalidParameter(f"it takes {len(text):,} bytes, and {MAX_BYTES:,} are the limit")
    return text
