"""Runs in SQL."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import Connection, Row, delete, update

from mltrack_jupyter.entities import (
    DatasetInput,
    Metric,
    ModelInput,
    ModelOutput,
    Page,
    Param,
    Run,
    RunColumns,
    RunInfo,
    RunStatus,
    RunTable,
    Tag,
    ViewType,
)
from mltrack_jupyter.errors import BadRequest, InvalidParameter, NotFound
from mltrack_jupyter.services import Runs
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.names import RUN_NAME, invent_name
from mltrack_jupyter.store.sql import leases, run_columns, run_links, run_table, run_writes
from mltrack_jupyter.store.sql.change_log import record_change
from mltrack_jupyter.store.sql.database import Database
from mltrack_jupyter.store.sql.experiments import STAGES_OF_VIEW, find_active_experiment
from mltrack_jupyter.store.sql.model_points import add_model_points, by_point
from mltrack_jupyter.store.sql.paging import decode_token, encode_token
from mltrack_jupyter.store.sql.point_writes import add_points
from mltrack_jupyter.store.sql.run_pages import RunPages, RunScope
from mltrack_jupyter.store.sql.run_reads import find_active_run, find_run, load_runs, run_info
from mltrack_jupyter.store.sql.tables import runs, tags
from mltrack_jupyter.store.sql.types import teller
from mltrack_jupyter.store.sql.upserts import insert_row

_MAX_CATEGORIES = 1000


class SqlRuns(Runs):
    """Runs in SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        experiment_id: str = "",
        user_id: str = "",
        run_name: str = "",
        start_time: int = 0,
        tags: list[Tag] | None = None,
    ) -> Run:
        if not experiment_id:
            raise BadRequest("Missing value for required parameter 'experiment_id'.")
        given = {rules.check_free(tag.key): tag for tag in tags or []}
        if len(given) != len(tags or []):
            raise BadRequest("Two tags of the new run have the same key.")
        tagged = given[RUN_NAME].value if RUN_NAME in given else ""
        if run_name and tagged and run_name != tagged:
            raise InvalidParameter(
                f"The run_name {run_name!r} and the tag {RUN_NAME} {tagged!r} differ; give one of them."
            )
        name = rules.check_text(run_name or tagged or invent_name(), "run_name")
        rules.check_int64(start_time, "start_time")
        given[RUN_NAME] = Tag(RUN_NAME, name)
        run_id = uuid.uuid4().hex
        with self._database.write() as connection:
            experiment = find_active_experiment(connection, experiment_id)
            values = {
                "run_id": run_id,
                "experiment": experiment.id,
                "name": name,
                "user_id": user_id,
                "status": RunStatus.RUNNING.value,
                "start_time": start_time,
                "artifact_uri": f"{experiment.artifact_location}/{run_id}/artifacts",
                "lifecycle_stage": "active",
            }
            number = insert_row(connection, runs, values)
            run_writes.set_tags(connection, number, list(given.values()))
            record_change(connection, "run", run_id, "create", parent_id=experiment_id)
            return load_runs(connection, [find_run(connection, run_id)])[0]

    def get(self, run_id: str) -> Run:
        with self._database.read() as connection:
            row = find_run(connection, run_id)
            return load_runs(connection, [row], with_model_inputs=True)[0]

    def update(
        self,
        run_id: str,
        status: RunStatus | None = None,
        end_time: int | None = None,
        run_name: str = "",
    ) -> RunInfo:
        values: dict[str, Any] = {}
        if status is not None:
            values["status"] = status.value
        if end_time is not None:
            values["end_time"] = rules.check_int64(end_time, "end_time")
        with self._database.write() as connection:
            row = find_active_run(connection, run_id)
            if run_name:
                rules.check_text(run_name, "run_name")
                run_writes.set_tags(connection, row.id, [Tag(RUN_NAME, run_name)])
            if values:
                connection.execute(update(runs).where(runs.c.id == row.id).values(values))
            if status is not None and status.is_terminated():
                leases.release(connection, [row.id])
            if status in (RunStatus.RUNNING, RunStatus.FINISHED):
                leases.forget_reasons(connection, [row.id])
            detail = status.value if status else run_name
            _changed(connection, row, "update", detail)
            return run_info(find_run(connection, run_id), teller(connection))

    def delete(self, run_id: str) -> None:
        self._move(run_id, "deleted")

    def restore(self, run_id: str) -> None:
        self._move(run_id, "active")

    def _move(self, run_id: str, stage: str) -> None:
        with self._database.write() as connection:
            row = find_run(connection, run_id)
            if row.lifecycle_stage != stage:
                values = {"lifecycle_stage": stage}
                connection.execute(update(runs).where(runs.c.id == row.id).values(values))
                _changed(connection, row, "delete" if stage == "deleted" else "restore")

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
        point = Metric(
            key,
            value,
            timestamp,
            step,
            dataset_name,
            dataset_digest,
            model_id,
            ordinal=ordinal,
        )
        self.log_batch(run_id, metrics=[point])

    def log_param(self, run_id: str, key: str, value: str = "") -> None:
        self.log_batch(run_id, params=[Param(key, value)])

    def set_tag(self, run_id: str, key: str, value: str = "") -> None:
        self.log_batch(run_id, tags=[Tag(key, value)])

    def delete_tag(self, run_id: str, key: str) -> None:
        rules.check_free(key)
        with self._database.write() as connection:
            row = find_active_run(connection, run_id)
            gone = connection.execute(delete(tags).where(tags.c.run == row.id, tags.c.key == key))
            if not gone.rowcount:
                raise NotFound(f"No tag with name: {key} in run with id {run_id}.")
            _changed(connection, row, "delete-tag", key)

    def log_batch(
        self,
        run_id: str,
        metrics: list[Metric] | None = None,
        params: list[Param] | None = None,
        tags: list[Tag] | None = None,
    ) -> None:
        rules.check_run_id(run_id)
        rules.check_batch(metrics or [], params or [], tags or [])
        with self._database.write() as connection:
            row = find_active_run(connection, run_id)
            run_writes.add_params(connection, row, params or [])
            run_writes.set_tags(connection, row.id, tags or [])
            add_points(connection, row.id, metrics or [])
            named = [point for point in metrics or [] if point.model_id]
            add_model_points(connection, run_id, by_point(named))
            if metrics or params or tags:
                _changed(connection, row, "log")

    def log_inputs(
        self,
        run_id: str,
        datasets: list[DatasetInput] | None = None,
        models: list[ModelInput] | None = None,
    ) -> None:
        rules.check_run_id(run_id)
        with self._database.write() as connection:
            row = find_active_run(connection, run_id)
            run_links.add_datasets(connection, row, datasets or [])
            run_links.add_models(connection, row, "input", [(m.model_id, 0) for m in models or []])
            _changed(connection, row, "log")

    def log_outputs(self, run_id: str, models: list[ModelOutput]) -> None:
        with self._database.write() as connection:
            row = find_active_run(connection, run_id)
            found = [(model.model_id, model.step) for model in models]
            if run_links.add_models(connection, row, "output", found) < len(found):
                raise BadRequest(f"A model is an output of the run {run_id} already.")
            _changed(connection, row, "log")

    def log_model(self, run_id: str, model_json: str) -> None:
        with self._database.write() as connection:
            row = find_active_run(connection, run_id)
            run_links.add_model_history(connection, row, model_json)
            _changed(connection, row, "log")

    def search(
        self,
        experiment_ids: list[str] | None = None,
        filter: str = "",
        run_view_type: ViewType = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        order_by: list[str] | None = None,
        page_token: str = "",
    ) -> Page[Run]:
        rules.check_page_size(max_results, 50_000)
        offset = decode_token(page_token)
        numbers = rules.parse_experiment_ids(experiment_ids or [])
        scope = RunScope(STAGES_OF_VIEW[ViewType(run_view_type)], numbers, filter=filter)
        with self._database.read() as connection:
            rows = RunPages(connection, scope, order_by or []).rows(offset, max_results + 1)
            found = load_runs(connection, rows[:max_results])
        more = encode_token(offset + max_results) if len(rows) > max_results else ""
        return Page(found, more)

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
        rules.check_page_size(max_results, 50_000)
        offset = decode_token(page_token)
        if run_ids is not None:
            scope = RunScope(
                ("active",), run_ids=rules.check_ids(run_ids, "run_ids"), filter=filter
            )
        else:
            scope = RunScope(("active",), _numbers(experiment_ids), filter=filter)
        with self._database.read() as connection:
            pages = RunPages(connection, scope, order_by or [])
            rows = pages.rows(offset, max_results + 1)
            page = rows[:max_results]
            whole = offset == 0 and len(rows) <= max_results
            total = len(rows) if whole else pages.total()
            more = encode_token(offset + max_results) if len(rows) > max_results else ""
            return run_table.load_table(connection, page, columns, more, total)

    def columns(
        self,
        experiment_ids: list[str] | None = None,
        filter: str = "",
        max_categories: int = 50,
    ) -> RunColumns:
        if not 0 <= max_categories <= _MAX_CATEGORIES:
            raise InvalidParameter(
                f"Invalid value {max_categories} for parameter 'max_categories' supplied: it must be "
                f"from 0 to {_MAX_CATEGORIES}."
            )
        scope = RunScope(("active",), _numbers(experiment_ids), filter=filter)
        with self._database.read() as connection:
            found = scope.query().with_only_columns(runs.c.id)
            return run_columns.load_columns(connection, found, max_categories)


def _numbers(experiment_ids: list[str] | None) -> list[int] | None:
    return None if experiment_ids is None else rules.parse_experiment_ids(experiment_ids)


def _changed(connection: Connection, row: Row[Any], action: str, detail: str = "") -> None:
    parent = str(row.experiment)
    record_change(connection, "run", row.run_id, action, parent_id=parent, detail=detail)
