"""Starting and ending runs, MLflow's way; a second start never raises in a notebook."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import Any

from mltrack_jupyter import config
from mltrack_jupyter.entities import Run, RunEntry, Tag
from mltrack_jupyter.errors import InvalidParameter, NotFound
from mltrack_jupyter.shown import one_line
from mltrack_jupyter.store import rules
from mltrack_jupyter.store.names import RUN_NAME
from mltrack_jupyter.tracking import checks, scope, session
from mltrack_jupyter.tracking.beginning import open_run, resume_run
from mltrack_jupyter.tracking.scope import ActiveRun

_NOTE = "mlflow.note.content"
_HANDED_OVER = ("MLTRACK_RUN_ID", "MLFLOW_RUN_ID")


def _watched(run: ActiveRun, asked: bool | None = None) -> ActiveRun:
    if (watch := session.default.watch) is not None:
        watch(run, asked)
    return run


def start_run(
    run_id: str | None = None,
    experiment_id: str | int | None = None,
    run_name: str | None = None,
    nested: bool = False,
    parent_run_id: str | None = None,
    tags: Mapping[str, Any] | None = None,
    description: str | None = None,
    log_system_metrics: bool | None = None,
) -> ActiveRun:
    """Start a run, or go on with the run ``run_id``, and make it the active one.

    Inside the ``with`` block of another run, or in a ``%%track`` cell, the new run becomes its child.
    A run that was left open by an earlier ``start_run()`` is ended first, with a warning. Another thread
    or task begins a run of its own; there ``nested=True`` makes it a child of the notebook's run.
    ``log_system_metrics`` logs the load of the machine; by the environment where it is ``None``.

    Raises
    ------
    NotFound
        No such run, experiment or parent.
    """
    if run_id:
        checks.check_resumed(run_id)
    parent = _surrounding(nested)
    resumed = run_id or _run_of_environment()
    values = checks.tags_of(tags)
    if description:
        if _NOTE in values:
            raise InvalidParameter(
                f"The description is given twice: as description, and as the tag {_NOTE}. Leave one of them out."
            )
        values[_NOTE] = description
    if resumed:
        run = resume_run(resumed, parent)
        if run_name:
            values[RUN_NAME] = run_name
        if values:
            set_tags(run, values)
        return _watched(run, log_system_metrics)
    if parent_run_id:
        checks.check_run(parent_run_id)
        values[scope.PARENT] = parent_run_id
    number, name = _experiment(experiment_id, parent)
    run = open_run(
        experiment_id=number,
        experiment_name=name,
        run_name=str(run_name or config.setting("MLFLOW_RUN_NAME")),
        tags=values,
        parent=parent,
    )
    return _watched(run, log_system_metrics)


def _run_of_environment() -> str:
    """Return the run that a launcher hands to the script it starts, and take it out of the environment.

    One run is that one, the next that is started; neither later ones nor processes started from now on.
    """
    found = config.setting(*_HANDED_OVER)
    for name in _HANDED_OVER:
        os.environ.pop(name, None)
    return found


def set_tags(run: ActiveRun, tags: Mapping[str, Any]) -> None:
    """Set tags of an open run."""
    pairs = [Tag(key, str(value)) for key, value in tags.items()]
    rules.check_run_tags(pairs)
    run.keeper.journal.entry(RunEntry(run_id=run.run_id, tags=pairs))
    run.keeper.wrote()


def _experiment(
    experiment_id: str | int | None, parent: ActiveRun | None, *, opening: bool = False
) -> tuple[str, str]:
    """Return the id, or else the name, of the experiment of a new run.

    Only ``opening`` is worth opening a store for the question whether its experiment can take the run.
    """
    if experiment_id is None and parent is not None and any(parent.experiment):
        return parent.experiment
    named = experiment_id is not None
    if named:
        chosen = rules.id_text(experiment_id, "experiment_id"), ""
        rules.parse_experiment_id(chosen[0])
    else:
        chosen = session.experiment_of_new_run()
    uri = session.get_tracking_uri()
    if not chosen[0]:
        return _experiment_of_name(uri, chosen[1], opening), chosen[1]
    if named or session.is_open(uri):
        try:
            checks.check_experiment(uri, chosen[0])
        except NotFound:
            if not chosen[1]:  # in a store that was made anew it is found, or made, by its name
                raise
    return chosen


def _experiment_of_name(uri: str, name: str, opening: bool) -> str:
    """Return the id of the experiment of a new run, ``""`` if the store finds, or makes, it with the run."""
    if session.keeps_ids(uri) or session.is_known_away(uri):
        return checks.find_experiment(uri, name, opening=opening)
    return session.experiment_of_name(name).experiment_id


def _surrounding(nested: bool) -> ActiveRun | None:
    """Return the run that a new one is started in; end one that was merely left open."""
    run = scope.active_run() if nested else scope.own_run() or scope.surrounding_block()
    if run is None or run.in_with or nested:
        return run
    scope.leave(run)
    warnings.warn(
        f"The run {one_line(run.run_name)} ({run.run_id}) was still open and has been ended, because "
        "another one is started. Use `with start_run():`, or nested=True for a child run.",
        stacklevel=3,
    )
    return _surrounding(nested)


def begin_run(
    *,
    experiment_name: str | None = None,
    run_name: str | None = None,
    tags: Mapping[str, Any] | None = None,
) -> ActiveRun:
    """Start the run of a tracked cell: whatever is started inside it becomes its child."""
    if experiment_name is not None and session.is_known_away(session.get_tracking_uri()):
        number, name = "", rules.check_experiment_name(experiment_name)  # found, or made, later
    elif experiment_name is not None:
        experiment = session.experiment_of_name(experiment_name)
        number, name = experiment.experiment_id, experiment.name
    else:
        number, name = _experiment(None, None, opening=True)
    parent = _surrounding(nested=False)
    run = open_run(
        experiment_id=number,
        experiment_name=name,
        run_name=run_name or "",
        tags=tags,
        parent=parent,
    )
    run.in_with = True
    return _watched(run)


def end_run(status: str = "FINISHED") -> None:
    """End the active run of this thread, task or notebook; nothing happens without one."""
    run = scope.own_run()
    if run is not None:
        scope.leave(run, status)


def active_run() -> ActiveRun | None:
    """Return the active run, or ``None``."""
    return scope.active_run()


def active_or_new_run() -> ActiveRun:
    """Return the active run; without one, a new one that ends with its cell or its script."""
    run = scope.active_run()
    if run is None:
        run = start_run()
        run.implicit = True
    return run


def last_active_run() -> Run | None:
    """Return the active run, else the one that ended last, as it is stored now, or ``None``."""
    run = scope.active_run()
    run_id = run.run_id if run else scope.last_run_id()
    return session.services().runs.get(run_id) if run_id else None
