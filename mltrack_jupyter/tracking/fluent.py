"""The fluent API in one place: what ``import mltrack_jupyter`` offers for tracking."""

from mltrack_jupyter.tracking import ending, system_metrics
from mltrack_jupyter.tracking.checks import name_of_experiment
from mltrack_jupyter.tracking.logging import (
    delete_tag,
    log_artifact,
    log_artifacts,
    log_bytes,
    log_dict,
    log_figure,
    log_metric,
    log_metrics,
    log_param,
    log_params,
    log_text,
    logged_keys,
    set_tag,
    set_tags,
)
from mltrack_jupyter.tracking.organising import create_experiment
from mltrack_jupyter.tracking.reading import (
    download_artifacts,
    get_artifact_uri,
    get_experiment,
    get_experiment_by_name,
    get_metric_history,
    get_run,
    search_experiments,
    search_runs,
)
from mltrack_jupyter.tracking.runs import (
    active_run,
    begin_run,
    end_run,
    last_active_run,
    start_run,
)
from mltrack_jupyter.tracking.scope import (
    ActiveRun,
    end_implicit,
    finish_run,
)
from mltrack_jupyter.tracking.session import (
    current_experiment,
    get_tracking_uri,
    has_explicit_experiment,
    services,
    set_experiment,
    set_tracking_uri,
)

ending.install()
system_metrics.install()

__all__ = [
    "ActiveRun",
    "active_run",
    "begin_run",
    "create_experiment",
    "current_experiment",
    "delete_tag",
    "download_artifacts",
    "end_implicit",
    "end_run",
    "finish_run",
    "get_artifact_uri",
    "get_experiment",
    "get_experiment_by_name",
    "get_metric_history",
    "get_run",
    "get_tracking_uri",
    "has_explicit_experiment",
    "last_active_run",
    "log_artifact",
    "log_artifacts",
    "log_bytes",
    "log_dict",
    "log_figure",
    "log_metric",
    "log_metrics",
    "log_param",
    "log_params",
    "log_text",
    "logged_keys",
    "name_of_experiment",
    "search_experiments",
    "search_runs",
    "services",
    "set_experiment",
    "set_tag",
    "set_tags",
    "set_tracking_uri",
    "start_run",
]
