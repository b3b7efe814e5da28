"""Arguments: argparse with the right word in its errors, and the kinds of values that commands share."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from mltrack_jupyter import config
from mltrack_jupyter.cli.output import plain
from mltrack_jupyter.suggestions import nearest

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


class Parser(argparse.ArgumentParser):
    """An argument parser that says which word was probably meant."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **options})
        self.instead: dict[str, str] = {}
        """Of words that other programs take: what would be right here."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and what would be right, and end with the code 2."""
        said = plain(f"{message}{self._suggestion(message)}")
        self.exit(2, f"{self.prog}: {said}\n{self.format_usage()}")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse unknown options here, where the options of the command are known."""
        found, extra = super().parse_known_args(args, namespace)
        if extra:
            self.error(f"unknown: {' '.join(extra)}")
        return found, extra

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        # Worded alike by every Python.
        if action.choices is not None and value not in action.choices:
            right = ", ".join(map(repr, action.choices))
            raise argparse.ArgumentError(action, f"invalid choice: {value!r} (choose from {right})")

    def _suggestion(self, message: str) -> str:
        wrong = re.findall(r"unknown: (\S+)|invalid choice: '([^']*)'", message)
        word = next((part for groups in wrong for part in groups if part), "").partition("=")[0]
        if word in self.instead:
            return f". {self.instead[word]}"
        if "arguments are required: COMMAND" in message:
            there = [word for word in self._words() if not word.startswith("-")]
            return f". There are: {', '.join(there)}"
        near = nearest(word, self._words())
        return f". Did you mean {near[0]!r}?" if near else ""

    def _words(self) -> Iterator[str]:
        for action in self._actions:
            yield from action.option_strings
            yield from (str(choice) for choice in action.choices or ())


def add_store(parser: argparse.ArgumentParser, name: str = "store", **options: Any) -> None:
    """Add the argument that names a store."""
    text = "folder, .db file, database URL or http(s)://… (default: the project's store)"
    parser.add_argument(name, nargs="?", metavar="STORE", help=text, **options)


def store_of(given: str | None) -> str:
    """Return the store that was named, or the default one."""
    return given or config.tracking_uri()


def seconds(text: str) -> int:
    """Read a length of time such as ``30d`` or ``12h``."""
    found = re.fullmatch(r"(\d+)([smhdw])", text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no length of time; right would be 30d or 12h"
        )
    return int(found[1]) * _UNITS[found[2]]


def whole_number(text: str) -> int:
    """Read a number of things."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None


def ids(text: str) -> list[str]:
    """Read ids that are separated by commas."""
    return [part for part in re.split(r"[,\s]+", text) if part]
