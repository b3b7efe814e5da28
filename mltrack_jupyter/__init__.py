"""The machine-learning lifecycle inside Jupyter: track a cell, compare runs, register, load.

``import mltrack_jupyter as mltrack`` offers MLflow's verbs under MLflow's names. Nothing is imported
before it is used, so that the import costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mltrack_jupyter.entities import RunStatus, ViewType
    from mltrack_jupyter.errors import MltrackError
    from mltrack_jupyter.tracking.autolog import (
        autolog,
        keras,
        lightgbm,
        lightning,
        sklearn,
        statsmodels,
        xgboost,
    )
    from mltrack_jupyter.tracking.client import Client
    from mltrack_jupyter.tracking.fluent import (
        ActiveRun,
        active_run,
        create_experiment,
        delete_tag,
        download_artifacts,
        end_run,
        get_artifact_uri,
        get_experiment,
        get_experiment_by_name,
        get_metric_history,
        get_run,
        get_tracking_uri,
        last_active_run,
        log_artifact,
        log_artifacts,
        log_dict,
        log_figure,
        log_metric,
        log_metrics,
        log_param,
        log_params,
        log_text,
        search_experiments,
        search_runs,
        set_experiment,
        set_tag,
        set_tags,
        set_tracking_uri,
        start_run,
    )
    from mltrack_jupyter.tracking.models import load_model, log_model, register_model
    from mltrack_jupyter.widgets import compare

_FLUENT = "mltrack_jupyter.tracking.fluent"
_AUTOLOG = "mltrack_jupyter.tracking.autolog"
_HOMES = {
    "Client": "mltrack_jupyter.tracking.client",
    "MltrackError": "mltrack_jupyter.errors",
    "RunStatus": "mltrack_jupyter.entities",
    "ViewType": "mltrack_jupyter.entities",
    "autolog": _AUTOLOG,
    "compare": "mltrack_jupyter.widgets",
    "keras": _AUTOLOG,
    "lightgbm": _AUTOLOG,
    "lightning": _AUTOLOG,
    "load_model": "mltrack_jupyter.tracking.models",
    "log_model": "mltrack_jupyter.tracking.models",
    "register_model": "mltrack_jupyter.tracking.models",
    "sklearn": _AUTOLOG,
    "statsmodels": _AUTOLOG,
    "xgboost": _AUTOLOG,
}

__all__ = [
    "ActiveRun",
    "Client",
    "MltrackError",
    "RunStatus",
    "ViewType",
    "active_run",
    "autolog",
    "compare",
    "create_experiment",
    "delete_tag",
    "download_artifacts",
    "end_run",
    "get_artifact_uri",
    "get_experiment",
    "get_experiment_by_name",
    "get_metric_history",
    "get_run",
    "get_tracking_uri",
    "keras",
    "last_active_run",
    "lightgbm",
    "lightning",
    "load_model",
    "log_artifact",
    "log_artifacts",
    "log_dict",
    "log_figure",
    "log_metric",
    "log_metrics",
    "log_model",
    "log_param",
    "log_params",
    "log_text",
    "register_model",
    "search_experiments",
    "search_runs",
    "set_experiment",
    "set_tag",
    "set_tags",
    "set_tracking_uri",
    "sklearn",
    "start_run",
    "statsmodels",
    "xgboost",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return importlib.import_module("mltrack_jupyter.config").package_version()
    if name not in __all__:
        raise AttributeError(f"module 'mltrack_jupyter' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES.get(name, _FLUENT)), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])


def load_ipython_extension(shell: Any) -> None:
    """Register ``%%track`` and ``%mltrack`` in an IPython shell."""
    importlib.import_module("mltrack_jupyter.magics").load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Take back what :func:`load_ipython_extension` added."""
    importlib.import_module("mltrack_jupyter.magics").unload(shell)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "mltrack-jupyter"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    app = importlib.import_module("mltrack_jupyter.server.app").MltrackApp
    return [{"module": "mltrack_jupyter", "app": app}]
