"""Numbers, durations and names as short texts, in the same words as the screens."""

from __future__ import annotations

import html
import math
import unicodedata
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal

_UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def escape(text: object) -> str:
    """Return a text for HTML, within an element or an attribute."""
    return html.escape(str(text), quote=True)


def short_number(value: float, digits: int = 4) -> str:
    """Return a number in at most about six characters: 0.9134, 12.5k, 3e-5; ``digits`` are significant.

    What is exactly half is rounded away from zero, and what is rounded up to 10,000 or to the next unit is
    said in that: ``shortNumber`` of ``src/models/format.ts`` is the same.
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else "−∞"  # noqa: RUF001
    size = abs(value)
    if size == 0:
        return "0"
    if size < 1e-3 or size >= 1e15:
        return _with_exponent(_rounded(value, digits - 1))
    if size < 1e4:
        whole = float(value) if value == int(value) else float(_rounded(value, digits))
        if abs(whole) < 1e4:
            return _plain(whole)
    for scale, unit in _UNITS:
        found = float(_rounded(value / scale, digits - 1))
        if size >= scale and abs(found) < 1000:
            return _plain(found) + unit
        if abs(found) == 1:  # rounded up to this unit, from below it
            return _plain(found) + unit
    return _with_exponent(_rounded(value, digits - 1))


def distinct_numbers(values: Sequence[float]) -> list[str]:
    """Return numbers as short texts that tell them apart: 0.95998 and 0.95999, not twice 0.96."""
    wanted = len({None if math.isnan(value) else value for value in values})
    texts: list[str] = []
    for digits in range(4, 19):
        texts = [short_number(value, digits) for value in values]
        if len(set(texts)) == wanted:
            break
    return texts


def _rounded(value: float, digits: int) -> Decimal:
    return Context(digits, ROUND_HALF_UP).create_decimal_from_float(float(value))


def _plain(value: float) -> str:
    return repr(value).removesuffix(".0")


def _with_exponent(value: Decimal) -> str:
    sign, digits, _ = value.as_tuple()
    text = "".join(map(str, digits)).rstrip("0")
    mantissa = text[0] + ("." + text[1:] if text[1:] else "")
    return f"{'-' if sign else ''}{mantissa}e{value.adjusted()}"


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def duration(milliseconds: float) -> str:
    """Return a span of time: 340 ms, 12.4 s, 3 min 20 s, 2 h 5 min, 3 d 4 h."""
    if milliseconds < 1000:
        return f"{max(0, math.floor(milliseconds + 0.5))} ms"
    seconds = milliseconds / 1000
    if seconds < 60:
        tenths = Decimal(seconds).quantize(Decimal("0.1"), ROUND_HALF_UP)
        return f"{_trim(str(tenths))} s"
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
