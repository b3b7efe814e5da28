"""Experiments, runs and their metrics: MLflow's tracking operations, and tables for the screens."""

from __future__ import annotations

from typing import Protocol

from mltrack_jupyter.entities import (
    DatasetInput,
    DatasetSummary,
    Experiment,
    Metric,
    MetricSeries,
    ModelInput,
    ModelOutput,
    Page,
    Param,
    Points,
    Run,
    RunColumns,
    RunInfo,
    RunStatus,
    RunTable,
    Tag,
    ViewType,
)
from mltrack_jupyter.services.operation import LARGE_BODY, operation

_EXPERIMENTS = "/api/2.0/mlflow/experiments"
_RUNS = "/api/2.0/mlflow/runs"
_UUID = {"run_uuid": "run_id"}


class Experiments(Protocol):
    """The named groups of runs. Names are unique among active and deleted experiments alike."""

    @operation("POST", f"{_EXPERIMENTS}/create", answer="experiment_id", idempotent=False)
    def create(self, name: str, artifact_location: str = "", tags: list[Tag] | None = None) -> str:
        """Create an experiment and return its id.

        Raises ``AlreadyExists`` if the name is taken, also by a deleted experiment.
        """
        ...

    @operation("GET", f"{_EXPERIMENTS}/get", answer="experiment")
    def get(self, experiment_id: str) -> Experiment:
        """Return an experiment, active or deleted. Raises ``NotFound``."""
        ...

    @operation("GET", f"{_EXPERIMENTS}/get-by-name", answer="experiment")
    def get_by_name(self, experiment_name: str) -> Experiment:
        """Return the experiment of that name, active or deleted. Raises ``NotFound``."""
        ...

    @operation("POST", f"{_EXPERIMENTS}/search", also=("GET",), answer="experiments", safe=True)
    def search(
        self,
        max_results: int,
        page_token: str = "",
        filter: str = "",
        order_by: list[str] | None = None,
        view_type: ViewType = ViewType.ACTIVE_ONLY,
    ) -> Page[Experiment]:
        """Return experiments that match a filter, newest first; at most 50,000 a page."""
        ...

    @operation("POST", f"{_EXPERIMENTS}/update")
    def update(self, experiment_id: str, new_name: str) -> None:
        """Rename an active experiment."""
        ...

    @operation("POST", f"{_EXPERIMENTS}/delete", idempotent=False)
    def delete(self, experiment_id: str) -> None:
        """Put an experiment and all its runs into the trash."""
        ...

    @operation("POST", f"{_EXPERIMENTS}/restore", idempotent=False)
    def restore(self, experiment_id: str) -> None:
        """Take an experiment and all its runs out of the trash."""
        ...

    @operation("POST", f"{_EXPERIMENTS}/set-experiment-tag")
    def set_tag(self, experiment_id: str, key: str, value: str = "") -> None:
        """Set a tag of an active experiment."""
        ...

    @operation("POST", f"{_EXPERIMENTS}/delete-experiment-tag", idempotent=False)
    def delete_tag(self, experiment_id: str, key: str) -> None:
        """Remove a tag. Raises ``NotFound`` if there is none of that key."""
        ...

    @operation("POST", f"{_EXPERIMENTS}/search-datasets", answer="dataset_summaries", safe=True)
    def search_datasets(self, experiment_ids: list[str] | None = None) -> list[DatasetSummary]:
        """Return the datasets that runs of up to 20 experiments read; the first 1,000 of them."""
        ...


