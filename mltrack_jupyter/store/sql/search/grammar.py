"""MLflow's filter language as a tree: comparisons joined by AND, each with its place in the text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store.rules import is_unicode

MAX_LENGTH = 20_000
MAX_ORDER = 30
"""SQLite joins 64 tables, and each column of an order may be a table."""
MAX_CLAUSES = 60

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<string>'(?:''|\\'|[^'])*')
  | (?P<identifier>
        (?:[^\W\d]\w*|`[^`]*`|"[^"]*")
        (?:\.(?:\w+|`[^`]*`|"[^"]*"))*
    )
  | (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)
  | (?P<operator>>=|<=|!=|=|>|<)
  | (?P<punctuation>[(),])
    """,
    re.VERBOSE,
)
_PART = re.compile(r"""`([^`]*)`|"([^"]*)"|(\w+)""")
# Words that MLflow's parser of SQL does not take for names.
_RESERVED = ("as", "case", "from", "in", "values")
_NO_OR = "there is no OR and no NOT; comparisons are joined by AND, and != and NOT IN exclude."
_NAME = "a name such as metrics.accuracy or params.depth"
_BLANKS = " A key with blanks stands in backticks, as in metrics.`val acc`."
_SIGNS = {
    ";": "one statement only; ';' is not allowed.",
    "&": "right would be AND between comparisons.",
    "|": _NO_OR,
    "!": "right would be !=, with no blank in it.",
    "[": "right would be the key behind a dot, as in metrics.accuracy.",
    **dict.fromkeys(
        "\u2018\u2019\u201c\u201d\u00ab\u00bb", "right would be straight quotes, as in 'text'."
    ),
}
"""What people write who know other languages, and what is right here."""
_WORD_OPERATORS = ("LIKE", "ILIKE", "IN", "NOT", "IS")


@dataclass(frozen=True)
class Identifier:
    """What is compared: ``metrics.acc`` is the entity ``metrics`` and the key ``acc``."""

    entity: str
    key: str
    position: int

    def __str__(self) -> str:
        return f"{self.entity}.{self.key}" if self.entity else self.key


@dataclass(frozen=True)
class Comparison:
    """``identifier operator value``; ``quoted`` tells text from numbers."""

    identifier: Identifier
    operator: str
    value: str | float | tuple[str, ...] | None
    quoted: bool
    position: int


@dataclass(frozen=True)
class Ordering:
    """One column of an order."""

    identifier: Identifier
    ascending: bool


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    position: int


def fail(text: str, position: int, expected: str) -> InvalidParameter:
    """Return an error that shows where in a text something is wrong, and what was expected."""
    left = max(0, position - 40)
    excerpt = text[left : position + 40]
    pointer = " " * (position - left) + "^"
    return InvalidParameter(
        f"Invalid filter or order at character {position + 1}: {expected}\n  {excerpt}\n  {pointer}"
    )


