"""Files of an evaluation: a figure, a table, and whatever else a user's function made."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store import rules


@dataclass(frozen=True)
class File:
    """The bytes of a file, the end of its name, and what it says."""

    suffix: str
    body: bytes
    content: Any


def file_of(name: str, made: Any) -> File:
    """Return what was made as a file. A text is the path of one, or JSON; what has no other form is pickled.

    Raises
    ------
    InvalidParameter
        It is another text, or cannot be pickled.
    """
    if hasattr(made, "savefig"):
        return File(
            ".png", _bytes(lambda to: made.savefig(to, format="png", bbox_inches="tight")), made
        )
    if hasattr(made, "to_csv"):
        return File(".csv", made.to_csv(index=False).encode(), made)
    if hasattr(made, "tofile") and hasattr(made, "dtype"):
        import numpy as np

        return File(".npy", _bytes(lambda to: np.save(to, made, allow_pickle=False)), made)
    if isinstance(made, str | PathLike) and _is_file(made):
        return _read(Path(made))
    return _json(name, made) if isinstance(made, str | dict | list) else _pickle(name, made)


def _bytes(write: Callable[[io.BytesIO], object]) -> bytes:
    buffer = io.BytesIO()
    write(buffer)
    return buffer.getvalue()


def _is_file(path: str | PathLike[str]) -> bool:
    try:
        return Path(path).is_file()
    except (OSError, ValueError):  # a text that cannot be a path
        return False


def _read(path: Path) -> File:
    body = path.read_bytes()
    suffix = path.suffix.lower()
    read = _READERS.get(suffix)
    return File(suffix, body, body if read is None else read(body))


def _json(name: str, made: Any) -> File:
    try:
        content = json.loads(made) if isinstance(made, str) else made
        text = json.dumps(content, default=lambda number: number.item())
    except (AttributeError, TypeError, ValueError) as error:
        raise _refusal(name, made) from error
    return File(".json", text.encode(), content)


def _pickle(name: str, made: Any) -> File:
    try:
        return File(".pickle", pickle.dumps(made), made)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise _refusal(name, made) from error


def _refusal(name: str, made: Any) -> InvalidParameter:
    return InvalidParameter(
        f"The custom artifact {name!r} must be a figure, a DataFrame, an array, a dict, JSON, the path of a "
        f"file in the folder that the function was given, or what can be pickled, not {rules.short(made)}."
    )


def _csv(body: bytes) -> Any:
    import pandas as pd

    return pd.read_csv(io.BytesIO(body))


def _npy(body: bytes) -> Any:
    import numpy as np

    return np.load(io.BytesIO(body), allow_pickle=False)


_READERS: dict[str, Callable[[bytes], Any]] = {
    ".csv": _csv,
    ".json": json.loads,
    ".npy": _npy,
    ".txt": bytes.decode,
}