class Runs(Protocol):
    """Runs: created, logged to, searched. A deleted run can be read but not written."""

    @operation("POST", f"{_RUNS}/create", answer="run", idempotent=False)
    def create(
        self,
        experiment_id: str = "",
        user_id: str = "",
        run_name: str = "",
        start_time: int = 0,
        tags: list[Tag] | None = None,
    ) -> Run:
        """Create a run, with status RUNNING; a name is invented where none is given."""
        ...

    @operation("GET", f"{_RUNS}/get", answer="run", aliases=_UUID)
    def get(self, run_id: str) -> Run:
        """Return a run, active or deleted, with its latest metrics. Raises ``NotFound``."""
        ...

    @operation("POST", f"{_RUNS}/update", answer="run_info", aliases=_UUID)
    def update(
        self,
        run_id: str,
        status: RunStatus | None = None,
        end_time: int | None = None,
        run_name: str = "",
    ) -> RunInfo:
        """Change the status, the end time or the name of a run."""
        ...

    @operation("POST", f"{_RUNS}/delete")
    def delete(self, run_id: str) -> None:
        """Put a run into the trash."""
        ...

    @operation("POST", f"{_RUNS}/restore")
    def restore(self, run_id: str) -> None:
        """Take a run out of the trash."""
        ...

    @operation("POST", f"{_RUNS}/log-metric", aliases=_UUID)
    def log_metric(
        self,
        run_id: str,
        key: str,
        value: float,
        timestamp: int,
        step: int = 0,
        model_id: str = "",
        dataset_name: str = "",
        dataset_digest: str = "",
        ordinal: int = 0,
    ) -> None:
        """Add a point to a metric, and to the logged model ``model_id`` as well where it names one.

        An exact repetition of a point is stored once. ``ordinal`` tells apart those that are not meant as
        a repetition, though they are alike in key, step, time and value.
        """
        ...

    @operation("POST", f"{_RUNS}/log-parameter", aliases=_UUID)
    def log_param(self, run_id: str, key: str, value: str = "") -> None:
        """Write a param, once; raises ``InvalidParameter`` if it has another value already."""
        ...

    @operation("POST", f"{_RUNS}/set-tag", aliases=_UUID)
    def set_tag(self, run_id: str, key: str, value: str = "") -> None:
        """Set a tag."""
        ...

    @operation("POST", f"{_RUNS}/delete-tag", idempotent=False)
    def delete_tag(self, run_id: str, key: str) -> None:
        """Remove a tag. Raises ``NotFound`` if there is none of that key."""
        ...

    @operation("POST", f"{_RUNS}/log-batch")
    def log_batch(
        self,
        run_id: str,
        metrics: list[Metric] | None = None,
        params: list[Param] | None = None,
        tags: list[Tag] | None = None,
    ) -> None:
        """Log up to 1,000 metrics, 100 params and 100 tags: all of them or, on an error, none.

        An exact repetition of a point, its ordinal included, is stored once.
        """
        ...

    # The profile of a dataset may have 16 million characters, as at MLflow.
    @operation("POST", f"{_RUNS}/log-inputs", body_limit=LARGE_BODY)
    def log_inputs(
        self,
        run_id: str,
        datasets: list[DatasetInput] | None = None,
        models: list[ModelInput] | None = None,
    ) -> None:
        """Record what a run read. The same dataset logged again changes nothing."""
        ...

    @operation("POST", f"{_RUNS}/outputs", idempotent=False)
    def log_outputs(self, run_id: str, models: list[ModelOutput]) -> None:
        """Record the logged models that a run made."""
        ...

    @operation("POST", f"{_RUNS}/log-model", idempotent=False)
    def log_model(self, run_id: str, model_json: str) -> None:
        """Note a model on a run, as clients before MLflow 3 do: in the tag ``mlflow.log-model.history``."""
        ...

    @operation("POST", f"{_RUNS}/search", answer="runs", safe=True)
    def search(
        self,
        experiment_ids: list[str] | None = None,
        filter: str = "",
        run_view_type: ViewType = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        order_by: list[str] | None = None,
        page_token: str = "",
    ) -> Page[Run]:
        """Return runs of some experiments that match a filter.

        The first page costs the same however many runs there are, except for an order by an attribute
        other than ``start_time`` and a filter of attributes or by LIKE that few runs fit. Later pages
        cost more by what they skip.
        """
        ...

    @operation("POST", "/api/1/runs/table", safe=True)
    def table(
        self,
        experiment_ids: list[str] | None = None,
        run_ids: list[str] | None = None,
        filter: str = "",
        order_by: list[str] | None = None,
        max_results: int = 1000,
        page_token: str = "",
        columns: list[str] | None = None,
    ) -> RunTable:
        """Return runs as columns.

        ``run_ids`` asks for these runs, in this order; else the runs of ``experiment_ids`` (all active
        experiments where absent). ``columns`` names what to include, as ``metrics.acc``. The rows of the
        first page cost as in a search; ``total`` is counted, which grows with the runs.
        """
        ...

    @operation("POST", "/api/1/runs/columns", safe=True)
    def columns(
        self,
        experiment_ids: list[str] | None = None,
        filter: str = "",
        max_categories: int = 50,
    ) -> RunColumns:
        """Return statistics of every column that a table of these runs would have.

        The runs are the active ones of ``experiment_ids`` (of all experiments where absent) that match
        ``filter``. Texts are listed for columns with at most ``max_categories`` (up to 1,000) of them. The cost
        grows with the values that the runs have.
        """
        ...


class Metrics(Protocol):
    """The points of metrics."""

    @operation("GET", "/api/2.0/mlflow/metrics/get-history", answer="metrics", aliases=_UUID)
    def history(
        self, run_id: str, metric_key: str, page_token: str = "", max_results: int | None = None
    ) -> Page[Metric]:
        """Return every point of a metric by (timestamp, step, ordinal, value); all of them without a limit.

        The cost grows with the points of the metric.
        """
        ...

    @operation("GET", "/api/1/metrics/columns", answer="points")
    def columns(self, run_id: str, metric_key: str) -> Points:
        """Return every point of a metric by (timestamp, step, ordinal, value), as columns.

        The cost grows with the points of the metric.
        """
        ...

    @operation("GET", "/api/2.0/mlflow/metrics/get-history-bulk", answer="metrics")
    def history_bulk(
        self, run_id: list[str] | None = None, metric_key: str = "", max_results: int = 25_000
    ) -> list[Metric]:
        """Return a metric of up to 100 runs: run by run in the order of their ids, each as its history is.

        At most ``max_results`` points of all of them together, and never more than 25,000.
        """
        ...

    @operation("GET", "/api/2.0/mlflow/metrics/get-history-bulk-interval", answer="metrics")
    def history_bulk_interval(
        self,
        run_ids: list[str],
        metric_key: str,
        start_step: int | None = None,
        end_step: int | None = None,
        max_results: int = 2500,
    ) -> list[Metric]:
        """Return a metric of up to 100 runs by step, at most ``max_results`` points of each.

        The points are evenly spread, first and last included. ``start_step`` and ``end_step`` are given
        together or not at all.
        """
        ...

    @operation("POST", "/api/1/metrics/series", answer="series", safe=True)
    def series(
        self, run_ids: list[str], metric_keys: list[str], max_points: int = 1000
    ) -> list[MetricSeries]:
        """Return metrics of several runs as lines that can be drawn, run by run.

        A line with more than ``max_points`` (from 2 to 10,000) finite points is thinned by largest
        triangle three buckets, which keeps its shape, its first and its last point. A run without a
        metric has no line. At most 1,000 runs, 100 metrics and 2,000,000 points in all can be asked for.
        """
        ...
