"""What this process tracks to: the tracking URI, its services, and the active experiment."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from mltrack_jupyter import config, inheritance
from mltrack_jupyter.entities import Experiment
from mltrack_jupyter.errors import AlreadyExists, InvalidParameter, MltrackError, NotFound
from mltrack_jupyter.store import normalise_uri, rules
from mltrack_jupyter.tracking import places, stores
from mltrack_jupyter.tracking.host import Host, ScriptHost
from mltrack_jupyter.tracking.stores import (
    ASIDE,
    HANDING_OVER,
    checked,
    close,
    flush,
    goes_on,
    is_known_away,
    is_open,
    is_strict,
    is_worker,
    keeper,
    keeps_ids,
    unflushed,
)

if TYPE_CHECKING:
    from mltrack_jupyter.services import Services

__all__ = [
    "ASIDE",
    "HANDING_OVER",
    "checked",
    "close",
    "current_experiment",
    "experiment_of_name",
    "experiment_of_new_run",
    "flush",
    "get_or_create_experiment",
    "get_tracking_uri",
    "goes_on",
    "has_explicit_experiment",
    "has_tracking_uri",
    "host",
    "is_known_away",
    "is_open",
    "is_strict",
    "is_worker",
    "keeper",
    "keeps_ids",
    "not_deleted",
    "services",
    "set_experiment",
    "set_host",
    "set_tracking_uri",
    "unflushed",
    "within",
]

_host: Host = ScriptHost()
_lock = threading.RLock()
"""Held for a moment, while a choice is made and handed down."""
_uri: str | None = None
_within: ContextVar[str] = ContextVar("mltrack_store", default="")
"""The store of a run of another process that this block logs to."""
# Of which store, its id there, and its name: an id means something else in another store, and is "" while
# the store is away.
_experiment: tuple[str, str, str] | None = None


def host() -> Host:
    """Return what runs are made in: a script, unless a notebook says that it is one."""
    return _host


def set_host(host: Host | None) -> None:
    """Say what runs are made in; ``None`` for a script."""
    global _host
    _host = host or ScriptHost()


def set_tracking_uri(uri: str | os.PathLike[str] | None) -> None:
    """Choose the store of this process: a folder, a ``.db`` file, a database URL, or ``http(s)://…``.

    Processes that are started from now on inherit the choice; ``None`` (or ``""``) takes it back. Raises
    ``InvalidParameter`` for a URI that cannot be right. Nothing is opened before it is used.
    """
    global _uri
    full = normalise_uri(uri) if uri else None
    with _lock:
        _uri = full
        if full is None:
            inheritance.take_back("store")
        else:
            inheritance.hand_down("store", {"uri": full})


def get_tracking_uri() -> str:
    """Return the tracking URI in force: set here, inherited, of the environment, or the project's store."""
    return _within.get() or _uri or normalise_uri(config.tracking_uri())


@contextmanager
def within(uri: str) -> Iterator[None]:
    """Track to another store inside the block, whatever the process chose; threads that it starts do not."""
    token = _within.set(uri)
    try:
        yield
    finally:
        _within.reset(token)


def _hand_down_used(uri: str) -> None:
    """Let children inherit the store that this process uses without having chosen it, as an absolute path."""
    if _uri is None and not _within.get() and uri == get_tracking_uri():
        found = not config.chosen_uri()
        inheritance.hand_down("store", {"uri": uri, "found": found})


stores.on_use = _hand_down_used


def has_tracking_uri() -> bool:
    """Tell whether :func:`set_tracking_uri` was called."""
    return _uri is not None


def services(uri: str | os.PathLike[str] | None = None) -> Services:
    """Return the services of a URI (of the tracking URI if absent), opened at first use and kept.

    Whatever is asked of them, this process's journal is handed over first: you see what you logged.
    """
    return stores.services(normalise_uri(uri) if uri else get_tracking_uri())


