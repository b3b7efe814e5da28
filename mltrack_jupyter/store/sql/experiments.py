"""Experiments in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, or_, select, update

from mltrack_jupyter.entities import DatasetSummary, Experiment, Page, Tag, ViewType
from mltrack_jupyter.errors import AlreadyExists, BadRequest, InvalidParameter, NotFound
from mltrack_jupyter.services import Experiments
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.artifacts import Locations
from mltrack_jupyter.store.sql import run_links
from mltrack_jupyter.store.sql.change_log import record_change
from mltrack_jupyter.store.sql.database import Database, held, now_ms
from mltrack_jupyter.store.sql.model_places import is_in_anothers
from mltrack_jupyter.store.sql.paging import decode_token, encode_token
from mltrack_jupyter.store.sql.search import EXPERIMENT_FIELDS, Filter, Order
from mltrack_jupyter.store.sql.tables import changes, experiment_tags, experiments, runs
from mltrack_jupyter.store.sql.types import teller
from mltrack_jupyter.store.sql.upserts import insert_row, upsert

_MAX_SUMMARISED = 20
_VIEW = "mlflow.customView.view"
_MAX_VIEWS = 50
STAGES_OF_VIEW = {
    ViewType.ACTIVE_ONLY: ("active",),
    ViewType.DELETED_ONLY: ("deleted",),
    ViewType.ALL: ("active", "deleted"),
}


def find_experiment(connection: Connection, experiment_id: str, *, share: bool = True) -> Row[Any]:
    """Return the row of an experiment, active or deleted. Raises ``NotFound``."""
    number = rules.parse_experiment_id(experiment_id)
    query = select(experiments).where(experiments.c.id == number)
    row = connection.execute(held(connection, query, share=share)).first()
    if row is None:
        raise NotFound(f"No Experiment with id={experiment_id} exists.")
    return row


def find_active_experiment(connection: Connection, experiment_id: str) -> Row[Any]:
    """Return the row of an active experiment. Raises ``NotFound`` or ``InvalidParameter``."""
    row = find_experiment(connection, experiment_id)
    if row.lifecycle_stage != "active":
        raise InvalidParameter(
            f"The experiment {row.name!r} (id={row.id}) must be in the 'active' state, but is deleted. "
            "Restore it first, or use another name."
        )
    return row


def load_experiments(connection: Connection, rows: Sequence[Row[Any]]) -> list[Experiment]:
    """Return rows as entities, with their tags."""
    tags: dict[int, list[Tag]] = {row.id: [] for row in rows}
    query = select(experiment_tags).where(experiment_tags.c.experiment.in_(tags))
    for item in connection.execute(query.order_by(experiment_tags.c.key)):
        tags[item.experiment].append(Tag(item.key, item.value))
    told = teller(connection)
    return [
        Experiment(
            experiment_id=str(row.id),
            name=row.name,
            artifact_location=told(row.artifact_location),
            lifecycle_stage=row.lifecycle_stage,
            creation_time=row.creation_time,
            workspace="default",
            last_update_time=row.last_update_time,
            tag_list=tags[row.id],
        )
        for row in rows
    ]


def insert_experiment(
    connection: Connection, locations: Locations, name: str, location: str = ""
) -> int:
    """Insert an experiment and return its number; without a location its files go to the default root."""
    now = now_ms()
    row = {
        "name": name,
        "artifact_location": location,
        "lifecycle_stage": "active",
        "creation_time": now,
        "last_update_time": now,
    }
    number = insert_row(connection, experiments, row)
    if not location:
        values = {"artifact_location": locations.of_experiment(number)}
        connection.execute(update(experiments).where(experiments.c.id == number).values(values))
    record_change(connection, "experiment", str(number), "create", detail=name)
    return number


def find_or_create_experiment(connection: Connection, locations: Locations, name: str) -> int:
    """Return the number of the experiment of a name, creating it if it is new."""
    query = select(experiments.c.id).where(experiments.c.name == name)
    number = connection.execute(query).scalar()
    return insert_experiment(connection, locations, name) if number is None else number


def is_or_was_called(connection: Connection, number: int, name: str) -> bool:
    """Tell whether an experiment has a name, or had it when nothing else has it now."""
    query = select(experiments.c.id).where(experiments.c.name == name)
    found = connection.execute(query).scalar()
    if number == 0:  # the first one is the same everywhere
        return True
    if found is not None:
        return bool(found == number)
    of = changes.c.entity == "experiment", changes.c.entity_id == str(number)
    created = and_(changes.c.action == "create", changes.c.detail == name)
    renamed = and_(
        changes.c.action == "rename", changes.c.detail.endswith(f" -> {name}", autoescape=True)
    )
    told = select(changes.c.seq).where(*of, or_(created, renamed)).limit(1)
    return connection.execute(told).first() is not None


class SqlExperiments(Experiments):
    """Experiments in SQL."""

    def __init__(self, database: Database, locations: Locations) -> None:
        self._database = database
        self._locations = locations

    def create(self, name: str, artifact_location: str = "", tags: list[Tag] | None = None) -> str:
        rules.check_experiment_name(name)
        rules.check_pairs(tags or [], "tag", rules.MAX_EXPERIMENT_TAG)
        if len({tag.key for tag in tags or []}) < len(tags or []):
            raise BadRequest("Two tags of the new experiment have the same key.")
        location = self._locations.check(artifact_location) if artifact_location else ""
        with self._database.write() as connection:
            taken = connection.execute(
                select(experiments.c.lifecycle_stage).where(experiments.c.name == name)
            ).scalar()
            if taken is not None:
                raise AlreadyExists(_taken(name, taken))
            if location and is_in_anothers(connection, location):
                raise InvalidParameter(
                    f"Invalid artifact_location {artifact_location!r}: it is in the folder of a run or of a logged "
                    "model, which is that one's alone."
                )
            number = insert_experiment(connection, self._locations, name, location)
            _set_tags(connection, number, tags or [])
        return str(number)

    def get(self, experiment_id: str) -> Experiment:
        with self._database.read() as connection:
            return load_experiments(connection, [find_experiment(connection, experiment_id)])[0]

    def get_by_name(self, experiment_name: str) -> Experiment:
        query = select(experiments).where(experiments.c.name == experiment_name)
        with self._database.read() as connection:
            row = connection.execute(query).first()
            if row is None:
                raise NotFound(f"Could not find experiment with name '{experiment_name}'.")
            return load_experiments(connection, [row])[0]

    def search(
        self,
        max_results: int,
        page_token: str = "",
        filter: str = "",
        order_by: list[str] | None = None,
        view_type: ViewType = ViewType.ACTIVE_ONLY,
    ) -> Page[Experiment]:
        rules.check_page_size(max_results, 50_000)
        offset = decode_token(page_token)
        query = select(experiments).where(
            experiments.c.lifecycle_stage.in_(STAGES_OF_VIEW[ViewType(view_type)])
        )
        query = Filter(EXPERIMENT_FIELDS, filter).of(query)
        if order_by:
            query = Order(EXPERIMENT_FIELDS, order_by).of(query).order_by(experiments.c.id.desc())
        else:
            query = query.order_by(experiments.c.creation_time.desc(), experiments.c.id.asc())
        with self._database.read() as connection:
            rows = connection.execute(query.offset(offset).limit(max_results + 1)).all()
            found = load_experiments(connection, rows[:max_results])
        more = encode_token(offset + max_results) if len(rows) > max_results else ""
        return Page(found, more)

    def update(self, experiment_id: str, new_name: str) -> None:
        rules.check_experiment_name(new_name)
        with self._database.write() as connection:
            row = find_active_experiment(connection, experiment_id)
            query = select(experiments.c.id).where(experiments.c.name == new_name)
            if connection.execute(query).scalar() not in (None, row.id):
                raise BadRequest(_taken(new_name, "active"))
            _touch(connection, row.id, name=new_name)
            record_change(
                connection,
                "experiment",
                experiment_id,
                "rename",
                detail=f"{row.name} -> {new_name}",
            )

    def delete(self, experiment_id: str) -> None:
        self._move(experiment_id, "active", "deleted")

    def restore(self, experiment_id: str) -> None:
        self._move(experiment_id, "deleted", "active")

    def _move(self, experiment_id: str, source: str, target: str) -> None:
        with self._database.write() as connection:
            row = find_experiment(connection, experiment_id, share=False)
            if row.lifecycle_stage != source:
                raise NotFound(f"No Experiment with id={experiment_id} exists that is {source}.")
            _touch(connection, row.id, lifecycle_stage=target)
            connection.execute(
                update(runs).where(runs.c.experiment == row.id).values(lifecycle_stage=target)
            )
            action = "delete" if target == "deleted" else "restore"
            record_change(connection, "experiment", experiment_id, action)

    def set_tag(self, experiment_id: str, key: str, value: str = "") -> None:
        tag = Tag(key, value)
        rules.check_pairs([tag], "tag", rules.MAX_EXPERIMENT_TAG)
        with self._database.write() as connection:
            row = find_active_experiment(connection, experiment_id)
            if key.startswith(_VIEW):
                _check_views(connection, row.id, key)
            _set_tags(connection, row.id, [tag])
            record_change(connection, "experiment", experiment_id, "set-tag", detail=key)

    def delete_tag(self, experiment_id: str, key: str) -> None:
        with self._database.write() as connection:
            row = find_active_experiment(connection, experiment_id)
            gone = connection.execute(
                delete(experiment_tags).where(
                    experiment_tags.c.experiment == row.id, experiment_tags.c.key == key
                )
            )
            if not gone.rowcount:
                raise NotFound(f"No tag with name: {key} in experiment with id {experiment_id}.")
            record_change(connection, "experiment", experiment_id, "delete-tag", detail=key)

    def search_datasets(self, experiment_ids: list[str] | None = None) -> list[DatasetSummary]:
        if not experiment_ids:
            raise InvalidParameter(
                "SearchDatasets request must specify at least one experiment_id."
            )
        if len(experiment_ids) > _MAX_SUMMARISED:
            raise InvalidParameter(
                f"SearchDatasets request cannot specify more than {_MAX_SUMMARISED} experiment_ids, but "
                f"{len(experiment_ids)} were given."
            )
        numbers = rules.parse_experiment_ids(experiment_ids)
        with self._database.read() as connection:
            return run_links.summaries(connection, numbers)


def _taken(name: str, stage: str) -> str:
    where = "" if stage == "active" else " in the trash: restore it, delete it for good,"
    hint = "use it with set_experiment(...)" if stage == "active" else ""
    return f"Experiment(name={name}) already exists{where or '; ' + hint} or choose another name."


def _touch(connection: Connection, number: int, **values: Any) -> None:
    statement = update(experiments).where(experiments.c.id == number)
    connection.execute(statement.values(last_update_time=now_ms(), **values))


def _check_views(connection: Connection, number: int, key: str) -> None:
    """Refuse one saved view too many of MLflow's pages, which keep them in tags."""
    others = select(func.count()).where(
        experiment_tags.c.experiment == number,
        experiment_tags.c.key.startswith(_VIEW, autoescape=True),
        experiment_tags.c.key != key,
    )
    if connection.execute(others).scalar_one() >= _MAX_VIEWS:
        raise InvalidParameter(
            f"An experiment may have at most {_MAX_VIEWS} custom views (tags {_VIEW}…): delete one first."
        )


def _set_tags(connection: Connection, number: int, tags: Sequence[Tag]) -> None:
    rows = [{"experiment": number, "key": tag.key, "value": tag.value} for tag in tags]
    upsert(connection, experiment_tags, rows)
