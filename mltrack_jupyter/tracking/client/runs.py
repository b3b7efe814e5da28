"""Calls about runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mltrack_jupyter.entities import Amendment, Metric, PagedList, Param, Run, Tag, ViewType
from mltrack_jupyter.store import rules
from mltrack_jupyter.tracking import batches
from mltrack_jupyter.tracking.batches import to_number, to_whole
from mltrack_jupyter.tracking.client.base import Calls, pairs, parse_status
from mltrack_jupyter.tracking.clock import next_ordinal, now_ms
from mltrack_jupyter.tracking.operations import RunOperations, handle
from mltrack_jupyter.tracking.scope import PARENT


class RunCalls(Calls):
    """Runs, by id."""

    def create_run(
        self,
        experiment_id: str | int,
        start_time: int | None = None,
        tags: Mapping[str, Any] | None = None,
        run_name: str | None = None,
    ) -> Run:
        """Create a run; ``start_time`` is in milliseconds, now if absent."""
        labels = pairs(tags)
        return self.services.runs.create(
            experiment_id=rules.id_text(experiment_id, "experiment_id"),
            user_id=next((tag.value for tag in labels if tag.key == "mlflow.user"), ""),
            run_name=run_name or "",
            start_time=now_ms() if start_time is None else start_time,
            tags=labels,
        )

    def get_parent_run(self, run_id: str) -> Run | None:
        """Return the run that a run is a child of, or ``None``."""
        parent = self.services.runs.get(run_id).data.tags.get(PARENT)
        return self.services.runs.get(parent) if parent else None

    def get_run(self, run_id: str) -> Run:
        """Return a run, active or deleted."""
        return self.services.runs.get(run_id)

    def get_amendments(self, run_id: str) -> list[Amendment]:
        """Return the params of a run that were given another value while it went on, oldest first."""
        return self.services.journals.amendments(run_id)

    def search_runs(
        self,
        experiment_ids: Sequence[str | int] | str | int,
        filter_string: str = "",
        run_view_type: ViewType = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Run]:
        """Return a page of the runs that match a filter, newest first."""
        return self.services.runs.search(
            rules.id_texts(experiment_ids, "experiment_ids"),
            filter_string,
            run_view_type,
            max_results,
            order_by,
            page_token or "",
        ).to_list()

    def log_metric(
        self,
        run_id: str,
        key: str,
        value: float,
        timestamp: int | None = None,
        step: int | None = None,
        synchronous: bool | None = None,
        dataset_name: str | None = None,
        dataset_digest: str | None = None,
        model_id: str | None = None,
    ) -> RunOperations | None:
        """Add a point to a metric; ``timestamp`` is in milliseconds, now where absent.

        Of points with a ``timestamp``, an exact repetition is stored once.
        """
        now = timestamp is None
        time = now_ms() if now else to_whole("timestamp", key, timestamp)
        place = to_whole("step", key, step or 0)
        self.services.runs.log_metric(
            run_id,
            key,
            to_number(key, value),
            time,
            place,
            model_id or "",
            dataset_name or "",
            dataset_digest or "",
            next_ordinal() if now else 0,
        )
        return handle(synchronous)

    def log_param(self, run_id: str, key: str, value: Any, synchronous: bool | None = None) -> Any:
        """Write a param, once, and return its value."""
        self.services.runs.log_param(run_id, key, str(value))
        return handle(synchronous) or value

    def log_batch(
        self,
        run_id: str,
        metrics: Iterable[Metric] = (),
        params: Iterable[Param] = (),
        tags: Iterable[Tag] = (),
        synchronous: bool | None = None,
    ) -> RunOperations | None:
        """Log metrics, params and tags: none of them if one cannot be right.

        Up to 1,000 of them, of which 100 params and 100 tags, are written together; more in several batches.
        """
        given = batches.points(metrics), batches.params(params), batches.tags(tags)
        for batch in batches.divided(*given):
            self.services.runs.log_batch(run_id, *batch)
        return handle(synchronous)

    def set_tag(
        self, run_id: str, key: str, value: Any, synchronous: bool | None = None
    ) -> RunOperations | None:
        """Set a tag."""
        self.services.runs.set_tag(run_id, key, str(value))
        return handle(synchronous)

    def delete_tag(self, run_id: str, key: str) -> None:
        """Remove a tag. Raises ``NotFound`` if there is none."""
        self.services.runs.delete_tag(run_id, key)

    def update_run(self, run_id: str, status: str | None = None, name: str | None = None) -> None:
        """Change the status or the name of a run."""
        known = parse_status(status) if status else None
        self.services.runs.update(run_id, status=known, run_name=name or "")

    def set_terminated(
        self, run_id: str, status: str | None = None, end_time: int | None = None
    ) -> None:
        """End a run, FINISHED if no status is given."""
        time = now_ms() if end_time is None else end_time
        known = parse_status(status or "FINISHED")
        self.services.runs.update(run_id, status=known, end_time=time)

    def delete_run(self, run_id: str) -> None:
        """Put a run into the trash."""
        self.services.runs.delete(run_id)

    def restore_run(self, run_id: str) -> None:
        """Take a run out of the trash."""
        self.services.runs.restore(run_id)

    def get_metric_history(self, run_id: str, key: str) -> list[Metric]:
        """Return every point of a metric by (timestamp, step, ordinal, value)."""
        return [point.for_reading() for point in self.services.metrics.history(run_id, key)]
