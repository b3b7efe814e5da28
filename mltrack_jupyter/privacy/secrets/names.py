"""Whether a name tells that its value is a secret."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache

from mltrack_jupyter import secret_words as table


class Kind(IntEnum):
    """How surely the value of a name is a secret."""

    NONE = 0
    WEAK = 1
    """Mostly it is none (``key``): the value must look as if it was drawn at random."""
    MEDIUM = 2
    """Often it is one (``auth``): the value must have a mixture of letters and digits, or signs."""
    STRONG = 3


_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PARTS = re.compile(r"[_\-.\s/]+")
_TAIL = re.compile(r"\d+$")
_OF_DIGITS = re.compile(rf"(?:{'|'.join(table.DIGITS)})\d*$", re.IGNORECASE)
_LONGEST = 120


def may_be_digits(name: str) -> bool:
    """Tell whether a number may be the secret of a name; that of a token is mostly an id."""
    return kind_of(name) is Kind.STRONG and _OF_DIGITS.search(name[-_LONGEST:]) is not None


def kind_of(name: str) -> Kind:
    """Return how surely the value of a name is a secret; of a dotted name its last parts tell."""
    return _kind_of(name[-_LONGEST:])


@lru_cache(maxsize=4096)
def _kind_of(name: str) -> Kind:
    words = [word for word in _PARTS.split(_CAMEL.sub("_", name).lower()) if word]
    if "account" in words[:-1] and words[words.index("account") + 1] == "key":
        return Kind.STRONG  # fs.azure.account.key.<host>
    while len(words) > 1 and (words[-1] in table.BEHIND or words[-1].isdigit()):
        words.pop()
    if (
        words[-1:] == ["id"]
        and words[-2:-1] == ["key"]
        and words[-3:-2] in (["private"], ["access"])
    ):
        return Kind.STRONG
    if words[-1:] == ["hash"] and words[-2:-1] and words[-2] in table.SURE:
        return Kind.STRONG
    if words[-1:] and len(words[-1]) > 1:
        words[-1] = _TAIL.sub("", words[-1]) or words[-1]
    *_, third, before, last = ("", "", "", *words)
    return _kind(last, before, third)


def _kind(last: str, before: str, third: str) -> Kind:
    if (
        last in table.SURE
        or last.endswith(table.GLUED)
        or (third, before, last) == ("mot", "de", "passe")
    ):
        return Kind.STRONG
    if last.endswith("key"):
        glued = last.removesuffix("key")
        if (glued or before) in table.KEYS:
            return Kind.STRONG
        return Kind.NONE if glued else Kind.WEAK
    if last.endswith("token"):
        glued = last.removesuffix("token")
        known = glued in table.GLUED_TOKENS if glued else before not in table.OPEN_TOKENS
        return Kind.STRONG if known else Kind.NONE
    if (last == "tokens" and before in table.OPEN_TOKENS) or (
        last == "pass" and before in table.OPEN_PASSES
    ):
        return Kind.NONE
    if last == "pass" and before:
        return Kind.STRONG
    if last == "keys" and before in table.KEYS:
        return Kind.STRONG
    if last in ("str", "string", "url", "uri"):
        return _kind_of_address(last, before)
    if last in table.OFTEN:
        return Kind.MEDIUM
    return Kind.WEAK if last in table.SELDOM else Kind.NONE


def _kind_of_address(last: str, before: str) -> Kind:
    if last in ("str", "string"):
        return Kind.MEDIUM if before in ("conn", "connection") else Kind.NONE
    return Kind.MEDIUM if before in ("webhook", "hook") else Kind.NONE
