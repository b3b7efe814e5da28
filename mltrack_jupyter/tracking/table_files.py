"""Tables as files: JSON in the layout that MLflow reads, or Parquet. What is written comes back.

JSON has no dates: one of a column is written with nine digits of a second, and a column of nothing else is
read as dates; any other text stays text, and what looks like a number in it, too.
"""

from __future__ import annotations

import datetime
import json
import re
import secrets
from typing import TYPE_CHECKING, Any

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.plain import json_key, plain, scalar

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

_EXACT = 1 << 53
"""Up to here a float holds every whole number."""
_LONG = 1 << 63
_DATE = re.compile(r"-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z?")
_NAMES = (str, int, float, bool, type(None))


def named(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a frame whose columns have names that a file of this name gives back."""
    import pandas as pd

    if name.endswith(".parquet"):  # where they are text
        frame.columns = pd.Index([str(label) for label in frame.columns])
    elif isinstance(frame.columns, pd.MultiIndex):
        levels = [tuple(_name(part) for part in label) for label in frame.columns]
        frame.columns = pd.MultiIndex.from_tuples(levels)
    else:
        frame.columns = _index([_name(label) for label in frame.columns])
    return frame


def _name(label: Any) -> Any:
    if isinstance(label, tuple):
        return tuple(_name(part) for part in label)
    label = scalar(label)
    if isinstance(label, float) and label != label:
        return None
    return label if type(label) in _NAMES else json_key(label)


def _index(names: Sequence[Any]) -> Any:
    """Return the names of columns; those of several levels as such."""
    import pandas as pd

    lengths = {len(name) if isinstance(name, tuple) else 0 for name in names}
    if len(lengths) == 1 and lengths != {0}:
        return pd.MultiIndex.from_tuples(names)
    # As objects where they are no text alone: 1 beside 0.5 stays a whole number.
    text = all(isinstance(name, str) for name in names)
    whole = all(type(name) is int for name in names)
    return pd.Index(
        list(names), dtype=None if (text or whole) and names else object, tupleize_cols=False
    )


def longer(*frames: pd.DataFrame) -> pd.DataFrame:
    """Return tables as one, the rows of each below those of the one before."""
    import pandas as pd

    names = list(dict.fromkeys(name for frame in frames for name in frame.columns))
    if all(frame.columns.is_unique for frame in frames):
        places = [[_place(frame, name) for frame in frames] for name in names]
    elif all(list(frame.columns) == list(frames[0].columns) for frame in frames):
        names = list(frames[0].columns)
        places = [[place] * len(frames) for place in range(len(names))]
    else:
        raise InvalidParameter(
            "A table with two columns of one name is made longer by the same columns only; here are "
            + " and ".join(str(list(frame.columns)) for frame in frames[:2])
            + "."
        )
    whole = pd.DataFrame(index=pd.RangeIndex(sum(map(len, frames))))
    columns = [_joined(frames, found) for found in places]
    whole = pd.concat(columns, axis=1) if columns else whole
    whole.columns = frames[0].columns if len(names) == len(frames[0].columns) else _index(names)
    return whole


def _place(frame: pd.DataFrame, name: Any) -> int | None:
    return int(frame.columns.get_loc(name)) if name in frame.columns else None


def _joined(frames: Sequence[pd.DataFrame], places: Sequence[int | None]) -> pd.Series:
    """Return a column of several tables, in a type that holds the values of all as they are."""
    import pandas as pd

    found = [
        (None if place is None else frame.iloc[:, place], len(frame))
        for frame, place in zip(frames, places, strict=True)
        if len(frame) or len(frames) == 1
    ]
    known = [column for column, _ in found if column is not None]
    kinds = {column.dtype for column in known}
    gaps = len(known) < len(found)
    if len(kinds) == 1 and (not gaps or next(iter(kinds)).kind not in "iub"):
        kind = next(iter(kinds))
        parts = [
            pd.Series([None] * count, dtype=object).astype(kind) if column is None else column
            for column, count in found
        ]
        return pd.concat(parts, ignore_index=True)
    if not gaps and not {kind.kind for kind in kinds} & set("iu"):
        return pd.concat(known or [pd.Series([], dtype=object)], ignore_index=True)
    cells = [[None] * count if column is None else column.tolist() for column, count in found]
    return _column([scalar(cell) for part in cells for cell in part])


def table_bytes(frame: pd.DataFrame, name: str) -> bytes:
    """Return a table as the content of a file of that name. Raises ``InvalidParameter``."""
    try:
        if name.endswith(".parquet"):
            if not frame.columns.is_unique:
                raise ValueError("two of its columns have one name, which Parquet has no form for")
            return bytes(frame.to_parquet(index=False))
        return _json_bytes(frame)
    except ImportError as error:
        raise InvalidParameter("A Parquet table needs: pip install pyarrow") from error
    except (TypeError, ValueError, OverflowError, NotImplementedError, LookupError) as error:
        raise InvalidParameter(f"The table cannot be written to {name!r}: {error}.") from error


def _json_bytes(frame: pd.DataFrame) -> bytes:
    # JSON has no infinity, but a number beyond the largest float is read as one, here and in JavaScript.
    mark = secrets.token_hex(16)

    def number(value: float) -> str | None:
        return None if value != value else f"{mark}{'-' if value < 0 else ''}1e999"

    columns = [_cells(frame.iloc[:, place], number) for place in range(len(frame.columns))]
    rows = list(zip(*columns, strict=True))
    content = {"columns": frame.columns.tolist(), "data": rows}
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return re.sub(f'"{mark}(-?1e999)"', r"\1", text).encode()


def _cells(column: pd.Series, number: Any) -> list[Any]:
    """Return the cells of a column as JSON can hold them."""
    import numpy as np

    kind = column.dtype
    if isinstance(kind, np.dtype) and kind.kind in "iub":
        return list(column.tolist())
    narrow = isinstance(kind, np.dtype) and kind.kind == "f" and kind.itemsize <= 8
    if narrow and np.isfinite(column).all():
        return list(column.tolist())
    return [plain(cell, _leaf, number=number) for cell in column]


def _leaf(value: Any) -> Any:
    if isinstance(value, datetime.datetime) or type(value).__name__ == "datetime64":
        return _date(value)
    if isinstance(value, datetime.timedelta):
        import pandas as pd

        return pd.Timedelta(value).isoformat()
    if isinstance(value, bytes | bytearray):
        return value.decode()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _date(value: Any) -> str:
    import pandas as pd

    moment = pd.Timestamp(value)
    end = ""
    if moment.tzinfo is not None:
        moment, end = moment.tz_convert("UTC").tz_localize(None), "Z"
    return f"{moment.isoformat(timespec='nanoseconds')}{end}"


def parsed(content: Any, path: str) -> pd.DataFrame:
    """Return the table that is in a file, whose path says in what form. Raises ``InvalidParameter``."""
    import pandas as pd

    if path.endswith(".parquet"):
        try:
            return pd.read_parquet(content)
        except ImportError as error:
            raise InvalidParameter("A Parquet table needs: pip install pyarrow") from error
        except (OSError, ValueError) as error:  # pyarrow's own are among these
            raise InvalidParameter(f"{path!r} is no table: {error}.") from error
    try:
        if isinstance(content, str):
            with open(content, encoding="utf-8") as file:
                return _framed(json.load(file))
        return _framed(json.load(content))
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InvalidParameter(f"{path!r} is no table: {error}.") from error


def _framed(content: dict[str, Any]) -> pd.DataFrame:
    import pandas as pd

    names, rows = content["columns"], content["data"]
    if any(len(row) != len(names) for row in rows):
        raise ValueError("its rows differ in length")
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    series = {place: _column(list(cells)) for place, cells in enumerate(columns)}
    frame = pd.DataFrame(series, index=pd.RangeIndex(len(rows)))
    frame.columns = _index([_name(_tupled(name)) for name in names])
    return frame


def _tupled(name: Any) -> Any:
    return tuple(_tupled(part) for part in name) if isinstance(name, list) else name


def _column(cells: list[Any]) -> pd.Series:
    kinds = {type(cell) for cell in cells}
    return _text(cells) if kinds <= {str, type(None)} and str in kinds else as_given(cells)


def as_given(cells: list[Any]) -> pd.Series:
    """Return cells as a column, in a type that holds all of them as they are, large whole numbers too."""
    import pandas as pd

    kinds = {type(cell) for cell in cells}
    whole = [cell for cell in cells if type(cell) is int]
    if whole and kinds <= {int, float, type(None)} and len(kinds) > 1:
        if max(map(abs, whole)) <= _EXACT:
            return pd.Series(cells, dtype="float64")
        long = float not in kinds and all(-_LONG <= cell < _LONG for cell in whole)
        return pd.Series(cells, dtype="Int64" if long else object)
    return pd.Series(cells, dtype=None if cells else object)


def _text(cells: list[Any]) -> pd.Series:
    import pandas as pd

    told = [cell for cell in cells if cell is not None]
    zones = {cell.endswith("Z") for cell in told}
    if len(zones) != 1 or not all(_DATE.fullmatch(cell) for cell in told):
        return pd.Series(cells)
    # Without the digits that no cell needs, so that pandas takes the unit that it usually takes.
    if all(cell.rstrip("Z").endswith("000") for cell in told):
        cells = [cell and cell.replace("000Z", "Z").removesuffix("000") for cell in cells]
    try:
        return pd.Series(pd.to_datetime(cells, format="ISO8601", utc=True in zones))
    except (ValueError, OverflowError):  # further away than pandas counts
        return pd.Series(cells)
