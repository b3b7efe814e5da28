"""What is written into a file of text: dicts as JSON or YAML, text as UTF-8."""

from __future__ import annotations

import datetime
import json
from os import PathLike
from typing import Any

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.plain import json_key, path_text, plain, scalar

_YAML_LEAVES = (datetime.date, datetime.datetime, bytes)
_YAML_KEYS = (str, int, float, bool, type(None), datetime.date, datetime.datetime)


def text_bytes(text: Any, name: str) -> bytes:
    """Return text as UTF-8. Raises ``InvalidParameter``."""
    if not isinstance(text, str):
        raise InvalidParameter(
            f"The file {name!r} is to hold text, not a {type(text).__name__}; str(...) makes it text, and "
            "log_dict writes dicts and lists."
        )
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InvalidParameter(f"The text for {name!r} has no form in UTF-8: {error}.") from error


def dict_text(content: Any, name: str | PathLike[str]) -> str:
    """Return a dict or list as JSON, or as YAML where the file's name ends so.

    What JSON and YAML have no kind for is text in both; see :func:`mltrack_jupyter.plain.plain`. Raises
    ``InvalidParameter``.
    """
    name = path_text(name, "An artifact path")
    is_yaml = name.endswith((".yaml", ".yml"))
    try:
        return (
            _yaml(content) if is_yaml else json.dumps(plain(content), indent=2, ensure_ascii=False)
        )
    except InvalidParameter:
        raise
    except ValueError as error:  # a whole number with thousands of digits
        form = "YAML" if is_yaml else "JSON"
        raise InvalidParameter(
            f"The file {name!r} cannot be written as {form}: {error}."
        ) from error


def _yaml(content: Any) -> str:
    import yaml

    parts = plain(content, _yaml_leaf, key=_yaml_key)
    text: str = yaml.safe_dump(parts, allow_unicode=True, sort_keys=False)
    return text


def _yaml_leaf(value: Any) -> Any:
    """Return dates and bytes as they are, which YAML has kinds for; anything else as text."""
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if hasattr(value, "to_pydatetime") and not value.nanosecond:
        value = value.to_pydatetime()
    return value if type(value) in _YAML_LEAVES else str(value)


def _yaml_key(key: Any) -> Any:
    key = scalar(key)
    return key if type(key) in _YAML_KEYS else json_key(key)
