"""Files of skops: objects built from a list of types, without running code that the file brings."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from importlib import metadata
from importlib.util import find_spec
from typing import Any

from mltrack_jupyter.errors import InvalidParameter

_LEAST = "0.13"
"""The first release in which a file cannot get past the list of its types."""


def dump(model: object) -> bytes:
    """Return the bytes of a file that holds a model."""
    _require()
    from skops.io import dumps

    data: bytes = dumps(model)
    return data


def foreign_types(data: bytes, name: str) -> list[str]:
    """Return the types in a file that skops does not know to be safe; nothing is built."""
    _require()
    from skops.io import get_untrusted_types

    try:
        return sorted(get_untrusted_types(data=data))
    except (zipfile.BadZipFile, ValueError, LookupError, TypeError, RecursionError) as error:
        raise InvalidParameter(
            f"The file '{name}' is not a file of skops, or a corrupt one: {error}"
        ) from error


def build(data: bytes, types: Sequence[str]) -> Any:
    """Build the object in a file; ``types`` are allowed beyond those that skops knows to be safe."""
    _require()
    from skops.io import loads

    return loads(data, trusted=list(types))


def _require() -> None:
    if find_spec("skops") is None:
        raise InvalidParameter(
            f"Files of skops need skops, which is not installed: pip install skops ({_LEAST} or newer)"
        )
    here = metadata.version("skops")
    if _numbers(here) < _numbers(_LEAST):
        raise InvalidParameter(
            f"skops {here} is not used: before {_LEAST} a file can run code while its types are looked at, "
            f"whatever is trusted. pip install 'skops>={_LEAST}'"
        )


def _numbers(version: str) -> tuple[int, ...]:
    # "0.13.post1" and "0.13rc1" are both told by their first two numbers.
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])
