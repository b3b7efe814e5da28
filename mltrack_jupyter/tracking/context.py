"""Who and what starts a run: the system tags of new runs, of a script or of a notebook, and its experiment."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

from mltrack_jupyter import config
from mltrack_jupyter.hosted import is_kernel, nearest_kernel_id


def script_context() -> dict[str, str]:
    """Return the system tags of a run that a script starts."""
    name = sys.argv[0] if sys.argv and sys.argv[0] else "<stdin>"
    return {
        "mlflow.user": config.user_name(),
        "mlflow.source.name": name,
        "mlflow.source.type": "LOCAL",
        "mltrack.trigger": config.trigger("script"),
    }


def experiment_of_script() -> str:
    """Return the name of the experiment of the notebook that started this process, ``""`` if none did."""
    if not is_kernel() and not nearest_kernel_id():
        return ""
    from mltrack_jupyter.tracking.notebook import experiment_of_process

    return experiment_of_process()


_context: Callable[[], Mapping[str, str]] = script_context
_experiment: Callable[[], str] = experiment_of_script


def context_tags() -> dict[str, str]:
    """Return the system tags of a run that starts now."""
    return dict(_context())


def set_context_provider(provider: Callable[[], Mapping[str, str]]) -> None:
    """Choose who tells the system tags of new runs; a notebook knows more than a script."""
    global _context
    _context = provider


def experiment_of_notebook() -> str:
    """Return the name of the experiment of the notebook that this is, or was started in; ``""`` of none."""
    return _experiment()


def set_experiment_provider(provider: Callable[[], str]) -> None:
    """Choose who tells which notebook's experiment this is; a kernel asks anew in each cell."""
    global _experiment
    _experiment = provider


def has_cells() -> bool:
    """Tell whether this is a notebook, which ends at each cell's end what a log call opened by itself."""
    return _context is not script_context
