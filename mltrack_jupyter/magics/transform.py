"""The input transformer: turns the line ``%%track …`` into a statement and leaves the cell a cell.

So the code below it runs as in any other cell: its own tracebacks and line numbers, top-level ``await``,
other magics, the value of the last expression.
"""

from __future__ import annotations

import re

from IPython.core.inputtransformer2 import cell_magic

from mltrack_jupyter.magics.arguments import HELP

_MAGIC = re.compile(r"[ \t]*%%track(?:[ \t]+(?P<line>.*?))?[ \t]*\r?\n?\Z")


def transform_track(lines: list[str]) -> list[str]:
    """Rewrite the first line of code if it is ``%%track``; blank lines and comments may stand above it.

    Nothing happens here: IPython also transforms cells that it only looks at.
    """
    place = _first_code(lines, 0)
    if place is None:
        return lines
    match = _MAGIC.match(lines[place])
    if match is None:
        return lines
    line = match["line"] or ""
    if line.startswith(HELP) or _first_code(lines, place + 1) is None:
        # There is no cell to track: it is asked how one is.
        asked = f"get_ipython().run_line_magic('track', {line!r})\n"
        return [*lines[:place], asked, *("\n" for _ in lines[place + 1 :])]
    begin = f"get_ipython().run_cell_magic('track', {line!r}, None)\n"
    return [*lines[:place], begin, *_rest(lines[place + 1 :])]


def _rest(lines: list[str]) -> list[str]:
    """Return the lines below, with another cell magic that stands first among them made a call."""
    place = _first_code(lines, 0)
    if place is None or not lines[place].startswith("%%"):
        return lines
    return [*lines[:place], *cell_magic(lines[place:])]


def _first_code(lines: list[str], start: int) -> int | None:
    for place in range(start, len(lines)):
        text = lines[place].strip()
        if text and not text.startswith("#"):
            return place
    return None
