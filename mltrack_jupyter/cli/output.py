"""What commands print: lines, compact tables, sizes and times for people.

Everything goes through :func:`say`, :func:`complain` and :func:`ask`, which let through neither a password of a URI
nor anything that could steer the terminal: names, tags and answers of servers are others' texts.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Sequence

from mltrack_jupyter.shown import hide_password, one_line, shown

_IDS = frozenset({"id", "run", "experiment"})
"""Headings of columns of ids, which people copy."""
_NARROW = 12


def say(*lines: str) -> None:
    """Print lines to standard output; a break within one does not begin a line."""
    sys.stdout.write("".join(f"{plain(line)}\n" for line in lines))


def say_json(content: object, indent: int = 2) -> None:
    """Print a value as JSON."""
    say(*json.dumps(content, indent=indent).split("\n"))


def complain(*texts: str) -> None:
    """Print texts to standard error; the further lines of one are indented, so that none looks like ours."""
    for text in texts:
        sys.stderr.write(shown(text).replace("\n", "\n  ") + "\n")


def ask(question: str) -> bool:
    """Print a question and return whether the answer is yes."""
    sys.stdout.write(f"{plain(question)} [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def plain(text: str) -> str:
    """Return a text on one line, without passwords and without what could steer a terminal."""
    return one_line(hide_password(text))


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, right: str = "") -> list[str]:
    """Return lines of aligned columns; ``right`` names right-aligned columns.

    For a person at a terminal long cells are cut, so that a row is a line. Ids never are, and what a
    program or a file gets is whole.
    """
    cells = [[plain(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[index]) for row in cells) for index in range(len(header))]
    if sys.stdout.isatty():
        _fit(widths, [index for index, name in enumerate(header) if name not in _IDS])
    lines = []
    for row in cells:
        parts = []
        for name, cell, width in zip(header, row, widths, strict=True):
            cut = cell if len(cell) <= width else cell[: width - 1] + "…"
            parts.append(cut.rjust(width) if name in right.split() else cut.ljust(width))
        lines.append("  ".join(parts).rstrip())
    return lines


def _fit(widths: list[int], shrinkable: Sequence[int]) -> None:
    """Narrow the widest of some columns until a row fits the terminal, or none of them is wide."""
    room = max(shutil.get_terminal_size((120, 24)).columns, 60)
    while sum(widths) + 2 * len(widths) > room:
        widest = max(shrinkable, key=widths.__getitem__, default=None)
        if widest is None or widths[widest] <= _NARROW:
            return
        widths[widest] -= 1


def size(count: int) -> str:
    """Return a number of bytes for people."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def when(milliseconds: int | None) -> str:
    """Return a time in this machine's zone, ``""`` for none."""
    if not milliseconds:
        return ""
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(milliseconds / 1000))
    except (OverflowError, ValueError, OSError):
        return "?"


def duration(start: int, end: int | None) -> str:
    """Return how long something took."""
    if end is None or not start:
        return ""
    left = max(end - start, 0) / 1000
    if left < 60:
        return f"{left:.1f} s"
    minutes, rest = divmod(int(left), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
