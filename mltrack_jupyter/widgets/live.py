"""The comparison as an anywidget: the same view, with its state shared with the kernel."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anywidget
import msgspec
import traitlets

from mltrack_jupyter.entities import RunTable

_SCRIPT = Path(__file__).parent.parent / "static" / "compare.js"


class CompareWidget(anywidget.AnyWidget):
    """Parallel coordinates whose ``spec`` (axes, colour, brushes) and ``selected`` runs go both ways."""

    _esm = _SCRIPT
    table = traitlets.Dict().tag(sync=True)
    spec = traitlets.Dict().tag(sync=True)
    selected = traitlets.List(traitlets.Unicode()).tag(sync=True)

    @classmethod
    def of(cls, table: RunTable, spec: Mapping[str, Any]) -> CompareWidget:
        """Return the widget of some runs."""
        return cls(table=wire_table(table), spec=dict(spec), selected=[])


def wire_table(table: RunTable) -> dict[str, Any]:
    """Return a table as its JSON; NaN and infinities as the words that JSON has no numbers for."""
    content: dict[str, Any] = msgspec.to_builtins(table)
    for column in content.get("columns", []):
        column["values"] = [_wire(value) for value in column["values"]]
    return content


def _wire(value: Any) -> Any:
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
