"""The options of ``%%track``: split as in a shell, told apart with helpful errors."""

from __future__ import annotations

import shlex
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic_arguments import MagicArgumentParser
from IPython.utils.text import DollarFormatter

from mltrack_jupyter.suggestions import nearest


def split_line(line: str, namespace: Mapping[str, Any]) -> list[str]:
    """Split a magic's line into words; ``{name}`` and ``$name`` stand for variables.

    Words are expanded after splitting, so that a value with spaces stays one word. Backslashes are
    ordinary letters, because Windows' paths are made of them.
    """
    reader = shlex.shlex(line, posix=True, punctuation_chars=False)
    reader.whitespace_split, reader.escape, reader.commenters = True, "", ""
    try:
        words = list(reader)
    except ValueError as error:
        raise UsageError(f"A quote is not closed in: {line}") from error
    return [_expanded(word, namespace) for word in words]


def _expanded(word: str, namespace: Mapping[str, Any]) -> str:
    if "{" not in word and "$" not in word:
        return word
    try:
        return str(DollarFormatter().vformat(word, args=(), kwargs=namespace))
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        NameError,
        SyntaxError,
        TypeError,
        ValueError,
    ):
        # As IPython does: what names no variable is meant as it is written.
        return word


def parse_words(parser: MagicArgumentParser, magic: str, words: Sequence[str]) -> Namespace:
    """Read words with a parser. Raises ``UsageError`` naming what is wrong and what would be right."""
    parser.allow_abbrev = False
    known = _options(parser)
    try:
        found, unknown = parser.parse_known_args(list(words))
    except UsageError as error:
        raise UsageError(f"{magic}: {error}. {_right(known)}") from None
    if unknown:
        raise UsageError(unknown_word(magic, unknown[0], known))
    return found


def unknown_word(magic: str, word: str, known: Mapping[str, str]) -> str:
    """Return the message for a word that a magic does not know."""
    names = [name for shown in known for name in shown.split(", ")]
    near = nearest(word.partition("=")[0], names, cutoff=0.5)
    kind = "option" if word.startswith("-") else "word"
    hint = f" Did you mean {near[0]}?" if near else ""
    return f"{magic}: unknown {kind} {word!r}.{hint} {_right(known)}"


def _options(parser: MagicArgumentParser) -> dict[str, str]:
    found: dict[str, str] = {}
    for action in parser._actions:  # noqa: SLF001 - argparse has no public list of its options
        shown = ", ".join(action.option_strings) or str(action.metavar or action.dest)
        found[shown] = str(action.help or "")
    return found


def _right(known: Mapping[str, str]) -> str:
    lines = [f"  {name:<20} {what}" for name, what in known.items()]
    return "It takes:\n" + "\n".join(lines)
