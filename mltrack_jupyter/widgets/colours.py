"""Colours that can be read on light and on dark pages: viridis, and one for each status."""

from __future__ import annotations

# Viridis at ten even steps (Smith, van der Walt; public domain).
_VIRIDIS = (
    (68, 1, 84),
    (72, 40, 120),
    (62, 74, 137),
    (49, 104, 142),
    (38, 130, 142),
    (31, 158, 137),
    (53, 183, 121),
    (110, 206, 88),
    (181, 222, 43),
    (253, 231, 37),
)
# The ends of the scale vanish: purple on black, yellow on white.
_FROM, _TO = 0.16, 0.9

NEUTRAL = "#808080"
"""Grey with a contrast of about four to one against white and against black."""

STATUS = {
    "RUNNING": "#2f7fd6",
    "SCHEDULED": "#8a6fd1",
    "FINISHED": "#2b8f56",
    "FAILED": "#d64545",
    "KILLED": "#b9770e",
}


def viridis(position: float) -> str:
    """Return the colour at a position from 0 to 1, as ``#rrggbb``."""
    place = (_FROM + min(1.0, max(0.0, position)) * (_TO - _FROM)) * (len(_VIRIDIS) - 1)
    index = min(len(_VIRIDIS) - 2, int(place))
    part = place - index
    pairs = zip(_VIRIDIS[index], _VIRIDIS[index + 1], strict=True)
    return "#" + "".join(f"{round(low + (high - low) * part):02x}" for low, high in pairs)
