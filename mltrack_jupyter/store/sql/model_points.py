"""The points of logged models.

A point that a run logs belongs to every model that the run has at the point's step. So that a model does not
cost more than the one before, such a point is one row, which says up to which of these models: those that come
later have no part in it. Every other point is a row of its model. Whoever reads finds no difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Connection,
    Insert,
    Select,
    and_,
    bindparam,
    case,
    column,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    union_all,
)

from mltrack_jupyter.entities import Metric
from mltrack_jupyter.errors import BadRequest
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.sql.database import chunked, held
from mltrack_jupyter.store.sql.tables import (
    logged_model_metrics,
    logged_models,
    step_models,
    step_points,
)
from mltrack_jupyter.store.sql.upserts import upsert_columns
from mltrack_jupyter.store.sql.values import from_bits, to_bits_many

_POINT = ("key", "step", "timestamp", "ordinal", "bits")
_NEWEST = ("timestamp", "step", "ordinal", "bits")
_DATA = ("dataset_name", "dataset_digest")
_OWN = ("logged_model", "run_id", *_POINT, *_DATA)
_SHARED = ("upto", "run_id", *_POINT)
_OF_OWN = logged_model_metrics.c.logged_model == logged_models.c.id
_OF_STEP = step_models.c.logged_model == logged_models.c.id
_BELONGS = and_(
    step_points.c.run_id == step_models.c.run_id,
    step_points.c.step == step_models.c.step,
    step_points.c.upto >= step_models.c.place,
)
_HAS_SHARED = exists().where(_OF_STEP, _BELONGS).correlate(logged_models)
_NEWEST_ALONE = [item.desc() for item in logged_model_metrics.c[_NEWEST]]
_PLACE = (
    func.row_number()
    .over(partition_by=column("logged_model"), order_by=[column(name).desc() for name in _NEWEST])
    .label("place")
)
_IS_LATEST = and_(column("logged_model") == logged_models.c.id, column("place") == 1)
_AS_LOGGED = attrgetter("key", "step", "timestamp", "ordinal", *_DATA)


def missing(model_id: str) -> str:
    """Return what to say of a logged model that is not there."""
    return f"Logged model with ID {rules.short(model_id)} not found."


# --- reading ------------------------------------------------------------------------------------


def _rows(
    models: ColumnElement[bool], names: tuple[str, ...], key: str | None = None
) -> CompoundSelect[Any]:
    """Return the query for the points of some models, or for those of one metric, with columns of these names."""
    own = logged_model_metrics.c
    common = [step_points.c[name] if name in step_points.c else literal("") for name in names]
    alone = select(own.logged_model, *own[names]).where(_OF_OWN, models)
    shared = select(step_models.c.logged_model, *common).where(_OF_STEP, _BELONGS, models)
    if key is not None:
        alone, shared = alone.where(own.key == key), shared.where(step_points.c.key == key)
    return union_all(alone, shared)


def latest_bits(
    key: str, models: ColumnElement[bool], among: ColumnElement[bool] | None = None
) -> ColumnElement[Any]:
    """Return the bits of a metric's last point by time and step, for each of some models.

    ``among`` restricts the points, to those of some data for instance.
    """
    own = logged_model_metrics
    query = select(own.c.bits).where(_OF_OWN, own.c.key == key).correlate(logged_models)
    alone = query.order_by(*_NEWEST_ALONE).limit(1)
    if among is not None:  # points of all models of a step name no data
        return alone.where(among).scalar_subquery()
    # Asked for only where a model has some; and not for each model, as MySQL could not. The columns are
    # named by their texts: to find them in what is asked takes longer than the question.
    points = _rows(and_(models, _HAS_SHARED), _NEWEST, key).subquery()
    ranked = select(column("logged_model"), column("bits"), _PLACE).select_from(points).subquery()
    both: Select[Any] = (
        select(column("bits")).select_from(ranked).where(_IS_LATEST).correlate(logged_models)
    )
    return case((_HAS_SHARED, both.scalar_subquery()), else_=alone.scalar_subquery())


def _of_numbers() -> Select[Any]:
    numbers: BindParameter[int] = bindparam("numbers", expanding=True)
    names = ("run_id", *_POINT, *_DATA)
    points = _rows(logged_models.c.id.in_(numbers), names).subquery()
    # A model has a point twice if it was noted for it alone as well: that may name data, and goes before.
    order = points.c["key", "step", "timestamp", "ordinal", "bits", "run_id"]
    return select(points).order_by(*order, points.c.dataset_name.desc())


_OF_NUMBERS = _of_numbers()


def points_of(connection: Connection, model_ids: Mapping[int, str]) -> dict[int, list[Metric]]:
    """Return the points of models, which are given with their numbers, by these numbers."""
    found: dict[int, list[Metric]] = {number: [] for number in model_ids}
    last: dict[int, tuple[Any, ...]] = {}
    for some in chunked(model_ids):
        for row in connection.execute(_OF_NUMBERS, {"numbers": some}):
            number, run_id, key, step, timestamp, ordinal, bits, name, digest = row
            if last.get(number) == row[1:7]:
                continue
            last[number] = row[1:7]
            point = Metric(
                key,
                from_bits(bits),
                timestamp,
                step,
                name,
                digest,
                model_ids[number],
                run_id,
                ordinal,
            )
            found[number].append(point)
    return found


# --- writing ------------------------------------------------------------------------------------


def _adding() -> Insert:
    run_id = bindparam("of_run", type_=step_models.c.run_id.type)
    step = bindparam("at_step", type_=step_models.c.step.type)
    # The place after those of all models of the step, also of those that are gone.
    last = union_all(
        *(
            select(func.max(item).label("place")).where(
                item.table.c.run_id == run_id, item.table.c.step == step
            )
            for item in (step_models.c.place, step_points.c.upto)
        )
    ).subquery()
    place = select(1 + func.coalesce(func.max(last.c.place), 0)).scalar_subquery()
    known = exists().where(_OF_STEP, step_models.c.run_id == run_id).correlate(logged_models)
    found = select(run_id, step, place, logged_models.c.id).where(
        logged_models.c.model_id == bindparam("of_model"), ~known
    )
    return insert(step_models).from_select(["run_id", "step", "place", "logged_model"], found)


_ADDING = _adding()


def add_to_step(connection: Connection, run_id: str, models: Iterable[tuple[str, int]]) -> None:
    """Note that a run made models at steps: what it logs there from now on may belong to them all."""
    for model_id, step in models:
        asked = {"of_run": run_id, "at_step": step, "of_model": model_id}
        connection.execute(_ADDING, asked)


class Noted(NamedTuple):
    """A point as its run has it, and the models that it was noted to; ``""`` is none."""

    point: Metric
    bits: int
    model_ids: list[str]


def by_point(points: Sequence[Metric]) -> list[Noted]:
    """Return each of some points once, with all models that it names."""
    if not points:
        return []
    found: dict[tuple[Any, int], Noted] = {}
    bits = to_bits_many([point.value for point in points])
    # -0.0 and 0.0 are equal, and NaN is equal to nothing: their bits tell.
    for point, what in zip(points, zip(map(_AS_LOGGED, points), bits, strict=True), strict=True):
        noted = found.get(what)
        if noted is None:
            noted = found[what] = Noted(point, what[1], [])
        noted.model_ids.append(point.model_id)
    return [*found.values()]


def add_model_points(
    connection: Connection, run_id: str, points: Sequence[Noted], *, late: bool = False
) -> None:
    """Note points on the logged models that they name. Raises ``BadRequest``.

    What comes ``late`` may name a model that was deleted since, and must not be lost to its run for that.
    """
    named = {model_id for noted in points for model_id in noted.model_ids} - {""}
    if not named:
        return
    numbers = _numbers(connection, named, late)
    if len(numbers) < len(named):
        raise BadRequest(f"{missing(min(named - numbers.keys()))} Nothing was logged.")
    own: list[tuple[Any, ...]] = []
    with_data: list[tuple[Any, ...]] = []
    shared: list[tuple[Any, ...]] = []
    steps = _Steps(connection, run_id)
    for point, bits, model_ids in points:
        place = run_id, point.key, point.step, point.timestamp, point.ordinal, bits
        data = point.dataset_name, point.dataset_digest
        models = {numbers[model_id] for model_id in model_ids if model_id}
        upto = None if any(data) else steps.upto(point.step, models)
        if upto is None:
            rows = [(number, *place, *data) for number in sorted(models)]
            (with_data if any(data) else own).extend(rows)
        else:
            shared.append((upto, *place))
    for table, names, found in (
        (logged_model_metrics, _OWN, own + with_data),
        (step_points, _SHARED, shared),
    ):
        upsert_columns(connection, table, names, list(zip(*found, strict=True)))


def _numbers(connection: Connection, model_ids: Iterable[str], late: bool) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for some in chunked(model_ids):
        query = select(logged_models.c.model_id, logged_models.c.id)
        query = query.where(logged_models.c.model_id.in_(some))
        if not late:
            query = query.where(logged_models.c.deleted.is_(False))
        rows = connection.execute(held(connection, query))
        numbers.update((model_id, number) for model_id, number in rows)
    return numbers


class _Steps:
    """The places of the models that a run made, by their steps."""

    def __init__(self, connection: Connection, run_id: str) -> None:
        self._connection = connection
        self._run_id = run_id
        self._places: dict[int, dict[int, int]] = {}

    def upto(self, step: int, models: set[int]) -> int | None:
        """Return the last place of several models if they are all that the step has up to there."""
        if len(models) < 2:
            return None
        places = self._places.get(step)
        if places is None:
            query = select(step_models.c.logged_model, step_models.c.place)
            query = query.where(step_models.c.run_id == self._run_id, step_models.c.step == step)
            places = self._places[step] = dict(self._connection.execute(query).all())
        if not models <= places.keys():
            return None
        last = max(map(places.__getitem__, models))
        return last if sum(map(last.__ge__, places.values())) == len(models) else None


# --- deleting -----------------------------------------------------------------------------------


def runs_with_points(connection: Connection, models: ColumnElement[bool]) -> list[str]:
    """Return the runs whose points are those of several models, some of which are about to be deleted."""
    query = select(step_models.c.run_id).distinct().join_from(step_models, logged_models)
    return [*connection.execute(query.where(models)).scalars()]


def forget_points(connection: Connection, run_ids: Sequence[str]) -> None:
    """Delete the points of runs that belong to no model any more."""
    for some in chunked(run_ids):
        left = exists().where(_BELONGS).correlate(step_points)
        connection.execute(delete(step_points).where(step_points.c.run_id.in_(some), ~left))
