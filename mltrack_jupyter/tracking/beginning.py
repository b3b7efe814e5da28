"""How a run begins: in the journal, under an id of our own, or by the request of a server that gives ids."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from mltrack_jupyter.entities import NewRun, Run, RunData, RunEntry, RunInfo, RunStatus, Tag
from mltrack_jupyter.errors import MltrackError
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.names import RUN_NAME, invent_name
from mltrack_jupyter.store.process import present
from mltrack_jupyter.tracking import scope, session, surroundings
from mltrack_jupyter.tracking.clock import now_ms
from mltrack_jupyter.tracking.scope import ActiveRun


def open_run(
    *,
    experiment_id: str = "",
    experiment_name: str = "",
    run_name: str = "",
    tags: Mapping[str, Any] | None = None,
    parent: ActiveRun | None = None,
) -> ActiveRun:
    """Create a run and make it the active one, inside ``parent`` (if any).

    The run is in the journal when this returns; ``experiment_name`` is for a store in which
    its id is another one, or not known yet.
    """
    values = {**session.host().tags(), **{key: str(value) for key, value in (tags or {}).items()}}
    if parent is not None:
        values.setdefault(scope.PARENT, parent.run_id)
    uri = session.get_tracking_uri()
    values[RUN_NAME] = run_name or values.get(RUN_NAME) or invent_name()
    pairs = [Tag(key, value) for key, value in values.items()]
    rules.check_run_tags(pairs)
    new = NewRun(
        experiment_id=experiment_id,
        experiment_name=experiment_name,
        user_id=values.get("mlflow.user", ""),
        start_time=now_ms(),
    )
    make = _make if session.keeps_ids(uri) else _ask_for
    run = ActiveRun(make(uri, new, pairs), uri, parent, new.experiment_name)
    surroundings.record(run, whole=parent is None)
    return scope.push(run)


def _make(uri: str, new: NewRun, tags: list[Tag]) -> Run:
    """Begin a run in the journal, under an id of our own."""
    run_id = uuid.uuid4().hex
    keeper = session.keeper(uri)
    keeper.journal.entry(RunEntry(run_id=run_id, new=new, tags=tags, process=present()))
    keeper.pulse.runs.add(run_id)
    keeper.look_for_orphans()
    keeper.wrote()
    if session.is_strict():
        keeper.flush()
    info = RunInfo(
        run_id=run_id,
        run_name=next(tag.value for tag in tags if tag.key == RUN_NAME),
        experiment_id=new.experiment_id,
        user_id=new.user_id,
        status=RunStatus.RUNNING,
        start_time=new.start_time,
        lifecycle_stage="active",
    )
    return Run(info=info, data=RunData(tag_list=tags))


def _ask_for(uri: str, new: NewRun, tags: list[Tag]) -> Run:
    """Let a server create a run that gives it an id of its own."""
    return session.unflushed(uri).runs.create(
        experiment_id=new.experiment_id,
        user_id=new.user_id,
        start_time=new.start_time,
        tags=tags,
    )


def resume_run(run_id: str, parent: ActiveRun | None = None) -> ActiveRun:
    """Make a run that exists the active one; its status is RUNNING again."""
    uri = session.get_tracking_uri()
    try:
        services = session.services(uri)
        services.runs.update(run_id, status=RunStatus.RUNNING)
        run = services.runs.get(run_id)
    except MltrackError as error:
        if not session.goes_on(uri, error):
            raise
        rules.check_run_id(run_id)
        run = Run(info=RunInfo(run_id=run_id, experiment_id="", status=RunStatus.RUNNING))
    if session.keeps_ids(uri):
        keeper = session.keeper(uri)
        entry = RunEntry(run_id=run_id, status=RunStatus.RUNNING, process=present())
        keeper.journal.entry(entry)
        keeper.pulse.runs.add(run_id)
        keeper.wrote()
    active = ActiveRun(run, uri, parent)
    active.resumed = True
    if (outer := scope.find(run_id)) is not None:
        active.share(outer)
    return scope.push(active)
