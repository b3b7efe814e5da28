"""Replacing parts of a text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

REDACTED = "[redacted]"

Span = tuple[int, int]

# A whole word with its dots, or the end of one, and a quote behind it. The quotes in a notebook, which is
# JSON, have a "\" in front, or three of them.
NAME = r"(?<![\w\-.])(?P<name>[\w\-.]++)"
QUOTED_NAME = rf"{NAME}(?P<close>\\{{0,7}}['\"`])?+"


def hide(text: str, spans: Iterable[Span]) -> str:
    """Replace parts of a text, in their order; what a part has in common with the one before is not kept."""
    parts: list[str] = []
    done = 0
    for start, end in spans:
        if start >= done:
            parts += text[done:start], REDACTED
        done = max(done, end)
    return "".join([*parts, text[done:]])


def hide_found(
    text: str, pattern: re.Pattern[str], span: Callable[[re.Match[str]], Span | None]
) -> str:
    """Replace what ``span`` finds in the matches; where it finds nothing, go on right after the name."""
    spans: list[Span] = []
    at = 0
    while match := pattern.search(text, at):
        found = span(match)
        if found is not None:
            spans.append(found)
        at = match.end("name") if found is None else found[1]
    return hide(text, spans)
