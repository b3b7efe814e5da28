"""The static picture of a comparison: parallel coordinates."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from mltrack_jupyter.widgets.axes import Axis
from mltrack_jupyter.widgets.colours import NEUTRAL, viridis
from mltrack_jupyter.widgets.picture import Line, Picture, Rect, Text
from mltrack_jupyter.widgets.texts import distinct_numbers, fitted, short_number

_WIDTH, _HEIGHT = 860, 330
_LEFT, _RIGHT, _TOP, _FLOOR = 88, 96, 52, 18
_LANE = 30
_MAX_LABELS = 12


def draw_parallel(axes: Sequence[Axis], colour: Axis | None, rows: Sequence[int]) -> Picture:
    """Draw one line per row through its values, coloured by an axis.

    A row without a value passes through the lane of the missing ones, below the axis.
    """
    picture = Picture(_WIDTH, _HEIGHT, f"Parallel coordinates of {len(rows)} runs")
    total = len(axes[0].places) if axes else 0
    if len(rows) < total:
        note = f"{len(rows)} of {total} runs drawn"
        picture.items.append(Text(_WIDTH - 4, _HEIGHT - 4, note, 9.5, "end", 0.6))
    if not axes:
        picture.items.append(
            Text(_WIDTH / 2, _HEIGHT / 2, "No params or metrics to compare", 13, "middle", 0.7)
        )
        return picture
    plan = _Plan(axes, rows)
    _draw_lane(picture, plan)
    _draw_rows(picture, plan, colour, rows)
    for place, axis in enumerate(axes):
        _draw_axis(picture, plan, place, axis)
    if colour is not None and colour.high > colour.low:
        _draw_legend(picture, colour)
    return picture


class _Plan:
    """Where everything lies, in pixels."""

    def __init__(self, axes: Sequence[Axis], rows: Sequence[int]) -> None:
        self.axes = axes
        gaps = max(1, len(axes) - 1)
        self.gap = (_WIDTH - _LEFT - _RIGHT) / gaps
        self.xs = [
            _LEFT + (self.gap / 2 if len(axes) == 1 else self.gap * i) for i in range(len(axes))
        ]
        self.has_lane = any(axis.places[row] is None for axis in axes for row in rows)
        self.lane = float(_HEIGHT - _FLOOR)
        self.bottom = float(_HEIGHT - _FLOOR - (_LANE if self.has_lane else 0))

    def y(self, axis: Axis, place: float | None) -> float:
        if place is None:
            return self.lane
        return self.bottom - axis.unit(place) * (self.bottom - _TOP)


def _draw_lane(picture: Picture, plan: _Plan) -> None:
    if plan.has_lane:
        ends = [(plan.xs[0] - 8, plan.lane), (plan.xs[-1] + 8, plan.lane)]
        picture.items.append(Line(ends, NEUTRAL, 1, 0.6, dashed=True))
        picture.items.append(Text(plan.xs[0] - 12, plan.lane + 4, "missing", 10, "end", 0.65))


def _draw_rows(picture: Picture, plan: _Plan, colour: Axis | None, rows: Sequence[int]) -> None:
    opacity = 0.9 if len(rows) <= 60 else 0.65
    for row in sorted(rows, key=lambda row: _rank(colour, row)):
        points = [
            (x, plan.y(axis, axis.places[row])) for x, axis in zip(plan.xs, plan.axes, strict=True)
        ]
        if len(points) == 1:
            points = [(points[0][0] - 14, points[0][1]), (points[0][0] + 14, points[0][1])]
        value = colour.places[row] if colour is not None else None
        shade = NEUTRAL if colour is None or value is None else viridis(colour.unit(value))
        picture.items.append(Line(points, shade, 1.6, opacity if value is not None else 0.55))


def _rank(colour: Axis | None, row: int) -> float:
    # The best are drawn last, on top; runs without a value at the very bottom.
    value = colour.places[row] if colour is not None else None
    return -math.inf if value is None else value


def _draw_axis(picture: Picture, plan: _Plan, place: int, axis: Axis) -> None:
    x = plan.xs[place]
    room = plan.gap - 12 if len(plan.axes) > 1 else 400.0
    if place == 0:
        room = min(room, 2 * _LEFT - 6)
    title = fitted(axis.key, 11.5, room)
    picture.items.append(Line([(x, _TOP), (x, plan.bottom)], "", 1.2, 0.75))
    picture.items.append(
        Text(x, 20, title, 11.5, "middle", bold=axis.kind == "metric", full=axis.key)
    )
    note = axis.kind + (", log" if axis.is_log else "")
    picture.items.append(Text(x, 34, note, 9.5, "middle", 0.6))
    for at, label in axis_labels(axis):
        y = plan.y(axis, at)
        picture.items.append(Line([(x - 4, y), (x, y)], "", 1, 0.75))
        cut = fitted(label, 10, min(plan.gap * 0.62, 110) if place else _LEFT - 16)
        picture.items.append(Text(x - 7, y + 3.5, cut, 10, "end", 0.85, full=label))


def axis_labels(axis: Axis) -> list[tuple[float, str]]:
    """Return (value, text) of what is written beside an axis."""
    if axis.categories:
        step = math.ceil(len(axis.categories) / _MAX_LABELS)
        names = list(enumerate(axis.categories))[::step]
        return [(float(place), name or '""') for place, name in names]
    low, high = axis.low, axis.high
    if math.isnan(low):
        return []
    if not high > low:
        return [(low, short_number(low))]
    ticks = _log_ticks(low, high) if axis.is_log else _ticks(low, high, axis.is_whole)
    return list(zip(ticks, distinct_numbers(ticks), strict=True))


def _ticks(low: float, high: float, whole: bool) -> list[float]:
    """Return the ends and round numbers between them, none closer to another than it can be read."""
    raw = max((high - low) / 5, 1 if whole else 0)
    size = 10.0 ** math.floor(math.log10(raw)) if raw > 0 else 1.0
    step = next((size * factor for factor in (1, 2, 5, 10) if size * factor >= raw), raw)
    first = math.ceil(low / step)
    inner = [round((first + i) * step, 12) for i in range(8)]
    return _spread(low, high, [tick for tick in inner if low < tick < high], float)


def _log_ticks(low: float, high: float) -> list[float]:
    decades = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
    step = math.ceil(len(decades) / 6) or 1
    inner = [10.0**power for power in decades[::step]]
    return _spread(low, high, inner, math.log10)


def _spread(
    low: float, high: float, inner: list[float], measure: Callable[[float], float]
) -> list[float]:
    near = (measure(high) - measure(low)) * 0.075
    kept = [
        tick
        for tick in inner
        if measure(tick) - measure(low) > near and measure(high) - measure(tick) > near
    ]
    return [low, *kept, high]


def _draw_legend(picture: Picture, colour: Axis) -> None:
    x, top, bottom, steps = _WIDTH - 46, _TOP + 6, _HEIGHT - 60, 24
    height = (bottom - top) / steps
    for index in range(steps):
        shade = viridis(1 - (index + 0.5) / steps)
        picture.items.append(Rect(x, top + index * height, 12, height + 0.5, shade))
    picture.items.append(Text(x + 6, top - 8, short_number(colour.high), 10, "middle", 0.85))
    picture.items.append(Text(x + 6, bottom + 14, short_number(colour.low), 10, "middle", 0.85))
    name = fitted(colour.key, 10, 78)
    picture.items.append(Text(x + 6, bottom + 30, name, 10, "middle", bold=True, full=colour.key))
