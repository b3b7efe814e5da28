"""What this process tracks to: the tracking URI, its services, and the active experiment."""

from __future__ import annotations

import os
import threading
from typing import Any

from mltrack_jupyter import config
from mltrack_jupyter.entities import Experiment, Tag
from mltrack_jupyter.errors import AlreadyExists, InvalidParameter, NotFound
from mltrack_jupyter.services import Services
from mltrack_jupyter.store import normalise_uri, open_store

_lock = threading.RLock()
_uri: str | None = None
_open: dict[str, Services] = {}
# Of which store, and its id there: an id means something else in another store.
_experiment: tuple[str, str] | None = None


def set_tracking_uri(uri: str | os.PathLike[str]) -> None:
    """Choose the store of this process: a folder, a ``.db`` file, a database URL, or ``http(s)://…``.

    Raises ``InvalidParameter`` for a URI that cannot be right. Nothing is opened before it is used.
    """
    global _uri
    full = normalise_uri(uri)
    with _lock:
        _uri = full


def get_tracking_uri() -> str:
    """Return the tracking URI in force: set here, by the environment, or the project's default store."""
    return _uri or normalise_uri(config.tracking_uri())


def has_tracking_uri() -> bool:
    """Tell whether :func:`set_tracking_uri` was called."""
    return _uri is not None


def services(uri: str | os.PathLike[str] | None = None) -> Services:
    """Return the services of a URI (of the tracking URI if absent), opened at first use and kept."""
    full = get_tracking_uri() if uri is None else normalise_uri(uri)
    with _lock:
        if full not in _open:
            _open[full] = open_store(full)
        return _open[full]


def close() -> None:
    """Close every store that this process opened; the next use opens it anew."""
    with _lock:
        for item in _open.values():
            item.close()
        _open.clear()


def _forget_after_fork() -> None:
    # Connections belong to the parent: the child opens its own at first use.
    global _lock
    _lock = threading.RLock()
    _open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)


def set_experiment(
    experiment_name: str | None = None, experiment_id: str | None = None
) -> Experiment:
    """Make an experiment the active one, creating it if its name is new.

    Raises ``InvalidParameter`` if it is deleted, ``NotFound`` for an unknown id.
    """
    global _experiment
    if (experiment_name is None) == (experiment_id is None):
        raise InvalidParameter("Give either experiment_name or experiment_id.")
    if experiment_id is not None:
        experiment = services().experiments.get(str(experiment_id))
    else:
        experiment = get_or_create_experiment(str(experiment_name))
    if experiment.lifecycle_stage == "deleted":
        raise InvalidParameter(
            f"The experiment {experiment.name!r} is deleted. Restore it with "
            f"Client().restore_experiment({experiment.experiment_id!r}), or choose another name."
        )
    with _lock:
        _experiment = get_tracking_uri(), experiment.experiment_id
    return experiment


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


def create_experiment(
    name: str, artifact_location: str | None = None, tags: dict[str, Any] | None = None
) -> str:
    """Create an experiment and return its id. Raises ``AlreadyExists`` if the name is taken."""
    pairs = [Tag(key, str(value)) for key, value in (tags or {}).items()]
    return services().experiments.create(name, artifact_location or "", pairs)


def has_explicit_experiment() -> bool:
    """Tell whether someone chose an experiment, here or by the environment."""
    return _chosen() is not None or any(_environment())


def _chosen() -> str | None:
    if _experiment is None or _experiment[0] != get_tracking_uri():
        return None
    return _experiment[1]


def _environment() -> tuple[str, str]:
    name = config.setting("MLTRACK_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_NAME")
    return name, config.setting("MLTRACK_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_ID")


def current_experiment() -> Experiment:
    """Return the active experiment: chosen here, by the environment, or ``Default``."""
    chosen = _chosen()
    if chosen is not None:
        return services().experiments.get(chosen)
    name, number = _environment()
    if number:
        return set_experiment(experiment_id=number)
    if name:
        return set_experiment(name)
    return services().experiments.get("0")
