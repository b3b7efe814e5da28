"""What the evaluators hand over: metrics and files by name, before anything is logged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Findings:
    """Metrics, and files by name: a figure, a DataFrame, or a ``File``."""

    metrics: dict[str, float] = field(default_factory=dict)
    files: dict[str, Any] = field(default_factory=dict)

    def add(self, metrics: Mapping[str, Any]) -> None:
        """Add metrics; numpy's numbers become Python's."""
        for name, value in metrics.items():
            number = value.item() if hasattr(value, "item") else value
            self.metrics[name] = number if isinstance(number, int) else float(number)
