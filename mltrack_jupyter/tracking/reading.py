"""Reading what was tracked: runs, experiments, metrics, artifacts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from mltrack_jupyter.entities import Experiment, Metric, Page, Run, ViewType
from mltrack_jupyter.errors import (
    EndpointNotFound,
    InvalidParameter,
    MltrackError,
    NotFound,
    Unavailable,
)
from mltrack_jupyter.store import rules
from mltrack_jupyter.tracking import hints, places, session
from mltrack_jupyter.tracking.artifacts import PathLike, RunFiles
from mltrack_jupyter.tracking.runs import active_or_new_run

if TYPE_CHECKING:
    import pandas as pd

    from mltrack_jupyter.tracking.scope import ActiveRun

_PAGE = 5000


def get_run(run_id: str) -> Run:
    """Return a run as it is stored now. Raises ``NotFound``."""
    if not isinstance(run_id, str):
        rules.check_run_id(run_id)
    with hints.about_run(session.services(), run_id):
        return session.services().runs.get(run_id)


def get_experiment(experiment_id: str | int) -> Experiment:
    """Return an experiment. Raises ``NotFound``."""
    with hints.about_experiment(session.services(), experiment_id):
        return session.services().experiments.get(rules.id_text(experiment_id, "experiment_id"))


def get_experiment_by_name(name: str) -> Experiment | None:
    """Return the experiment of a name, or ``None``."""
    try:
        return session.services().experiments.get_by_name(name)
    except NotFound:
        return None


def search_experiments(
    view_type: ViewType = ViewType.ACTIVE_ONLY,
    max_results: int | None = None,
    filter_string: str | None = None,
    order_by: list[str] | None = None,
) -> list[Experiment]:
    """Return the experiments that match a filter, newest first."""
    found: list[Experiment] = []
    token = ""
    while True:
        size = min(_PAGE, (max_results or 10**9) - len(found))
        page: Page[Experiment] = session.services().experiments.search(
            size, token, filter_string or "", order_by, view_type
        )
        found += page.items
        token = page.next_page_token
        if not token or (max_results and len(found) >= max_results):
            return found


def experiments_to_search() -> list[str]:
    """Return the id of the active experiment as a list, which is empty before the first run of a notebook.

    Reading creates no experiment. Raises ``InvalidParameter`` if that of the notebook is deleted.
    """
    name = "" if session.has_explicit_experiment() else session.host().experiment()
    if not name:
        return [session.current_experiment().experiment_id]
    try:
        found = session.services().experiments.get_by_name(name)
    except NotFound:
        return []
    return [session.not_deleted(found).experiment_id]


def iterate_runs(
    experiment_ids: Sequence[str],
    filter_string: str = "",
    run_view_type: ViewType = ViewType.ACTIVE_ONLY,
    max_results: int = 100_000,
    order_by: list[str] | None = None,
) -> Iterator[Run]:
    """Yield the runs of some experiments that match a filter, page by page."""
    token, left = "", max_results
    while left > 0:
        page = session.services().runs.search(
            list(experiment_ids), filter_string, run_view_type, min(_PAGE, left), order_by, token
        )
        yield from page
        left -= len(page)
        token = page.next_page_token
        if not token:
            return


def search_runs(
    experiment_ids: Sequence[str | int] | None = None,
    filter_string: str = "",
    run_view_type: ViewType = ViewType.ACTIVE_ONLY,
    max_results: int = 100_000,
    order_by: list[str] | None = None,
    output_format: Literal["pandas", "list"] = "pandas",
    search_all_experiments: bool = False,
    experiment_names: list[str] | None = None,
) -> pd.DataFrame | list[Run]:
    """Return the runs that match a filter, as a DataFrame (a row a run) or as a list.

    Columns are ``run_id``, ``experiment_id``, ``status``, ``artifact_uri``, ``start_time``,
    ``end_time``, ``metrics.*``, ``params.*`` and ``tags.*``. Without experiments, those of the active
    one are searched. Raises ``InvalidParameter`` for a filter that cannot be read.
    """
    if output_format not in ("pandas", "list"):
        raise InvalidParameter(f"output_format must be 'pandas' or 'list', not {output_format!r}.")
    hints.check_search(filter_string, order_by, max_results, experiment_ids)
    if experiment_ids is not None and experiment_names is not None:
        raise InvalidParameter("Give either experiment_ids or experiment_names, not both.")
    if search_all_experiments:
        experiment_ids = [item.experiment_id for item in search_experiments()]
    elif experiment_names is not None:
        named = [get_experiment_by_name(name) for name in experiment_names]
        experiment_ids = [item.experiment_id for item in named if item is not None]
    elif experiment_ids is None:
        experiment_ids = experiments_to_search()
    numbers = rules.id_texts(experiment_ids, "experiment_ids")
    found = list(iterate_runs(numbers, filter_string or "", run_view_type, max_results, order_by))
    if experiment_names is not None and not found:
        hints.warn_of_experiments(session.services(), experiment_names)
    if numbers and max_results > 0 and run_view_type is ViewType.ACTIVE_ONLY:
        hints.warn_of_search(session.services(), numbers, found, filter_string or "", order_by)
    return found if output_format == "list" else _frame(found)


def _frame(runs: Sequence[Run]) -> pd.DataFrame:
    import pandas as pd

    columns: dict[str, list[Any]] = {
        "run_id": [run.info.run_id for run in runs],
        "experiment_id": [run.info.experiment_id for run in runs],
        "status": [run.info.status.value for run in runs],
        "artifact_uri": [run.info.artifact_uri for run in runs],
        "start_time": pd.to_datetime([run.info.start_time for run in runs], unit="ms", utc=True),
        "end_time": pd.to_datetime([run.info.end_time for run in runs], unit="ms", utc=True),
    }
    for kind in ("metrics", "params", "tags"):
        columns |= _columns(kind, runs)
    return pd.DataFrame(columns)


def _columns(kind: str, runs: Sequence[Run]) -> dict[str, list[Any]]:
    """Return a column for each key that any run has, sorted by key."""
    missing = math.nan if kind == "metrics" else None
    found: dict[str, list[Any]] = {}
    for row, run in enumerate(runs):
        for item in getattr(run.data, f"{kind[:-1]}_list"):
            column = found.get(item.key)
            if column is None:
                column = found[item.key] = [missing] * len(runs)
            column[row] = item.value
    return {f"{kind}.{key}": found[key] for key in sorted(found)}


def get_metric_history(
    run_id: str, key: str, output_format: Literal["list", "columns", "pandas"] = "list"
) -> list[Metric] | dict[str, list[Any]] | pd.DataFrame:
    """Return every point of a metric by (timestamp, step, ordinal, value); the cost grows with the points.

    As a list of points, as ``columns`` (a dict of the lists ``step``, ``timestamp`` in ms, ``value``), or
    as a DataFrame of these columns, with ``timestamp`` in UTC. Points that were logged alike in step and
    time come in the order in which they were logged.
    """
    if output_format not in ("list", "columns", "pandas"):
        raise InvalidParameter(
            f"output_format must be 'list', 'columns' or 'pandas', not {output_format!r}."
        )
    if output_format == "list":
        points = [point.for_reading() for point in session.services().metrics.history(run_id, key)]
        if not points:
            hints.warn_of_metric(session.services(), run_id, key)
        return points
    columns = _history(run_id, key)
    if not columns["value"]:
        hints.warn_of_metric(session.services(), run_id, key)
    if output_format == "columns":
        return columns
    import pandas as pd

    return pd.DataFrame(
        columns | {"timestamp": pd.to_datetime(columns["timestamp"], unit="ms", utc=True)}
    )


def _history(run_id: str, key: str) -> dict[str, list[Any]]:
    try:
        found = session.services().metrics.columns(run_id, key)
    except EndpointNotFound:  # a genuine MLflow server
        points = session.services().metrics.history(run_id, key).items
        return {
            "step": [point.step for point in points],
            "timestamp": [point.timestamp for point in points],
            "value": [point.value for point in points],
        }
    return {"step": found.steps, "timestamp": found.timestamps, "value": found.values}


def get_artifact_uri(artifact_path: PathLike | None = None) -> str:
    """Return the URI of the active run's artifacts, or of one of them; without a run, one is opened.

    Where the store keeps them in a folder of this machine that is its path, and the folder is there: what is
    written into it is an artifact of the run. Through a server it is an ``mlflow-artifacts:`` URI.

    Raises ``MltrackError`` while the store is away, if the run began without it.
    """
    run = active_or_new_run()
    from mltrack_jupyter.store.artifacts import plain_path, scheme_of

    path = plain_path(artifact_path or "", empty=True)
    root = run.info.artifact_uri or _asked_for(run)
    if scheme_of(root) == "file":  # where a name is percent-encoded, and elsewhere as it is
        path = quote(path)
    places.make(root, run.uri)
    return f"{root}/{path}" if path else root


def _asked_for(run: ActiveRun) -> str:
    try:
        return run.services.runs.get(run.run_id).info.artifact_uri
    except MltrackError as error:
        if not session.goes_on(run.uri, error):
            raise
        raise Unavailable(
            f"The store is away ({error}), and the run {run.run_id} began without it: where its artifacts "
            "are is known when the store is there again. log_artifact(...) and its kin can be called until "
            "then."
        ) from error


def download_artifacts(
    run_id: str, artifact_path: PathLike = "", dst_path: PathLike | None = None
) -> str:
    """Copy an artifact of a run, a file or a directory, into a local folder; return its path there.

    Raises ``NotFound`` if the run has no such artifact.
    """
    return RunFiles.of(session.services(), run_id).fetch(artifact_path, dst_path)
