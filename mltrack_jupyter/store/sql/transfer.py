"""Writing what was tracked elsewhere, with its ids and times, into a store in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Table, func, insert, select, update

from mltrack_jupyter.entities import (
    Amendment,
    Experiment,
    InlineFile,
    LoggedModel,
    Metric,
    ModelVersion,
    RegisteredModel,
    Run,
    RunArrival,
    RunStatus,
    Tag,
)
from mltrack_jupyter.errors import BadRequest, InvalidParameter
from mltrack_jupyter.services import Transfer
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.artifacts import PROXY, Locations, scheme_of
from mltrack_jupyter.store.names import RUN_NAME
from mltrack_jupyter.store.sql import run_links, run_writes, transfer_models
from mltrack_jupyter.store.sql.amendments import bring_amendments, check_amendments
from mltrack_jupyter.store.sql.change_log import record_change
from mltrack_jupyter.store.sql.database import Database, chunked, held, now_ms
from mltrack_jupyter.store.sql.dialects import dialect_of
from mltrack_jupyter.store.sql.experiments import find_experiment, load_experiments
from mltrack_jupyter.store.sql.model_places import is_in_anothers
from mltrack_jupyter.store.sql.point_writes import add_points
from mltrack_jupyter.store.sql.register_run import register_run
from mltrack_jupyter.store.sql.run_models import imported_tag
from mltrack_jupyter.store.sql.run_reads import find_run
from mltrack_jupyter.store.sql.tables import (
    changes,
    experiment_tags,
    experiments,
    logged_models,
    metrics,
    model_versions,
    params,
    registered_models,
    runs,
    tags,
)
from mltrack_jupyter.store.sql.tombstones import unbury
from mltrack_jupyter.store.sql.upserts import insert_row, upsert
from mltrack_jupyter.store.sql.version_writes import Sources

MARK = "import"
"""The action of the change feed whose detail is the mark of a transfer."""
_STAGES = ("active", "deleted")
_LARGEST_ID = 10**18 - 10**6


class SqlTransfer(Transfer):
    """Writing what was tracked elsewhere, in SQL."""

    def __init__(self, database: Database, locations: Locations, sources: Sources) -> None:
        self._database = database
        self._locations = locations
        self._sources = sources

    def import_experiment(self, experiment: Experiment) -> Experiment:
        rules.check_experiment_name(experiment.name)
        rules.check_pairs(experiment.tag_list, "tag", rules.MAX_EXPERIMENT_TAG)
        _check_stage(experiment.lifecycle_stage)
        with self._database.write() as connection:
            query = select(experiments.c.id).where(experiments.c.name == experiment.name)
            number = connection.execute(query).scalar()
            is_new = number is None
            if number is None:
                number = self._add_experiment(connection, experiment)
            rows = [
                {"experiment": number, "key": tag.key, "value": tag.value}
                for tag in experiment.tag_list
            ]
            if upsert(connection, experiment_tags, rows, replace=False) and not is_new:
                record_change(connection, "experiment", str(number), "update", detail="import")
            return load_experiments(connection, [find_experiment(connection, str(number))])[0]

    def _add_experiment(self, connection: Connection, experiment: Experiment) -> int:
        row = {
            "name": experiment.name,
            "artifact_location": kept_location(
                connection, self._locations, experiment.artifact_location
            ),
            "lifecycle_stage": experiment.lifecycle_stage or "active",
            "creation_time": experiment.creation_time or now_ms(),
            "last_update_time": experiment.last_update_time or now_ms(),
        }
        number = _free_id(connection, experiment.experiment_id)
        if number is None:
            number = insert_row(connection, experiments, row)
        else:
            connection.execute(insert(experiments), {"id": number, **row})
            dialect_of(connection).advance_sequence(connection, "experiments", number)
        if not row["artifact_location"]:
            values = {"artifact_location": self._locations.of_experiment(number)}
            connection.execute(update(experiments).where(experiments.c.id == number).values(values))
        record_change(connection, "experiment", str(number), "create", detail=experiment.name)
        return number

    def import_run(
        self,
        run: Run,
        points: list[Metric] | None = None,
        amendments: list[Amendment] | None = None,
    ) -> RunArrival:
        check_run(run, points or [])
        check_amendments(amendments or [])
        info = run.info
        with self._database.write() as connection:
            experiment = find_experiment(connection, info.experiment_id)
            row = self._put_run(connection, run, experiment)
            bring_amendments(connection, row, amendments or [])
            run_writes.add_params(connection, row, run.data.param_list)
            labels = [_arrived(tag) for tag in run.data.tag_list]
            run_writes.set_tags(connection, row.id, [*labels, Tag(RUN_NAME, row.name)])
            for part in chunked(points or []):
                add_points(connection, row.id, part)
            run_links.add_datasets(connection, row, run.inputs.dataset_inputs)
            read = [(model.model_id, 0) for model in run.inputs.model_inputs]
            run_links.add_models(connection, row, "input", read)
            made = [(model.model_id, model.step) for model in run.outputs.model_outputs]
            run_links.add_models(connection, row, "output", made)
            return RunArrival(
                run_id=row.run_id,
                experiment_id=str(row.experiment),
                artifact_uri=row.artifact_uri,
                params=_count(connection, params, row.id),
                tags=_count(connection, tags, row.id),
                points=_count(connection, metrics, row.id),
            )

    def _put_run(self, connection: Connection, run: Run, experiment: Row[Any]) -> Row[Any]:
        info = run.info
        query = select(runs).where(runs.c.run_id == info.run_id)
        found = connection.execute(held(connection, query)).first()
        values = {
            "name": info.run_name or run.data.tags.get(RUN_NAME, "") or info.run_id[:8],
            "user_id": info.user_id[:256],
            "status": info.status.value,
            "start_time": info.start_time,
            "end_time": info.end_time,
            "lifecycle_stage": info.lifecycle_stage or "active",
        }
        if found is None:
            unbury(connection, "run", info.run_id)
            location = kept_location(connection, self._locations, info.artifact_uri)
            values |= {
                "run_id": info.run_id,
                "experiment": experiment.id,
                "artifact_uri": location
                or f"{experiment.artifact_location}/{info.run_id}/artifacts",
            }
            insert_row(connection, runs, values)
            _changed(connection, info.run_id, experiment.id, "create")
        elif found.experiment != experiment.id:
            raise BadRequest(
                f"The run {info.run_id} is here already, in the experiment {found.experiment} instead "
                f"of {experiment.id}."
            )
        else:
            # Told also when all of it was here already: to compare would cost as much as to write.
            _changed(connection, info.run_id, experiment.id, "log")
            if any(getattr(found, name) != value for name, value in values.items()):
                connection.execute(update(runs).where(runs.c.id == found.id).values(values))
                _changed(connection, info.run_id, experiment.id, "update")
        return find_run(connection, info.run_id)

    def import_logged_model(self, model: LoggedModel) -> str:
        with self._database.write() as connection:
            location = kept_location(connection, self._locations, model.info.artifact_uri)
            return transfer_models.put_logged_model(connection, model, location)

    def import_registered_model(self, model: RegisteredModel) -> None:
        with self._database.write() as connection:
            transfer_models.put_registered_model(connection, model)

    def import_model_version(self, version: ModelVersion) -> ModelVersion:
        with self._database.write() as connection:
            return transfer_models.put_version(connection, version, self._sources)

    def marks(self, entity: str, ids: list[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        with self._database.read() as connection:
            for part in chunked(rules.check_ids(ids, "ids")):
                here = _existing(connection, entity, part)
                query = select(changes.c.entity_id, changes.c.detail).where(
                    changes.c.entity == entity,
                    changes.c.entity_id.in_(here),
                    changes.c.action == MARK,
                )
                for row in connection.execute(query.order_by(changes.c.seq)):
                    found[row.entity_id] = row.detail
        return found

    def mark(self, entity: str, marks: dict[str, str]) -> None:
        with self._database.write() as connection:
            parents = _parents(connection, entity, rules.check_ids(list(marks), "marks"))
            for entity_id, detail in marks.items():
                rules.check_text(detail, "mark", 200)
                parent = parents.get(entity_id, "")
                record_change(connection, entity, entity_id, MARK, parent_id=parent, detail=detail)

    def register_run(
        self,
        experiment: str = "Default",
        run_name: str = "",
        run_id: str = "",
        status: RunStatus = RunStatus.FINISHED,
        start_time: int = 0,
        end_time: int = 0,
        user_id: str = "",
        params: dict[str, str | int | float | bool] | None = None,
        metrics: dict[str, float] | None = None,
        points: list[Metric] | None = None,
        tags: dict[str, str] | None = None,
        artifacts: list[InlineFile] | None = None,
    ) -> Run:
        arguments = {name: value for name, value in locals().items() if name != "self"}
        return register_run(self._database, self._locations, arguments)


def _arrived(tag: Tag) -> Tag:
    """Return a tag as it is kept of a run that was made elsewhere."""
    return Tag(tag.key, imported_tag(tag.value)) if tag.key == rules.MODEL_TAG else tag


def kept_location(connection: Connection, locations: Locations, uri: str) -> str:
    """Return an artifact URI that stays valid wherever the row is: in an object store; else ``""``.

    What belongs to something else here is nobody else's place.
    """
    if not uri or scheme_of(uri) in ("", "file", PROXY):
        return ""
    try:
        found = locations.check(uri)
    except InvalidParameter:
        return ""
    return "" if is_in_anothers(connection, found) else found


def check_run(run: Run, points: Sequence[Metric]) -> None:
    """Check names, values and times of a run before anything of it is written."""
    info = run.info
    rules.check_run_id(info.run_id)
    rules.check_text(info.run_name, "run_name")
    rules.check_int64(info.start_time, "start_time")
    rules.check_int64(info.end_time or 0, "end_time")
    _check_stage(info.lifecycle_stage)
    rules.check_pairs(run.data.param_list, "param")
    rules.check_unique(run.data.param_list, "param")
    rules.check_pairs(run.data.tag_list, "tag")
    for point in points:
        rules.check_metric(point)


def _check_stage(stage: str) -> None:
    if stage and stage not in _STAGES:
        raise InvalidParameter(
            f"Invalid value {rules.short(stage)} for parameter 'lifecycle_stage' supplied: it is "
            "'active' or 'deleted'."
        )


def _free_id(connection: Connection, text_id: str) -> int | None:
    try:
        number = rules.parse_experiment_id(text_id)
    except InvalidParameter:  # other stores number their experiments in other ways
        return None
    query = select(experiments.c.id).where(experiments.c.id == number)
    taken = connection.execute(query).first()
    return number if 0 < number < _LARGEST_ID and not taken else None


def _changed(connection: Connection, run_id: str, experiment: int, action: str) -> None:
    record_change(connection, "run", run_id, action, parent_id=str(experiment), detail="import")


def _count(connection: Connection, table: Table, run: int) -> int:
    query = select(func.count()).select_from(table).where(table.c.run == run)
    return int(connection.execute(query).scalar_one())


def _existing(connection: Connection, entity: str, ids: Sequence[str]) -> list[str]:
    """Return those of the ids that exist; a purged run is to be imported again."""
    if entity == "model_version":
        query = select(registered_models.c.name, model_versions.c.version).join(
            registered_models, registered_models.c.id == model_versions.c.registered_model
        )
        there = {f"{row.name}/{row.version}" for row in connection.execute(query)}
        return [item for item in ids if item in there]
    columns = {
        "run": runs.c.run_id,
        "logged_model": logged_models.c.model_id,
        "registered_model": registered_models.c.name,
    }
    if entity not in columns:
        raise InvalidParameter(
            f"Invalid value {rules.short(entity)} for parameter 'entity' supplied: it is one of "
            f"{', '.join([*columns, 'model_version'])}."
        )
    column = columns[entity]
    return list(connection.execute(select(column).where(column.in_(ids))).scalars())


def _parents(connection: Connection, entity: str, ids: Sequence[str]) -> Mapping[str, str]:
    if entity == "run":
        query = select(runs.c.run_id, runs.c.experiment).where(runs.c.run_id.in_(ids))
        return {row.run_id: str(row.experiment) for row in connection.execute(query)}
    if entity == "model_version":
        return {item: item.rpartition("/")[0] for item in ids}
    return {}
