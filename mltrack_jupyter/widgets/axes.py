"""From columns to axes: what is a number, what a category, what is missing, what varies.

The rules are those of the live view (``src/models/parcoords``), so that both show the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from mltrack_jupyter.entities import RunTable

Value = str | float | None
_AT_MOST = 12
_DURATION = "attributes.duration"
# More than two decades are unreadable on a linear scale.
_LOG_SPAN = 100
_ORDER = {"param": 0, "metric": 1, "attribute": 2, "tag": 3}


@dataclass(frozen=True)
class Axis:
    """One param, metric or attribute over all runs.

    ``places`` are numbers, or indices into ``categories``; ``None`` where a run has no value.
    """

    kind: str
    key: str
    raw: Sequence[Value]
    places: Sequence[float | None]
    categories: Sequence[str] = field(default_factory=tuple)

    @property
    def id(self) -> str:
        """The column in MLflow's grammar, as ``metrics.acc``."""
        return f"{self.kind}s.{self.key}"

    @property
    def is_number(self) -> bool:
        """Whether the axis has a scale of numbers."""
        return not self.categories

    @property
    def low(self) -> float:
        """The least value."""
        return min(self._present, default=math.nan)

    @property
    def high(self) -> float:
        """The greatest value."""
        return max(self._present, default=math.nan)

    @property
    def _present(self) -> list[float]:
        return [place for place in self.places if place is not None]

    @property
    def missing(self) -> int:
        """How many runs have no value."""
        return sum(place is None for place in self.places)

    @property
    def is_log(self) -> bool:
        """Whether the scale is logarithmic."""
        return self.is_number and self.low > 0 and self.high / self.low > _LOG_SPAN

    @property
    def is_whole(self) -> bool:
        """Whether all values are whole numbers."""
        return self.is_number and all(place == int(place) for place in self._present)

    @property
    def varies(self) -> bool:
        """Whether runs that have a value differ in it; a value that only some have tells little."""
        return bool(self._present) and self.high > self.low

    def unit(self, place: float) -> float:
        """Return where a value lies between the lower (0) and the upper end (1)."""
        low, high = self.low, self.high
        if not high > low:
            return 0.5
        if self.is_log:
            return (math.log(place) - math.log(low)) / (math.log(high) - math.log(low))
        return (place - low) / (high - low)


def build_axes(table: RunTable) -> list[Axis]:
    """Return every possible axis of a table: params, metrics, attributes, tags of the user."""
    count = len(table.run_ids)
    spans: list[Value] = [
        None if end is None else max(0, end - start) / 1000
        for start, end in zip(table.start_times, table.end_times, strict=True)
    ]
    sources: list[tuple[str, str, Sequence[Value]]] = [
        (column.kind, column.key, column.values)
        for column in table.columns
        if column.kind != "tag" or not column.key.startswith(("mlflow.", "mltrack."))
    ]
    sources += [("attribute", "status", list(table.statuses)), ("attribute", "duration", spans)]
    axes = [build_axis(*source) for source in sources if len(source[2]) == count]
    return sorted(axes, key=lambda axis: _ORDER.get(axis.kind, 9))


def build_axis(kind: str, key: str, values: Sequence[Value]) -> Axis:
    """Return the axis of one column."""
    numbers = [as_number(value) for value in values]
    if kind == "metric" or all(
        value is None or number is not None for value, number in zip(values, numbers, strict=True)
    ):
        # Infinity has no place on a scale: such a value lies with the missing ones.
        places = [n if n is not None and math.isfinite(n) else None for n in numbers]
        return Axis(kind, key, values, places)
    present = {str(value) for value in values if value is not None}
    categories = sorted(present, key=_category_order)
    index = {name: float(place) for place, name in enumerate(categories)}
    return Axis(
        kind, key, values, [None if v is None else index[str(v)] for v in values], tuple(categories)
    )


def as_number(value: Value) -> float | None:
    """Return a value as a number if it is one, or a text that reads as one."""
    if isinstance(value, int | float):
        return float(value)
    try:
        return float(value) if value is not None and "_" not in value else None
    except ValueError:
        return None


def _category_order(name: str) -> tuple[bool, float, str]:
    number = as_number(name)
    return (number is None, number if number is not None else 0.0, name.lower())


def choose_axes(axes: Sequence[Axis], wanted: Sequence[str] | None) -> list[Axis]:
    """Return the axes to show: those asked for, else the params and metrics that vary.

    Beside a single one that varies stands how long the runs took.
    """
    if wanted is not None:
        return [axis for name in wanted if (axis := find_axis(axes, name)) is not None]
    main = [axis for axis in axes if axis.kind in ("param", "metric")]
    # One run, or runs that are all alike: an empty plot would explain nothing.
    differing = [axis for axis in main if axis.varies]
    chosen = differing or main
    metrics = [axis for axis in chosen if axis.kind == "metric"][: _AT_MOST // 2]
    params = [axis for axis in chosen if axis.kind == "param"]
    if len(differing) == 1:
        # A cell that was run again: one axis joins nothing.
        return [*(axis for axis in axes if axis.id == _DURATION), *chosen]
    return [*params[: _AT_MOST - len(metrics)], *metrics]


def find_axis(axes: Sequence[Axis], name: str) -> Axis | None:
    """Return the axis called ``name`` (``metrics.acc``, ``metric.acc`` or just ``acc``), or ``None``."""
    for axis in axes:
        if name in (axis.id, f"{axis.kind}.{axis.key}"):
            return axis
    return next((axis for axis in axes if axis.key == name), None)


def colour_axis(axes: Sequence[Axis], shown: Sequence[Axis], wanted: str | None) -> Axis | None:
    """Return the axis that colours the lines; ``""`` asks for none."""
    if wanted is not None:
        found = find_axis(axes, wanted) if wanted else None
        return found if found is not None and found.is_number else None
    metrics = [axis for axis in shown if axis.kind == "metric" and axis.high > axis.low]
    common = [axis for axis in metrics if axis.missing * 2 <= len(axis.places)]
    return next(iter([*common, *metrics]), None)
