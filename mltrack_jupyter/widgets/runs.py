"""A list of runs as a compact table."""

from __future__ import annotations

from typing import Any

from mltrack_jupyter.entities import RunTable
from mltrack_jupyter.tracking import fluent
from mltrack_jupyter.widgets.axes import build_axes, choose_axes
from mltrack_jupyter.widgets.bundle import View, view_bundle
from mltrack_jupyter.widgets.comparison import find_runs
from mltrack_jupyter.widgets.table import FRAME, runs_html, runs_plain

_MAX_ROWS = 25
_MAX_COLUMNS = 10


class RunsView(View):
    """Some runs in a table; the value of :func:`runs_view`."""

    def __init__(self, table: RunTable) -> None:
        self._table = table
        self._axes = choose_axes(build_axes(table), None)[-_MAX_COLUMNS:]

    @property
    def run_ids(self) -> list[str]:
        """The ids of the runs, in their order."""
        return list(self._table.run_ids)

    def bundle(self) -> dict[str, Any]:
        """Return the mimebundle of the view."""
        rows = range(min(_MAX_ROWS, len(self.run_ids)))
        total = max(self._table.total or 0, len(self.run_ids))
        if rows:
            html = runs_html(self._table, self._axes, rows, total)
            plain = runs_plain(self._table, self._axes, rows, total)
        else:
            plain = "No runs."
            html = '<span style="opacity:.7">No runs.</span>'
        framed = f'<div style="{FRAME}">{html}</div>'
        return view_bundle(self.run_ids, {"kind": "runs"}, html=framed, plain=plain)


def runs_view(runs: Any = None, *, max_results: int = 100) -> RunsView:
    """Show runs as a table: ids, a DataFrame with ``run_id``, a filter, or the newest of the experiment."""
    return RunsView(find_runs(fluent.services(), runs, max_results))
