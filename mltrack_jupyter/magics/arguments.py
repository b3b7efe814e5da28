"""The options of ``%%track``: split as in a shell, told apart with helpful errors."""

from __future__ import annotations

import re
import shlex
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic_arguments import MagicArgumentParser
from IPython.utils.text import DollarFormatter

from mltrack_jupyter.suggestions import did_you_mean, nearest

HELP = ("-h", "--help")
_NAMES, _TAGS = ("-p", "--params", "-m", "--metrics"), ("-t", "--tag")
_TEXTS = ("-e", "--experiment", "-n", "--name", "--register", "--alias")
_BEFORE = "Variables are read before the cell runs."
_DOLLAR = re.compile(r"(?<!\$)\$([^\W\d]\w*)")


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
        found = str(DollarFormatter().vformat(word, args=(), kwargs=namespace))
    except (SyntaxError, ValueError):
        # As IPython does: what is no expression, such as JSON, is meant as it is written.
        return word
    except NameError as error:
        raise UsageError(_no_variable(word, error.name or "", namespace)) from None
    except (ArithmeticError, AttributeError, LookupError, TypeError) as error:
        raise UsageError(f"{word}: {type(error).__name__}: {error}. {_BEFORE}") from None
    left = next((name for name in _DOLLAR.findall(word) if name not in namespace), "")
    if left:
        raise UsageError(_no_variable(word, left, namespace))
    return found


def _no_variable(word: str, name: str, namespace: Mapping[str, Any]) -> str:
    hint = did_you_mean(name, (item for item in namespace if not item.startswith("_")), cutoff=0.7)
    text = f"$${name}" if f"${name}" in word else f"{{{{{name}}}}}"
    return (
        f"{word}: there is no variable {name!r}{'; ' if hint else '.'}{hint} {_BEFORE} For the text itself write "
        f"{text}."
    )


def parse_words(parser: MagicArgumentParser, magic: str, words: Sequence[str]) -> Namespace:
    """Read words with a parser. Raises ``UsageError`` naming what is wrong and what would be right."""
    parser.allow_abbrev = False
    known = options_of(parser)
    try:
        found, unknown = parser.parse_known_args(list(words))
    except UsageError as error:
        raise UsageError(f"{magic}: {error}. {takes(known)}") from None
    if unknown:
        instead = _instead(words, unknown[0])
        if not instead and not unknown[0].startswith("-") and "-n, --name NAME" in known:
            instead = f"The name of a run stands behind -n: -n '{unknown[0]}'."
        raise UsageError(unknown_word(magic, unknown[0], known, instead))
    return found


def _instead(words: Sequence[str], unknown: str) -> str:
    """Return what was probably meant by a word that is no option: code, a name, or the rest of a value."""
    place = list(words).index(unknown) if unknown in words else 0
    option, value = words[place - 2 : place] if place > 1 else ("", "")
    if unknown.startswith("-"):
        return ""
    if set("=(").intersection("".join(words[place:])):
        return "Code stands below this line."
    if option in _NAMES:
        return f"Names stand with commas between, as in {option} {value},{unknown}."
    if option in _TAGS:
        return f"A tag is KEY=VALUE, as in {option} {value.rstrip('=')}={unknown}."
    if option in _TEXTS and not value.startswith("-"):
        return f"A value with blanks stands in quotes, as in {option} '{value} {unknown}'."
    return ""


def unknown_word(magic: str, word: str, known: Mapping[str, str], instead: str = "") -> str:
    """Return the message for a word that a magic does not know; ``instead`` is what would be right."""
    names = [name for shown in known for name in re.findall(r"-[-\w]+", shown)]
    near = nearest(word.partition("=")[0], names)
    kind = "option" if word.startswith("-") else "word"
    hint = f" {instead}" if instead else f" Did you mean {near[0]}?" if near else ""
    return f"{magic}: unknown {kind} {word!r}.{hint} {takes(known)}"


def options_of(parser: MagicArgumentParser) -> dict[str, str]:
    """Return what a parser takes, and what each of it is."""
    found: dict[str, str] = {}
    for action in parser._actions:  # noqa: SLF001 - argparse has no public list of its options
        names = ", ".join(action.option_strings)
        value = "" if action.nargs == 0 else str(action.metavar or action.dest)
        found[f"{names} {value}".strip()] = str(action.help or "")
    return found


def takes(known: Mapping[str, str]) -> str:
    """Return the list of what a magic takes."""
    lines = [f"  {name:<24} {what}" for name, what in known.items()]
    return "It takes:\n" + "\n".join(lines)
