"""The file that an SQLite URL names. It is taken as it is written: only a query at its end is none of it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import parse_qsl, unquote

from mltrack_jupyter.errors import InvalidParameter

MEMORY = ":memory:"
_QUERY = re.compile(r"\?(?:[A-Za-z_]\w*=[^/?]*)?\Z")
_TUNING = ("timeout", "check_same_thread", "isolation_level", "detect_types", "cached_statements")
"""What is for the driver, to which this package gives settings of its own."""


def sqlite_uri(text: str) -> str:
    """Return an SQLite URL in full: ``sqlite:///`` and an absolute path, without a query.

    Raises ``InvalidParameter`` where it names no file, or in a way that could mean two.
    """
    name = sqlite_name(text)
    if name == MEMORY:
        return f"sqlite:///{MEMORY}"
    if name.startswith("file:"):
        raise InvalidParameter(
            f"{text!r} has a URI in it; right would be the path alone, as in sqlite:///folder/mltrack.db."
        )
    path = Path(os.path.abspath(Path(name)))
    decoded = Path(unquote(str(path)))
    if decoded != path and decoded.exists() and not path.exists():
        raise InvalidParameter(
            f"{text!r}: there is no file of this name, but one that is called {decoded.name!r}. The name is not "
            f"percent-encoded; right would be sqlite:///{decoded}."
        )
    return f"sqlite:///{path}"


def sqlite_name(text: str) -> str:
    """Return the name of the file in an SQLite URL, as it is written there. Raises ``InvalidParameter``."""
    name = text.partition(":///")[2]
    found = _QUERY.search(name)
    if found:
        name = name[: found.start()]
        _check_query(text, found[0][1:])
    if not name:
        raise InvalidParameter(
            f"{text!r} names no file; right would be sqlite:///folder/mltrack.db."
        )
    return name


def _check_query(text: str, query: str) -> None:
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name == "timeout" and not re.fullmatch(r"\d+(\.\d+)?", value):
            raise InvalidParameter(f"{text!r}: timeout={value!r} is no number of seconds.")
        if name not in _TUNING and (name, value) != ("mode", "rwc"):
            raise InvalidParameter(
                f"{text!r}: the query of an SQLite URL may have {', '.join(_TUNING)}, which change nothing, but "
                f"not {name}={value}. A store whose file and folder cannot be written is read only."
            )
