"""Digests of data: the ones that MLflow computes, so that the same data is the same dataset in both.

They tell data apart; they prove nothing. The first 10,000 rows (or cells of an array) count, and the shape.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

SAMPLE = 10_000
_LENGTH = 8


def frame_digest(frame: Any) -> str:
    """Return the digest of a pandas DataFrame: of its columns of text and of numbers."""
    import numpy as np
    import pandas as pd

    head = frame.head(SAMPLE)
    parts = [_dense(head.iloc[:, place]) for place in range(len(head.columns))]
    is_text = [all(type(cell) is str for cell in part) for part in parts]
    places = head.set_axis(range(len(parts)), axis=1).select_dtypes(include=[np.number]).columns
    is_number = [place in places for place in range(len(parts))]
    try:
        kept = head.columns[is_text].union(head.columns[is_number])
        cells = pd.util.hash_pandas_object(head[kept]).to_numpy()
    except (TypeError, ValueError, LookupError):
        # Names such as None, or sparse columns: MLflow gives up.
        chosen = [part for part, *what in zip(parts, is_text, is_number, strict=True) if any(what)]
        dense = pd.DataFrame(dict(enumerate(chosen)), index=head.index)
        cells = pd.util.hash_pandas_object(dense).to_numpy()
    names = [str(name).encode() for name in frame.columns]
    return _digest([cells, np.int64(len(frame)), *names])


def _dense(column: Any) -> Any:
    return column.sparse.to_dense() if hasattr(column.dtype, "fill_value") else column


def array_digest(*arrays: Any) -> str:
    """Return the digest of arrays, or of dicts of arrays; ``None`` is left out."""
    parts: list[Any] = []
    for item in arrays:
        if isinstance(item, Mapping):
            for name in sorted(item):
                parts += _array_parts(item[name])
        elif item is not None:
            parts += _array_parts(item)
    return _digest(parts)


def _array_parts(array: Any) -> list[Any]:
    import numpy as np
    import pandas as pd

    cells = array.flatten()[:SAMPLE]
    try:
        found = pd.util.hash_array(cells)
    except TypeError:  # cells that cannot be hashed, such as lists
        found = np.int64(cells.size)
    return [found, *(np.int64(size) for size in array.shape)]


def _digest(parts: Iterable[Any]) -> str:
    found = hashlib.md5(usedforsecurity=False)
    for part in parts:
        found.update(part)
    return found.hexdigest()[:_LENGTH]


def description_digest(content: Mapping[str, Any]) -> str:
    """Return the digest of a dataset that is known by its description alone."""
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:_LENGTH]
