"""Any value of Python in the few kinds that JSON and YAML have, and any path as text: one rule for all who take such.

Nothing is imported for it: values of numpy, pandas or torch are known by what they offer.
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections import deque
from collections.abc import Callable, Hashable, Iterable, KeysView, Mapping, Set, ValuesView
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any
from urllib.parse import unquote

from mltrack_jupyter.errors import InvalidParameter

_EXACT = (str, int, float, bool, type(None))
_WHOLE = (Mapping, list, tuple, range, deque, KeysView, ValuesView)
_MISSING = ("NAType", "NaTType")
_TEXTS = {None: "null", True: "true", False: "false"}

Leaf = Callable[[Any], Any]


def plain(
    value: Any,
    leaf: Leaf = str,
    *,
    number: Callable[[float], Any] = float,
    key: Leaf | None = None,
) -> Any:
    """Return a value made of dicts, lists, text, numbers, booleans and ``None`` alone.

    Enumerations and numbers of other libraries become what they stand for; arrays, sets and tuples lists;
    records (dataclasses, models of pydantic) dicts; a Series a dict by its index.

    Parameters
    ----------
    leaf
        What becomes of anything else, such as a date or a path.
    number
        What becomes of a NaN and of the infinities.
    key
        What becomes of the key of a dict; its text in JSON if absent.

    Raises
    ------
    InvalidParameter
        The value holds itself, is nested too deeply, or two keys of a dict become one.
    """
    try:
        return _Plain(leaf, number, key or json_key).of(value)
    except RecursionError as error:
        raise InvalidParameter("The value is nested too deeply to be written as a file.") from error


def scalar(value: Any) -> Any:
    """Return the Python value of a single one of another library, such as ``numpy.int64(3)``."""
    if type(value) in _EXACT:
        return value
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        value = _item(value)
    for kind in (bool, str, int, float):
        if isinstance(value, kind) and type(value) is not kind:
            # A text or number that is an enumeration, too, has a text of its own in str().
            return str.__str__(value) if kind is str else kind(value)
    return None if type(value).__name__ in _MISSING else value


def _item(value: Any) -> Any:
    if not _is_time(value):
        found = value.item()
        # The one number of numpy that Python has none for.
        return float(found) if type(found).__name__ == "longdouble" else found
    value = value[()]
    return None if value != value else value  # as NaN, numpy's NaT differs from itself


def json_key(key: Any) -> str:
    """Return the text by which JSON knows a key of a dict."""
    key = scalar(key)
    if isinstance(key, str):
        return key
    if key is None or isinstance(key, bool):
        return _TEXTS[key]
    return str(key)


class _Plain:
    """One walk through a value; it remembers what it is inside of."""

    def __init__(self, leaf: Leaf, number: Callable[[float], Any], key: Leaf) -> None:
        self._leaf = leaf
        self._number = number
        self._key = key
        self._inside: set[int] = set()

    def of(self, value: Any) -> Any:
        value = scalar(value)
        if type(value) is float and not math.isfinite(value):
            return self._number(value)
        if type(value) in _EXACT:
            return value
        parts = _parts(value)
        if parts is None:
            return self._leaf(value)
        with self._within(value):
            if isinstance(parts, Mapping):
                return self._dict(parts)
            return [self.of(item) for item in parts]

    def _dict(self, parts: Mapping[Any, Any]) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for given, item in parts.items():
            key = self._key(given)
            if key in found:
                raise InvalidParameter(
                    f"Two keys of a dict, one of them {given!r}, are both {key!r} in the file; one would be lost."
                )
            found[key] = self.of(item)
        return found

    @contextmanager
    def _within(self, value: Any) -> Any:
        if id(value) in self._inside:
            raise InvalidParameter(f"A {type(value).__name__} that holds itself cannot be written.")
        self._inside.add(id(value))
        try:
            yield
        finally:
            self._inside.discard(id(value))


def _parts(value: Any) -> Mapping[Any, Any] | Iterable[Any] | None:
    """Return what a value is made of: by name, or one after the other; ``None`` for one that has no parts."""
    if isinstance(value, _WHOLE):
        return value
    if isinstance(value, Set):
        return _sorted(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
    if hasattr(value, "model_dump") and not isinstance(value, type):
        return dict(value.model_dump())
    if hasattr(value, "iloc"):
        return _frame(value) if hasattr(value, "columns") else _series(value)
    if hasattr(value, "toarray"):  # sparse matrices
        return list(value.toarray())
    if hasattr(value, "tolist") and hasattr(value, "__len__"):
        return list(value) if _is_time(value) else value.tolist()
    return None


def _frame(frame: Any) -> Mapping[Any, Any]:
    if frame.columns.is_unique:
        return {name: frame[name] for name in frame.columns}
    return {"columns": list(frame.columns), "data": frame.to_numpy().tolist()}


def _series(series: Any) -> Mapping[Any, Any] | Iterable[Any]:
    index = series.index
    values = list(series)
    if not isinstance(getattr(index, "start", None), int) and index.is_unique:
        return dict(zip(index, values, strict=True))
    return values


def _sorted(values: Set[Any]) -> list[Any]:
    try:
        return sorted(values)
    except TypeError:  # of several kinds, which have no order among them
        return sorted(values, key=lambda item: (type(item).__name__, repr(item)))


def _is_time(value: Any) -> bool:
    """Whether a value is numpy's time: as an ``item()`` it would be a bare number of nanoseconds."""
    return getattr(getattr(value, "dtype", None), "kind", "") in ("M", "m")


def is_hashable(value: Any) -> bool:
    """Whether a value can be a key, all that is in it taken into account."""
    if not isinstance(value, Hashable):
        return False
    try:
        hash(value)
    except TypeError:
        return False
    return True


def path_text(path: Any, what: str = "The path") -> str:
    """Return a path as text: of text, or of what stands for a path, such as a ``pathlib.Path``.

    Raises ``InvalidParameter`` for bytes, which are no text in any certain way, and for everything else.
    """
    if isinstance(path, PurePath):
        return path.as_posix()
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else path
    if isinstance(text, str):
        return text
    hint = "; os.fsdecode(...) makes text of it" if isinstance(text, bytes) else ""
    raise InvalidParameter(f"{what} must be text or a pathlib.Path, not {_named(text)}{hint}.")


def file_uri_path(uri: str) -> tuple[str, str]:
    """Return the machine and the path that a ``file:`` URI names.

    A ``?`` or ``#`` is part of the name, whether it was percent-encoded or not: files have no queries.
    """
    rest = uri.partition(":")[2]
    machine = ""
    if rest.startswith("//"):
        machine, slash, path = rest[2:].partition("/")
        rest = slash + path
    return machine, unquote(rest)


def _named(value: Any) -> str:
    return "bytes" if isinstance(value, bytes) else f"a {type(value).__name__}"
