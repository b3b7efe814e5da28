"""The machine-learning lifecycle inside Jupyter: track a cell, compare runs, register, load.

``import mltrack_jupyter as mltrack`` offers MLflow's verbs under MLflow's names. Nothing is imported
before it is used, so that the import costs next to nothing.
"""

from __future__ import annotations

import importlib
import os
import sys

# Type checkers know the name. The module typing costs more than all else that is imported here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mltrack_jupyter.client import MlflowClient
    from mltrack_jupyter.entities import RunStatus, ViewType
    from mltrack_jupyter.errors import MltrackError
    from mltrack_jupyter.evaluation import evaluate, validate_evaluation_results
    from mltrack_jupyter.exceptions import MlflowException
    from mltrack_jupyter.tracking.active_model import (
        ActiveModel,
        clear_active_model,
        get_active_model_id,
    )
    from mltrack_jupyter.tracking.autolog import autolog
    from mltrack_jupyter.tracking.client import Client
    from mltrack_jupyter.tracking.diagnosis import doctor
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
    from mltrack_jupyter.tracking.handles import RunHandle, run_handle
    from mltrack_jupyter.tracking.images import Image, log_image
    from mltrack_jupyter.tracking.inputs import log_input, log_inputs, log_outputs
    from mltrack_jupyter.tracking.logged_models import (
        create_external_model,
        delete_logged_model_tag,
        finalize_logged_model,
        get_logged_model,
        initialize_logged_model,
        last_logged_model,
        log_model_params,
        search_logged_models,
        set_active_model,
        set_logged_model_tags,
    )
    from mltrack_jupyter.tracking.models import load_model, log_model, register_model
    from mltrack_jupyter.tracking.operations import (
        RunOperations,
        flush_artifact_async_logging,
        flush_async_logging,
    )
    from mltrack_jupyter.tracking.organising import (
        delete_experiment,
        delete_experiment_tag,
        delete_run,
        get_parent_run,
        is_tracking_uri_set,
        restore_experiment,
        restore_run,
        set_experiment_tag,
        set_experiment_tags,
    )
    from mltrack_jupyter.tracking.registering import (
        search_model_versions,
        search_registered_models,
        set_model_version_tag,
    )
    from mltrack_jupyter.tracking.registry_store import get_registry_uri, set_registry_uri
    from mltrack_jupyter.tracking.streams import log_stream
    from mltrack_jupyter.tracking.system_metrics import (
        disable_system_metrics_logging,
        enable_system_metrics_logging,
        set_system_metrics_node_id,
        set_system_metrics_samples_before_logging,
        set_system_metrics_sampling_interval,
    )
    from mltrack_jupyter.tracking.tables import load_table, log_table
    from mltrack_jupyter.widgets import compare

# Where each name lives; nothing is imported before it is used.
_HOMES = {
    "client": "MlflowClient",
    "entities": "RunStatus ViewType",
    "errors": "MltrackError",
    "evaluation": "evaluate validate_evaluation_results",
    "exceptions": "MlflowException",
    "tracking.active_model": "ActiveModel clear_active_model get_active_model_id",
    "tracking.autolog": "autolog",
    "tracking.client": "Client",
    "tracking.diagnosis": "doctor",
    "tracking.fluent": (
        "ActiveRun active_run create_experiment delete_tag download_artifacts end_run "
        "get_artifact_uri get_experiment get_experiment_by_name get_metric_history get_run "
        "get_tracking_uri last_active_run log_artifact log_artifacts log_dict log_figure "
        "log_metric log_metrics log_param log_params log_text search_experiments "
        "search_runs set_experiment set_tag set_tags set_tracking_uri start_run"
    ),
    "tracking.handles": "RunHandle run_handle",
    "tracking.images": "Image log_image",
    "tracking.inputs": "log_input log_inputs log_outputs",
    "tracking.logged_models": (
        "create_external_model delete_logged_model_tag finalize_logged_model "
        "get_logged_model initialize_logged_model last_logged_model log_model_params "
        "search_logged_models set_active_model set_logged_model_tags"
    ),
    "tracking.models": "load_model log_model register_model",
    "tracking.operations": "RunOperations flush_artifact_async_logging flush_async_logging",
    "tracking.organising": (
        "delete_experiment delete_experiment_tag delete_run get_parent_run "
        "is_tracking_uri_set restore_experiment restore_run set_experiment_tag "
        "set_experiment_tags"
    ),
    "tracking.registering": "search_model_versions search_registered_models set_model_version_tag",
    "tracking.registry_store": "get_registry_uri set_registry_uri",
    "tracking.streams": "log_stream",
    "tracking.system_metrics": (
        "disable_system_metrics_logging enable_system_metrics_logging "
        "set_system_metrics_node_id set_system_metrics_samples_before_logging "
        "set_system_metrics_sampling_interval"
    ),
    "tracking.tables": "load_table log_table",
    "widgets": "compare",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}
