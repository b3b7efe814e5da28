"""Runs as a compact table, in HTML and in plain text."""

from __future__ import annotations

from collections.abc import Sequence

from mltrack_jupyter.entities import RunTable
from mltrack_jupyter.widgets.axes import Axis, Value, as_number
from mltrack_jupyter.widgets.colours import NEUTRAL, STATUS
from mltrack_jupyter.widgets.texts import duration, escape, short_number, shorten

_FONT = "font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:12px;line-height:1.4"
FRAME = f"{_FONT};color:var(--jp-content-font-color1,inherit)"
# Short, because every cell repeats it; the page's own rules for tables do the rest.
_RULE = "border-bottom:1px solid var(--jp-border-color1,rgba(128,128,128,.6))"
_CELL = "text-align:left;padding:2px 8px"
_NUMBER = "text-align:right;padding:2px 8px"
_MAX_TEXT = 32
_MAX_DIGITS = 9


def status_html(status: str) -> str:
    """Return a status as a coloured dot and its word."""
    colour = STATUS.get(status, NEUTRAL)
    return f'<span style="color:{colour}" aria-hidden="true">●</span> {escape(status.lower())}'


def cell_text(value: Value, kind: str) -> str:
    """Return the text of a cell; a missing value is an empty one."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return short_number(float(value))
    number = as_number(value) if kind == "metric" or len(value) > _MAX_DIGITS else None
    return short_number(number) if number is not None else shorten(value, _MAX_TEXT)


def span_text(start: int, end: int | None) -> str:
    """Return the duration of a run, empty while it runs."""
    return "" if end is None else duration(end - start)


def runs_html(table: RunTable, axes: Sequence[Axis], rows: Sequence[int], total: int) -> str:
    """Return a table of runs: name, status, duration and some columns."""
    names = ["run", "status", "duration", *(axis.key for axis in axes)]
    kinds = ["", "", "n", *("n" if axis.is_number else "" for axis in axes)]
    head = "".join(
        f'<th style="{_NUMBER if kind else _CELL}" title="{escape(name)}">'
        f"{escape(shorten(name, 20))}</th>"
        for name, kind in zip(names, kinds, strict=True)
    )
    body = "".join(_row_html(table, axes, row) for row in rows)
    rest = total - len(rows)
    more = f'<div style="opacity:.65;margin-top:3px">and {rest} more runs</div>' if rest > 0 else ""
    return (
        f'<div style="overflow-x:auto"><table style="{FRAME};border-collapse:collapse;margin:4px 0;'
        f'white-space:nowrap;font-variant-numeric:tabular-nums"><thead><tr style="{_RULE}">{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>{more}"
    )


def _row_html(table: RunTable, axes: Sequence[Axis], row: int) -> str:
    name, status = table.run_names[row], table.statuses[row]
    cells = [
        f'<td style="{_CELL}" title="{escape(table.run_ids[row])}">{escape(shorten(name, 32))}</td>',
        f'<td style="{_CELL}">{status_html(status)}</td>',
        f'<td style="{_NUMBER}">{span_text(table.start_times[row], table.end_times[row])}</td>',
    ]
    for axis in axes:
        style = _NUMBER if axis.is_number else _CELL
        value = axis.raw[row]
        text = escape(cell_text(value, axis.kind)) or '<span style="opacity:.5">-</span>'
        full = (
            ""
            if not isinstance(value, str) or text == escape(value)
            else escape(shorten(value, 160))
        )
        full = full and f' title="{full}"'
        cells.append(f'<td style="{style}"{full}>{text}</td>')
    return f"<tr>{''.join(cells)}</tr>"


def runs_plain(table: RunTable, axes: Sequence[Axis], rows: Sequence[int], total: int) -> str:
    """Return the same table in plain text."""
    lines = [["run", "status", "duration", *(shorten(axis.key, 18) for axis in axes)]]
    for row in rows:
        fixed = [
            shorten(table.run_names[row], 28),
            table.statuses[row],
            span_text(table.start_times[row], table.end_times[row]),
        ]
        lines.append(
            [*fixed, *(shorten(cell_text(axis.raw[row], axis.kind), 18) or "-" for axis in axes)]
        )
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
    rest = total - len(rows)
    return text + (f"\n… and {rest} more runs" if rest > 0 else "")
