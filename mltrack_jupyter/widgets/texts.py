"""Numbers, durations and names as short texts, in the same words as the screens."""

from __future__ import annotations

import html
import math
import unicodedata
from collections.abc import Sequence

_UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def escape(text: object) -> str:
    """Return a text for HTML, within an element or an attribute."""
    return html.escape(str(text), quote=True)


def short_number(value: float, digits: int = 4) -> str:
    """Return a number in at most about six characters: 0.9134, 12.5k, 3e-5; ``digits`` are significant."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else "-∞"
    size = abs(value)
    if value == 0:
        return "0"
    if size < 1e-3 or size >= 1e15:
        mantissa, _, exponent = f"{value:.{digits - 2}e}".partition("e")
        return f"{_trim(mantissa)}e{int(exponent)}"
    if size < 1e4:
        return str(int(value)) if value == int(value) else _trim(_precise(value, digits))
    scale, unit = next(item for item in _UNITS if size >= item[0])
    return _trim(_precise(value / scale, digits - 1)) + unit


def distinct_numbers(values: Sequence[float]) -> list[str]:
    """Return numbers as short texts that tell them apart: 0.95998 and 0.95999, not twice 0.96."""
    for digits in range(4, 15):
        texts = [short_number(value, digits) for value in values]
        if len(set(texts)) == len(set(values)):
            return texts
    return [repr(value) for value in values]


def _precise(value: float, digits: int) -> str:
    whole = math.floor(math.log10(abs(value))) + 1
    return f"{value:.{max(0, digits - whole)}f}"


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def duration(milliseconds: float) -> str:
    """Return a span of time: 340 ms, 12.4 s, 3 min 20 s, 2 h 5 min, 3 d 4 h."""
    if milliseconds < 1000:
        return f"{max(0, round(milliseconds))} ms"
    seconds = milliseconds / 1000
    if seconds < 60:
        return f"{_trim(f'{seconds:.1f}')} s"
    steps = ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))
    big, big_name, small, small_name = next(item for item in steps if seconds >= item[0])
    whole, rest = divmod(int(seconds), big)
    part = rest // small
    return f"{whole} {big_name} {part} {small_name}" if part else f"{whole} {big_name}"


def shorten(text: str, length: int) -> str:
    """Return a text on one line, cut to a number of characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: max(0, length - 1)] + "…"


def width_of(text: str, size: float) -> float:
    """Return about how wide a text is drawn, in pixels, without asking any font."""
    return sum(_width(letter) for letter in text) * size


def _width(letter: str) -> float:
    if letter in "iljI.,:;|!'()[]{} tfr":
        return 0.34
    if letter in "mwMW@%":
        return 0.88
    if letter.isupper():
        return 0.68
    return 1.0 if unicodedata.east_asian_width(letter) in "WF" else 0.6


def fitted(text: str, size: float, room: float) -> str:
    """Return a text cut so that it fits into ``room`` pixels."""
    line = " ".join(text.split())
    if width_of(line, size) <= room:
        return line
    while line and width_of(line + "…", size) > room:
        line = line[:-1]
    return line.rstrip() + "…"
