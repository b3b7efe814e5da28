"""Who and what starts a run: the system tags of new runs, of a script or of a notebook."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

from mltrack_jupyter import config


def script_context() -> dict[str, str]:
    """Return the system tags of a run that a script starts."""
    name = sys.argv[0] if sys.argv and sys.argv[0] else "<stdin>"
    return {
        "mlflow.user": config.user_name(),
        "mlflow.source.name": name,
        "mlflow.source.type": "LOCAL",
        "mltrack.trigger": config.trigger("script"),
    }


_context: Callable[[], Mapping[str, str]] = script_context


def context_tags() -> dict[str, str]:
    """Return the system tags of a run that starts now."""
    return dict(_context())


def set_context_provider(provider: Callable[[], Mapping[str, str]]) -> None:
    """Choose who tells the system tags of new runs; a notebook knows more than a script."""
    global _context
    _context = provider


def has_cells() -> bool:
    """Tell whether this is a notebook, which ends at each cell's end what a log call opened by itself."""
    return _context is not script_context