_MODULES = frozenset(
    {"artifacts", "client", "data", "entities", "environment_variables", "evaluation", "exceptions", "keras", "lightgbm",
     "lightning", "metrics", "models", "protos", "pyfunc", "pytorch", "sklearn", "statsmodels", "store", "tracking",
     "types", "utils", "version", "xgboost"}
)  # fmt: skip

__all__ = [
    "ActiveModel",
    "ActiveRun",
    "Client",
    "Image",
    "MlflowClient",
    "MlflowException",
    "MltrackError",
    "RunHandle",
    "RunOperations",
    "RunStatus",
    "ViewType",
    "active_run",
    "autolog",
    "clear_active_model",
    "compare",
    "create_experiment",
    "create_external_model",
    "delete_experiment",
    "delete_experiment_tag",
    "delete_logged_model_tag",
    "delete_run",
    "delete_tag",
    "disable_system_metrics_logging",
    "doctor",
    "download_artifacts",
    "enable_system_metrics_logging",
    "end_run",
    "evaluate",
    "finalize_logged_model",
    "flush_artifact_async_logging",
    "flush_async_logging",
    "get_active_model_id",
    "get_artifact_uri",
    "get_experiment",
    "get_experiment_by_name",
    "get_logged_model",
    "get_metric_history",
    "get_parent_run",
    "get_registry_uri",
    "get_run",
    "get_tracking_uri",
    "initialize_logged_model",
    "is_tracking_uri_set",
    "keras",
    "last_active_run",
    "last_logged_model",
    "lightgbm",
    "lightning",
    "load_model",
    "load_table",
    "log_artifact",
    "log_artifacts",
    "log_dict",
    "log_figure",
    "log_image",
    "log_input",
    "log_inputs",
    "log_metric",
    "log_metrics",
    "log_model",
    "log_model_params",
    "log_outputs",
    "log_param",
    "log_params",
    "log_stream",
    "log_table",
    "log_text",
    "register_model",
    "restore_experiment",
    "restore_run",
    "run_handle",
    "search_experiments",
    "search_logged_models",
    "search_model_versions",
    "search_registered_models",
    "search_runs",
    "set_active_model",
    "set_experiment",
    "set_experiment_tag",
    "set_experiment_tags",
    "set_logged_model_tags",
    "set_model_version_tag",
    "set_registry_uri",
    "set_system_metrics_node_id",
    "set_system_metrics_samples_before_logging",
    "set_system_metrics_sampling_interval",
    "set_tag",
    "set_tags",
    "set_tracking_uri",
    "sklearn",
    "start_run",
    "statsmodels",
    "validate_evaluation_results",
    "xgboost",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return importlib.import_module("mltrack_jupyter.config").package_version()
    if name in _MODULES:
        return importlib.import_module(f"mltrack_jupyter.{name}")
    if name not in _HOME_OF:
        because = ""
        if not _is_file(name):
            because = importlib.import_module("mltrack_jupyter.left_out").lacking(name, __dir__())
        raise AttributeError(f"module 'mltrack_jupyter' has no attribute {name!r}{because}")
    value = getattr(importlib.import_module(f"mltrack_jupyter.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def _is_file(name: str) -> bool:
    """Tell whether a name is that of a file here, which ``from mltrack_jupyter import`` asks before it reads it."""
    return os.path.isfile(os.path.join(__path__[0], f"{name}.py"))


def __dir__() -> list[str]:
    return sorted([*__all__, *_MODULES, "__version__"])


class _NotHere:
    """Asked by ``import`` when nobody has a module of this package, last: only then anything is imported."""

    @staticmethod
    def find_spec(name: str, _path: Any = None, _target: Any = None) -> None:
        if name.startswith("mltrack_jupyter.") and not name.endswith(("left_out", "suggestions")):
            importlib.import_module("mltrack_jupyter.left_out").refuse_import(name)


if not any(getattr(finder, "__name__", "") == "_NotHere" for finder in sys.meta_path):
    sys.meta_path.append(_NotHere)


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
