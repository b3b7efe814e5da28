"""Whether a value looks like a secret."""

from __future__ import annotations

import re

from mltrack_jupyter.privacy.secrets.names import Kind, kind_of

_CONSTANTS = frozenset((
    "none", "null", "nil", "true", "false", "yes", "no", "on", "off", "~", "...", "undefined",
))  # fmt: skip
NUMBER = re.compile(r"[+\-]?(?:0[xX][\da-fA-F_]+|[\d._+\-:eE]+)")
_REFERENCE = re.compile(
    r"\$\{?\w+\}?|\$[({].*|\{\{.*|<.*|%\(.*|\[redacted\].*|\{[^{}]*\}|%[sdr]|[*.…xX]+|\[\w{1,10}\]|</?\w+>|%\w+%",
    re.DOTALL,
)
# What is put into a text, and what a text is put together with.
_PLACED = re.compile(r"\{[^{}]*\}|%(?:\(\w+\))?[sdr]|\\x[0-9a-fA-F]{2}|\\.")
_PLAIN_NAME = re.compile(r"[A-Z][A-Z_]+")
# What stands for the scheme of a header, in front of what is put together with it.
_SCHEME = re.compile(r"(?:bearer|basic|token|digest|apikey)\s*", re.IGNORECASE)
_TECHNICAL = re.compile(r"base64|sha\d+|oauth2|2vec|2seq|2text|float\d+|u?int\d+", re.IGNORECASE)
_CHUNK = re.compile(r"[A-Za-z0-9]{6,}")
_MIXED = re.compile(r"\d[A-Za-z]")
_SIGNS = re.compile(r"[!@#$%^?~]")
# An attribute, a call, an item: what code asks for.
_DOTTED = r"[A-Za-z_]\w*+(?:\.[A-Za-z_]\w*+)"
EXPRESSION = re.compile(rf"{_DOTTED}++|{_DOTTED}*+[(\[](?:.*[)\]][\w.]*+)?")

# Drawn at random: a run of letters and digits that is no word and no hash of hexadecimal digits.
RUN = re.compile(r"[A-Za-z0-9]{16,}+")
_WORDS = re.compile(r"[A-Za-z]?[a-z]{4,}+|[A-Z]{5,}+")
_TURN = re.compile(r"[0-9](?=[A-Za-z])|[A-Za-z](?=[0-9])")
_TELLING = re.compile(r"[^\W_][^\n]*[^\W_]", re.DOTALL)
_ADDRESS = re.compile(r"0[xX][0-9A-Fa-f]+")
_HEX = re.compile(r"[0-9a-f]{32,}|[0-9A-F]{32,}")


def is_literal(value: str, digits: int) -> bool:
    """Tell whether it is a text: no constant, name of another one, or number of fewer digits."""
    if not value or value.lower() in _CONSTANTS or _REFERENCE.fullmatch(value):
        return False
    return len(value) >= digits or not NUMBER.fullmatch(value)


def is_random(run: str) -> bool:
    """Tell whether letters and digits follow each other as if they were drawn."""
    if not (any("a" <= sign <= "z" for sign in run) and any("A" <= sign <= "Z" for sign in run)):
        return False
    if _ADDRESS.fullmatch(run):
        return False
    left = _WORDS.sub("", run)
    return len(left) >= 12 and 2 * len(left) >= len(run) and len(_TURN.findall(left)) >= 3


def has_random(value: str) -> bool:
    """Tell whether a part of a value was drawn at random, or is a long number of hexadecimal digits."""
    if _HEX.fullmatch(value) and _MIXED.search(value):
        return True
    return any(map(is_random, RUN.findall(value)))


def is_mixed(value: str, least: int = 8) -> bool:
    """Tell a secret from a name, a path, a sentence: letters and digits, or signs, all together."""
    if len(value) < least or "://" in value or EXPRESSION.fullmatch(value) or " " in value.strip():
        return False
    chunks = _CHUNK.findall(_TECHNICAL.sub(" ", value)) if _MIXED.search(value) else ()
    if any(map(_MIXED.search, chunks)):
        return True
    return bool(_SIGNS.search(value) and re.search(r"\d", value) and re.search(r"[A-Za-z]", value))


def is_secret(kind: Kind, value: str, *, in_call: bool = False) -> bool:
    """Tell whether a text that a name of a kind has for its value is to be hidden.

    ``in_call`` is what code asks something with, ``os.environ["TOKEN"]``: mostly the name of the secret.
    """
    text = value.strip()
    if kind is Kind.NONE:
        return False
    if _PLAIN_NAME.fullmatch(text) and kind_of(text) is not Kind.NONE:
        return False  # the name of a variable
    if _SCHEME.fullmatch(text) or not is_literal(text, 4):
        return False
    text = _SCHEME.sub("", text, count=1) if _SCHEME.match(text) else text
    if not is_literal(text, 4) or not _TELLING.search(_PLACED.sub("", text)):
        return False
    if in_call or kind is Kind.WEAK:
        return has_random(text)
    if kind is Kind.MEDIUM:
        return is_mixed(text, 6) or has_random(text)
    return True