def _tokenize(text: str) -> list[_Token]:
    if len(text) > MAX_LENGTH:
        raise InvalidParameter(
            f"A filter may have at most {MAX_LENGTH} characters, not {len(text)}."
        )
    if not is_unicode(text):
        raise InvalidParameter("A filter must be Unicode text.")
    tokens: list[_Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise fail(text, position, _unexpected(text, position))
        if match.lastgroup != "space":
            tokens.append(_Token(match.lastgroup or "", match[0], position))
        position = match.end()
    tokens.append(_Token("end", "", len(text)))
    return tokens


def _unexpected(text: str, position: int) -> str:
    char = text[position]
    if char == "." and text[position + 1 : position + 2] in ("`", '"'):
        char = text[position + 1]
    if char in "'\"`":
        return f"the quote {char} is not closed."
    return _SIGNS.get(char) or (
        f"{char!r} was not expected; put keys with unusual characters into `backticks`, as in "
        "metrics.`f1-score`."
    )


class _Reader:
    """Tokens with one look ahead."""

    def __init__(self, text: str, *, double_quotes: bool = True) -> None:
        self.text = text
        self.double_quotes = double_quotes
        self.tokens = _tokenize(text)
        self.index = 0
        self.current = self.tokens[0]

    def take(self) -> _Token:
        token = self.current
        self.index = min(self.index + 1, len(self.tokens) - 1)
        self.current = self.tokens[self.index]
        return token

    def quoted(self) -> str | None:
        """Take a quoted text and return what is in it; ``None`` if there is none here."""
        token = self.current
        if token.kind == "string":
            # A quote after a backslash is one of the text; two quotes are two, as in MLflow.
            return self.take().text[1:-1].replace("\\'", "'")
        if token.kind == "identifier" and _is_quoted(token.text):
            # Where only single quotes count, double ones are a part of the text, as in MLflow.
            return self.take().text[1:-1] if self.double_quotes else self.take().text
        return None

    def is_word(self, word: str) -> bool:
        return self.current.kind == "identifier" and self.current.text.upper() == word

    def is_last(self) -> bool:
        return self.index == len(self.tokens) - 2

    def expect(self, kind: str, what: str) -> _Token:
        if self.current.kind != kind:
            raise self.fail(f"expected {what}, found {self.current.text or 'the end'!r}.")
        return self.take()

    def fail(self, expected: str) -> InvalidParameter:
        return fail(self.text, self.current.position, expected)


def parse_filter(
    text: str, *, double_quotes: bool = True, lone_and: bool = True
) -> list[Comparison]:
    """Return the comparisons of a filter; none for an empty one. Raises ``InvalidParameter``.

    ``lone_and`` lets an AND pass that joins nothing, as MLflow does.
    """
    reader = _Reader(text, double_quotes=double_quotes)
    if text and reader.current.kind == "end":
        raise fail(text, 0, "expected a comparison; a filter that is empty leaves nothing out.")
    found: list[Comparison] = []
    while reader.current.kind != "end":
        if reader.is_word("AND"):
            if not lone_and and (not found or _after_and(reader) or reader.is_last()):
                raise reader.fail(
                    "this AND joins nothing: it stands between two comparisons. Leave it out, or complete it."
                )
            reader.take()
            continue
        if found and not _after_and(reader):
            raise reader.fail(_not_and(reader))
        found.append(_comparison(reader))
        if len(found) > MAX_CLAUSES:
            raise InvalidParameter(f"A filter may have at most {MAX_CLAUSES} comparisons.")
    return found


def _not_and(reader: _Reader) -> str:
    usual = "expected AND between comparisons (there is no OR and no NOT)."
    comma = reader.current.text == "," and reader.tokens[reader.index - 1].kind == "number"
    return f"{usual} In a number a point is a dot, as in 0.9." if comma else usual


def _after_and(reader: _Reader) -> bool:
    before = reader.tokens[reader.index - 1]
    return before.kind == "identifier" and before.text.upper() == "AND"


def _comparison(reader: _Reader) -> Comparison:
    identifier = _identifier(reader)
    position = reader.current.position
    operator = _operator(reader)
    if operator in ("IS NULL", "IS NOT NULL"):
        return Comparison(identifier, operator, None, False, position)
    if operator in ("IN", "NOT IN"):
        return Comparison(identifier, operator, _list(reader), True, position)
    text = reader.quoted()
    if text is not None:
        return Comparison(identifier, operator, text, True, position)
    token = reader.current
    if token.kind == "number":
        reader.take()
        return Comparison(identifier, operator, float(token.text), False, position)
    if token.text.upper() == "NULL":
        raise reader.fail("right would be IS NULL or IS NOT NULL.")
    right = f"; right would be '{token.text}' in quotes" if token.kind == "identifier" else ""
    raise reader.fail(
        f"expected a value after {operator}: a 'quoted text' or a number, "
        f"found {token.text or 'the end'!r}{right}."
    )


def _is_quoted(text: str) -> bool:
    return text.startswith('"') and text.endswith('"') and text.count('"') == 2


def _identifier(reader: _Reader) -> Identifier:
    if reader.is_word("OR") or reader.is_word("NOT"):
        raise reader.fail(f"expected a comparison: {_NO_OR}")
    if reader.current.text == "(":
        raise reader.fail(f"expected {_NAME}; a filter has no parentheses but those of IN.")
    token = reader.expect("identifier", _NAME)
    bare = token.text.partition(".")[2]
    if bare.isdigit() or bare.lower() in _RESERVED:
        raise fail(
            reader.text,
            token.position,
            f"the key {bare!r} must stand in backticks, as in {token.text.partition('.')[0]}.`{bare}`.",
        )
    parts = [m[1] or m[2] or m[3] or "" for m in _PART.finditer(token.text)]
    if len(parts) == 1 and parts[0].lower() == "run" and reader.is_word("NAME"):
        parts[0] += " " + reader.take().text  # `Run name` may stand without quotes
    entity, key = ("", parts[0]) if len(parts) == 1 else (parts[0], ".".join(parts[1:]))
    return Identifier(entity, key, token.position)


def _operator(reader: _Reader) -> str:
    token = reader.current
    if token.kind == "operator":
        reader.take()
        following = reader.current
        if following.kind == "operator" and following.position == token.position + len(token.text):
            raise fail(
                reader.text, token.position, "the comparisons are = != < <= > >= (not == or <>)."
            )
        return token.text
    word = token.text.upper()
    if token.kind != "identifier" or word not in _WORD_OPERATORS:
        raise reader.fail(
            "expected a comparison: = != < <= > >= LIKE ILIKE IN, NOT IN, IS NULL or IS NOT NULL, "
            f"found {token.text or 'the end'!r}.{_BLANKS if token.kind == 'identifier' else ''}"
        )
    reader.take()
    if word in ("LIKE", "ILIKE", "IN"):
        return word
    if word == "NOT":
        if not reader.is_word("IN"):
            raise reader.fail("expected IN after NOT.")
        reader.take()
        return "NOT IN"
    negated = reader.is_word("NOT")
    if negated:
        reader.take()
    if not reader.is_word("NULL"):
        raise reader.fail("expected NULL or NOT NULL after IS.")
    reader.take()
    return "IS NOT NULL" if negated else "IS NULL"


def _list(reader: _Reader) -> tuple[str, ...]:
    _punctuation(reader, "(")
    values: list[str] = []
    while True:
        text = reader.quoted()
        if text is None:
            raise reader.fail("expected a 'quoted text' in the list.")
        values.append(text)
        if reader.current.text == ",":
            reader.take()
        elif reader.current.text != ")":
            raise reader.fail(f"expected ',' or ')', found {reader.current.text or 'the end'!r}.")
        if reader.current.text == ")":
            reader.take()
            return tuple(values)


def _punctuation(reader: _Reader, sign: str) -> None:
    if reader.current.text != sign:
        raise reader.fail(f"expected {sign!r}, found {reader.current.text or 'the end'!r}.")
    reader.take()


def parse_order(items: Sequence[str]) -> list[Ordering]:
    """Return the columns of an order, each ``identifier [ASC|DESC]``. Raises ``InvalidParameter``."""
    if len(items) > MAX_ORDER:
        raise InvalidParameter(f"An order may have at most {MAX_ORDER} columns, not {len(items)}.")
    found = [_ordering(item) for item in items]
    for place, ordering in enumerate(found):
        if str(ordering.identifier) in {str(other.identifier) for other in found[:place]}:
            raise InvalidParameter(
                f"Invalid order_by: {ordering.identifier} stands there twice; leave one of them out."
            )
    return found


def _ordering(text: str) -> Ordering:
    if text.startswith("-"):
        raise fail(text, 0, f"descending is said behind the column, as in {text[1:].strip()} DESC.")
    reader = _Reader(text)
    if text != text.strip():
        raise fail(text, 0, "expected a column without blanks around it.")
    identifier = _identifier(reader)
    ascending = not reader.is_word("DESC")
    if reader.is_word("ASC") or reader.is_word("DESC"):
        reader.take()
    if reader.current.kind != "end":
        raise reader.fail("expected ASC, DESC or the end.")
    return Ordering(identifier, ascending)
