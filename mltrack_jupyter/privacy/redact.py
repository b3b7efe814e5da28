"""Secrets are taken out of code, params and tracebacks before anything is stored."""

from __future__ import annotations

import re
from typing import Any

from mltrack_jupyter.privacy.secrets import commands, lines, shapes
from mltrack_jupyter.privacy.secrets.code import redact_calls, redact_code
from mltrack_jupyter.privacy.secrets.files import by_file
from mltrack_jupyter.privacy.secrets.names import Kind, kind_of
from mltrack_jupyter.privacy.secrets.spans import REDACTED
from mltrack_jupyter.privacy.secrets.values import is_secret

__all__ = ["REDACTED", "redact", "redact_cut", "redact_items", "redact_value"]

_MARGIN = 4_000
"""How long a secret may be that stands where a text is cut."""

# A number or a short word, as most params are.
_PLAIN = re.compile(r"[\w.+\-]{0,15}")

# Code, diffs and outputs may be megabytes in one line, and a pattern at work lets no other thread run.
# So each takes time in proportion to the text: what repeats gives nothing back, or is bounded.


def redact(text: str) -> str:
    """Return a text with secrets replaced by ``[redacted]``; doing it twice changes nothing more.

    Known are: key shapes of common services, JSON web tokens and private keys; what is assigned to a name
    such as ``API_KEY``, ``db_password`` or ``HF_TOKEN``, in any language; what commands are given behind a flag; the
    user part of URLs and their signatures; headers; what was drawn at random. The text may be a
    diff, also one of notebooks or of files of settings; files such as ``.env`` are withheld whole.
    """
    return text if _PLAIN.fullmatch(text) else by_file(text, _redact_file)


def redact_cut(text: str, most: int, *, keep_end: bool = False, mark: str = "…") -> str:
    """Return at most so many characters of a text without secrets, its beginning or its end.

    It is redacted first: a part of a secret that a cut leaves would not be known again. Of a
    text that is much longer only the part is looked at, and what stands at its edge is not kept.
    """
    if len(text) <= most + _MARGIN:
        shown = redact(text)
        if len(shown) <= most:
            return shown
    else:
        part = text[-most - _MARGIN :] if keep_end else text[: most + _MARGIN]
        whole = redact(part)
        shown = whole[_MARGIN:] if keep_end else whole[:-_MARGIN]
    kept = max(0, most - len(mark))
    return (
        mark + shown[len(shown) - kept if len(shown) > kept else 0 :]
        if keep_end
        else shown[:kept] + mark
    )


def redact_value(name: str, value: str, most: int = 0) -> str:
    """Return the value of a param or tag, hidden whole where the name tells that it is a secret.

    ``most`` is how many characters of it are kept, if not all.
    """
    if value in ("", "None"):
        return value
    kind = kind_of(name.rsplit("/", 1)[-1])
    if kind is Kind.STRONG or (kind is not Kind.NONE and is_secret(kind, value)):
        return REDACTED
    return redact_cut(value, most) if most else redact(value)


def redact_items(name: str, value: Any, depth: int = 8) -> Any:
    """Return a value with the items of its dicts and lists hidden that stand under the name of a secret.

    Their text alone would not tell it of a list: ``{"token": ["…", "…"]}``.
    """
    if depth == 0:
        return value
    if type(value) is dict:
        return {key: redact_items(str(key), item, depth - 1) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(redact_items(name, item, depth - 1) for item in value)
    is_plain = isinstance(value, str | bytes | int | float) and not isinstance(value, bool)
    return REDACTED if is_plain and value not in ("", b"") and _hides(name, value) else value


def _hides(name: str, value: Any) -> bool:
    kind = kind_of(name.rsplit("/", 1)[-1])
    if kind is Kind.STRONG:
        return True
    text = value.decode(errors="replace") if isinstance(value, bytes) else value
    return kind is not Kind.NONE and isinstance(text, str) and is_secret(kind, text)


def _redact_file(text: str, settings: bool) -> str:
    text = shapes.redact_shapes(text)
    text = redact_code(text)
    text = redact_calls(text)
    text = shapes.redact_headers(text)
    text = lines.redact_settings(text, settings=settings)
    text = commands.redact_commands(text)
    text = lines.redact_words(text)
    return shapes.redact_random(text)
