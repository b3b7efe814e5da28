"""Comparing runs: parallel coordinates and a table, alive in Lab and a picture elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from mltrack_jupyter.entities import RunTable
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.services import Services
from mltrack_jupyter.suggestions import did_you_mean
from mltrack_jupyter.tracking import fluent, hints
from mltrack_jupyter.tracking.reading import experiments_to_search
from mltrack_jupyter.widgets.axes import Axis, build_axes, choose_axes, colour_axis, find_axis
from mltrack_jupyter.widgets.bundle import MAX_OUTPUT, MAX_PNG, View, size_of, view_bundle
from mltrack_jupyter.widgets.parallel import draw_parallel
from mltrack_jupyter.widgets.picture import Picture
from mltrack_jupyter.widgets.table import FRAME, runs_html, runs_plain
from mltrack_jupyter.widgets.texts import escape

if TYPE_CHECKING:
    from mltrack_jupyter.widgets.live import CompareWidget

_RUN_ID = re.compile(r"[0-9a-f]{32}\Z")
_MAX_RUNS = 300
_MAX_ROWS = 12
_MAX_COLUMNS = 8
# (lines drawn, rows of the table): each smaller, until the output keeps to its size.
_SIZES = ((150, 12), (80, 8), (40, 5))
# (lines drawn, scale, smooth) of the PNG, which is for exports to paper.
_QUALITIES = (
    (8, 2.0, True),
    (16, 1.5, True),
    (60, 1.0, True),
    (60, 1.0, False),
    (40, 1.0, False),
    (24, 1.0, False),
    (24, 0.75, False),
    (12, 0.75, False),
)
_ROOM_FOR_PNG = 24_000


class Comparison(View):
    """Some runs side by side; the value of :func:`compare`."""

    def __init__(
        self, table: RunTable, *, color: str | None = None, axes: Sequence[str] | None = None
    ) -> None:
        self._table = table
        self._all = build_axes(table)
        self._shown = choose_axes(self._all, axes)
        self._colour = colour_axis(self._all, self._shown, color)
        self._spec = self._specification(color, axes)

    def _specification(self, color: str | None, axes: Sequence[str] | None) -> dict[str, Any]:
        # Only what was chosen: the rest is for the live view to decide, which may see newer data.
        for name in [*(axes or ()), *filter(None, [color])]:
            if find_axis(self._all, name) is None:
                near = ", ".join(axis.id for axis in self._all[:20])
                hint = did_you_mean(
                    name, [word for axis in self._all for word in (axis.id, axis.key)]
                )
                raise InvalidParameter(
                    f"None of these runs has {name!r}{hint and '; '}{hint or '.'} There are: {near}."
                )
        spec: dict[str, Any] = {}
        if axes is not None:
            spec["axes"] = [axis.id for axis in self._shown]
        if color is not None:
            spec["color"] = self._colour.id if self._colour is not None else ""
        return spec

    @property
    def run_ids(self) -> list[str]:
        """The ids of the runs, in their order."""
        return list(self._table.run_ids)

    @property
    def spec(self) -> dict[str, Any]:
        """What was chosen of the view: axes and colour."""
        return dict(self._spec)

    def picture(self, lines: int = _MAX_RUNS) -> Picture:
        """Draw the static picture, with at most so many runs."""
        return draw_parallel(self._shown, self._colour, _sample(len(self.run_ids), lines))

    def widget(self) -> CompareWidget:
        """Return the live view as a widget whose choices the kernel sees (``spec``, ``selected``)."""
        from mltrack_jupyter.widgets.live import CompareWidget

        return CompareWidget.of(self._table, self._spec)

    def bundle(self) -> dict[str, Any]:
        """Return the mimebundle of the view."""
        count = len(self.run_ids)
        view = {"kind": "compare", **self._spec}
        # Status and duration are columns of every table.
        columns = [axis for axis in self._shown if axis.kind != "attribute"][-_MAX_COLUMNS:]
        plain = runs_plain(self._table, columns, range(min(_MAX_ROWS, count)), count)
        for lines, rows in _SIZES:
            html = self._html(self.picture(lines), columns, range(min(rows, count)))
            bundle = view_bundle(self.run_ids, view, html=html, plain=plain)
            room = MAX_OUTPUT - size_of(bundle)
            if room >= _ROOM_FOR_PNG:
                break
        png = self._png(room)
        return view_bundle(self.run_ids, view, html=html, plain=plain, png=png)

    def _png(self, room: int) -> bytes:
        """Return the best PNG that fits into so many bytes of base64."""
        for lines, scale, smooth in _QUALITIES:
            if len(self.run_ids) > lines and smooth:
                continue
            png = self.picture(lines).png(scale, smooth=smooth)
            if len(png) <= MAX_PNG and len(png) * 4 / 3 + 100 <= room:
                return png
        return b""

    def _html(self, picture: Picture, columns: Sequence[Axis], rows: Sequence[int]) -> str:
        count = len(self.run_ids)
        title = f"{count} run" + ("" if count == 1 else "s")
        colour = f" · coloured by {self._colour.id}" if self._colour is not None else ""
        body = runs_html(self._table, columns, rows, count)
        return (
            f'<div style="{FRAME}"><div style="opacity:.75;margin:2px 0 4px">Comparing {title}'
            f"{escape(colour)}</div>{picture.svg()}{body}</div>"
        )


def _sample(count: int, most: int) -> list[int]:
    """Return at most ``most`` of ``count`` rows, evenly spread, the first and the last included."""
    if count <= most:
        return list(range(count))
    return sorted({round(index * (count - 1) / (most - 1)) for index in range(most)})


def compare(
    runs: str | Iterable[str] | Any = None,
    *,
    color: str | None = None,
    axes: Sequence[str] | None = None,
) -> Comparison:
    """Compare runs: parallel coordinates of what varies, and a table.

    Parameters
    ----------
    runs
        Run ids, a DataFrame with a column ``run_id`` (as ``search_runs`` returns), or a filter such as
        ``"metrics.acc > 0.9"``; by default the newest runs of the active experiment. At most 300.
    color
        What colours the lines, as ``"metrics.acc"``; ``""`` for one colour.
    axes
        The axes in their order, as ``["params.depth", "metrics.acc"]``.

    Raises
    ------
    InvalidParameter
        There is nothing to compare, or no run has such an axis.
    """
    table = find_runs(fluent.services(), runs, _MAX_RUNS)
    if not table.run_ids:
        raise InvalidParameter(
            "There are no such runs to compare in the experiment "
            f"{fluent.name_of_experiment()!r}; another one is chosen with set_experiment(name)."
            if runs is None or isinstance(runs, str)
            else "There are no such runs to compare."
        )
    return Comparison(table, color=color, axes=axes)


def find_runs(services: Services, runs: Any, most: int) -> RunTable:
    """Return a table of the runs that are meant: by ids, a DataFrame, a filter, or the newest."""
    if runs is None or (isinstance(runs, str) and not _RUN_ID.match(runs)):
        hints.check_filter(runs or "")
        hints.check_selection(services, runs or "")
        numbers = experiments_to_search()
        found = services.runs.table(
            experiment_ids=numbers,
            filter=runs or "",
            order_by=["attributes.start_time DESC"],
            max_results=most,
        )
        if runs and numbers and not found.run_ids:
            hints.warn_of_filter(services, numbers, runs)
        return found
    ids = list(dict.fromkeys(_ids_of(runs)))
    found = services.runs.table(run_ids=ids[:most], max_results=most)
    hints.warn_of_runs(services, [item for item in ids[:most] if item not in set(found.run_ids)])
    return found


def _ids_of(runs: Any) -> list[str]:
    if isinstance(runs, str):
        return [runs]
    if hasattr(runs, "columns"):
        if "run_id" not in list(runs.columns):
            raise InvalidParameter("The DataFrame has no column 'run_id'; search_runs() makes one.")
        return [str(item) for item in runs["run_id"]]
    if not isinstance(runs, Iterable):
        raise InvalidParameter(f"Runs are given by their ids, not by a {type(runs).__name__}.")
    found: list[Any] = [getattr(getattr(item, "info", None), "run_id", item) for item in runs]
    wrong = next((item for item in found if not isinstance(item, str)), None)
    if wrong is not None:
        raise InvalidParameter(f"Runs are given by their ids, not by a {type(wrong).__name__}.")
    return found
