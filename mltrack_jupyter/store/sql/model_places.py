"""Where the files of logged models are: each in a place of its own, and found by a path of its run as well."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    bindparam,
    false,
    insert,
    literal,
    or_,
    select,
    union_all,
)

from mltrack_jupyter.entities import LoggedModelStatus
from mltrack_jupyter.store.artifacts import local_path, scheme_of
from mltrack_jupyter.store.sql.database import chunked
from mltrack_jupyter.store.sql.tables import logged_models, model_paths, model_versions, runs

READY = LoggedModelStatus.READY.value
_MODEL = re.compile(r"/models/(m-[0-9a-f]{32})(?=/|\Z)")


class Placed(NamedTuple):
    """A logged model whose files are all there, and the run, with its root, and the path at which it is found."""

    model_id: str
    uri: str
    run_id: str
    path: str
    root: str
    deleted: bool


def put_path(connection: Connection, number: int, run_id: str, path: str) -> None:
    """Note under which path of its run a new logged model is found."""
    row = {"logged_model": number, "run_id": run_id, "path": path}
    connection.execute(insert(model_paths), row)


def paths_of(connection: Connection, numbers: Sequence[int]) -> Mapping[int, str]:
    """Return the paths at which logged models are found, by their numbers."""
    query = select(model_paths.c.logged_model, model_paths.c.path)
    found: dict[int, str] = {}
    for part in chunked(numbers):
        rows = connection.execute(query.where(model_paths.c.logged_model.in_(part)))
        found.update((number, path) for number, path in rows)
    return found


_PLACED = (
    select(
        logged_models.c.model_id,
        logged_models.c.artifact_uri.label("uri"),
        model_paths.c.run_id,
        model_paths.c.path,
        runs.c.artifact_uri.label("root"),
        logged_models.c.deleted,
    )
    .join(model_paths, model_paths.c.logged_model == logged_models.c.id)
    .join(runs, runs.c.run_id == model_paths.c.run_id)
    .where(logged_models.c.status == READY)
    .order_by(logged_models.c.creation_timestamp, logged_models.c.id)
)


_RUNS: BindParameter[Any] = bindparam("runs", expanding=True)
# Built once: what every file of a run that is listed or opened asks.
_PLACED_IN = _PLACED.where(model_paths.c.run_id.in_(_RUNS), logged_models.c.deleted.is_(False))


def models_of(connection: Connection, run_ids: Iterable[str]) -> list[Placed]:
    """Return the newest model, of those that are ready and not deleted, at each path of runs; the newest last."""
    return _newest(connection.execute(_PLACED_IN, {"runs": list(run_ids)}).all())


def newest_model(connection: Connection, run_id: str, path: str = "") -> Placed | None:
    """Return the newest model at a path of a run, or of the whole run; ``None`` if there is none."""
    found = [item for item in models_of(connection, [run_id]) if path in ("", item.path)]
    return found[-1] if found else None


def models_around(connection: Connection, place: str) -> list[Placed]:
    """Return the models that are ready, deleted ones too, at the paths of a run that a place is in."""
    query = _PLACED.where(or_(*_above(place)))
    return [_placed(row) for row in connection.execute(query)]


def _newest(rows: Iterable[Any]) -> list[Placed]:
    found: dict[tuple[str, str], Placed] = {}
    for row in rows:
        found.pop((row.run_id, row.path), None)  # so that the order is that of the newest
        found[row.run_id, row.path] = _placed(row)
    return list(found.values())


def _placed(row: Any) -> Placed:
    return Placed(row.model_id, row.uri, row.run_id, row.path, row.root, row.deleted)


def runs_named(place: str) -> list[str]:
    """Return what may be the run in a place of files: ``…/<run id>/artifacts/…``."""
    parts = place.split("/")
    return [before for before, part in pairwise(parts) if part == "artifacts"]


def _above(place: str) -> list[ColumnElement[bool]]:
    """Return conditions by which a path of a run is one that a place is in."""
    parts = place.split("/")
    found: list[ColumnElement[bool]] = [false()]
    for index in range(1, len(parts)):
        if parts[index] == "artifacts":
            inside = parts[index + 1 :]
            paths = ["/".join(inside[: end + 1]) for end in range(len(inside))]
            mine = model_paths.c.run_id == parts[index - 1]
            found.append(mine & model_paths.c.path.in_(paths))
    return found


_MODELS: BindParameter[Any] = bindparam("models", expanding=True)
# Built once: what every artifact that is written asks, most of them of nothing that is fixed.
_ANY = union_all(
    select(literal(1)).where(model_paths.c.run_id.in_(_RUNS)),
    select(literal(1)).where(model_versions.c.run_id.in_(_RUNS)),
    select(literal(1)).where(model_versions.c.model_id.in_(_MODELS)),
    select(literal(1)).where(
        logged_models.c.model_id.in_(_MODELS), logged_models.c.status == READY
    ),
).limit(1)


def may_be_fixed(connection: Connection, place: str) -> bool:
    """Tell quickly whether a place may be that of a model that is ready, or of a run that has such, or versions."""
    named = {"runs": runs_named(place), "models": _MODEL.findall(place)}
    return any(named.values()) and connection.execute(_ANY, named).first() is not None


def ready_models(connection: Connection, place: str) -> list[tuple[str, str]]:
    """Return the ids and places of the models that are ready and whose own place a place is in, or may be."""
    model_ids = _MODEL.findall(place)
    query = select(logged_models.c.model_id, logged_models.c.artifact_uri).where(
        logged_models.c.status == READY, logged_models.c.model_id.in_(model_ids)
    )
    rows = connection.execute(query).all() if model_ids else []
    return [(row.model_id, row.artifact_uri) for row in rows]


def version_places(connection: Connection, place: str) -> list[str]:
    """Return where the files of the versions are that are made of the run or the model that a place is in."""
    columns = model_versions.c
    of = columns.run_id.in_(runs_named(place)) | columns.model_id.in_(_MODEL.findall(place))
    return list(connection.execute(select(columns.download_uri).where(of).distinct()).scalars())


def fixed_paths(connection: Connection, run_id: str, root: str) -> list[str]:
    """Return the paths of a run, whose files are at ``root``, at which there is a model that was made or a version."""
    paths = select(model_paths.c.path).where(model_paths.c.run_id == run_id)
    columns = model_versions.c
    places = select(columns.download_uri).where(columns.run_id == run_id).distinct()
    inside = [uri.removeprefix(f"{root}/") for uri in connection.execute(places).scalars()]
    return [*connection.execute(paths).scalars(), *inside]


def is_in_anothers(connection: Connection, uri: str, own_id: str = "") -> bool:
    """Tell whether a folder is that of a run or of a logged model other than ``own_id``, or in one."""
    uri = _path(uri)
    roots: list[str] = []
    for column, ids in (
        (runs.c.run_id, [item for item in runs_named(uri) if item != own_id.lower()]),
        (logged_models.c.model_id, _MODEL.findall(uri)),
    ):
        if ids:
            query = select(column.table.c.artifact_uri).where(column.in_(ids))
            roots += connection.execute(query).scalars()
    return any(f"{uri}/".startswith(f"{_path(root)}/") for root in roots)


def _path(uri: str) -> str:
    """Return a place by its path alone, so that two spellings of one are alike."""
    local = str(local_path(uri)) if scheme_of(uri) == "file" else uri
    return local.lower()  # a disk may take one spelling for the other