def set_experiment(
    experiment_name: str | None = None, experiment_id: str | int | None = None
) -> Experiment:
    """Make an experiment the active one, creating it if its name is new.

    Raises ``InvalidParameter`` if it is deleted, ``NotFound`` for an unknown id.
    """
    global _experiment
    if (experiment_name is None) == (experiment_id is None):
        raise InvalidParameter("Give either experiment_name or experiment_id.")
    if experiment_id is not None:
        experiment = _experiment_of_id(rules.id_text(experiment_id, "experiment_id"))
    else:
        if isinstance(experiment_name, int):
            raise InvalidParameter(
                f"The name of an experiment is text; an id is given as experiment_id={experiment_name}."
            )
        experiment = experiment_of_name(experiment_name or "")
    with _lock:
        uri, number, name = get_tracking_uri(), experiment.experiment_id, experiment.name
        _experiment = uri, number, name
        inheritance.hand_down("experiment", {"uri": uri, "id": number, "name": name})
    return experiment


def experiment_of_name(name: str) -> Experiment:
    """Return the experiment of a name, creating it if need be; with the id "" while the store is away.

    Raises ``InvalidParameter`` for a name that no experiment can have, and for one that is deleted.
    """
    rules.check_experiment_name(name)
    try:
        return not_deleted(get_or_create_experiment(name))
    except MltrackError as error:
        _go_on_without(error, f"{name!r}")
        return Experiment(experiment_id="", name=name)


def _experiment_of_id(experiment_id: str) -> Experiment:
    try:
        return not_deleted(services().experiments.get(experiment_id))
    except MltrackError as error:
        rules.parse_experiment_id(experiment_id)
        _go_on_without(error, f"with the id {experiment_id}")
        return Experiment(experiment_id=experiment_id, name="")


def not_deleted(experiment: Experiment) -> Experiment:
    """Return an experiment. Raises ``InvalidParameter``, which says how to restore it, if it is deleted."""
    places.remember(get_tracking_uri(), experiment)
    if experiment.lifecycle_stage == "deleted":
        raise InvalidParameter(
            f"The experiment {experiment.name!r} is deleted. Restore it with "
            f"Client().restore_experiment({experiment.experiment_id!r}), or choose another one."
        )
    return experiment


def _go_on_without(error: MltrackError, experiment: str) -> None:
    if not goes_on(get_tracking_uri(), error):
        raise error
    warnings.warn(
        f"The store is away ({error}). Runs are logged to a file and belong to the experiment {experiment} "
        "when it is there again.",
        stacklevel=5,
    )


def get_or_create_experiment(name: str) -> Experiment:
    """Return the experiment of a name, creating it if need be; several processes may do so at once."""
    experiments = services().experiments
    try:
        return experiments.get_by_name(name)
    except NotFound:
        pass
    try:
        return experiments.get(experiments.create(name))
    except AlreadyExists:  # another process was faster
        return experiments.get_by_name(name)


def has_explicit_experiment() -> bool:
    """Tell whether someone chose an experiment, here, by the environment, or in the parent process."""
    return _chosen() is not None or any(_environment())


def _chosen() -> tuple[str, str] | None:
    found = _experiment
    if found is None and (told := inheritance.inherited("experiment")) is not None:
        found = told["uri"], told.get("id", ""), told.get("name", "")
    return found[1:] if found is not None and found[0] == get_tracking_uri() else None


def _environment() -> tuple[str, str]:
    name = config.setting("MLTRACK_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_NAME")
    return name, config.setting("MLTRACK_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_ID")


def current_experiment() -> Experiment:
    """Return the active experiment: chosen here or by the environment, else the notebook's, else ``Default``.

    That of a notebook is created if need be. Raises ``InvalidParameter`` if it is deleted.
    """
    chosen = _chosen()
    if chosen is not None and chosen[0]:
        return services().experiments.get(chosen[0])
    if chosen is not None:
        return set_experiment(chosen[1])
    name, number = _environment()
    if number:
        return set_experiment(experiment_id=number)
    if name:
        return set_experiment(name)
    if name := _host.experiment():
        return experiment_of_name(name)
    return services().experiments.get("0")


def experiment_of_new_run() -> tuple[str, str]:
    """Return the id of the active experiment, ``""`` where it is not known yet, and its name then.

    The store is not opened for that if nobody chose an experiment.
    """
    if _chosen() is None and any(_environment()):
        current_experiment()
    if chosen := _chosen():
        return chosen
    name = _host.experiment()
    return ("", rules.check_experiment_name(name)) if name else ("0", "")
