"""What this process tracks to: the tracking URI, its services, and the active experiment."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import warnings
from typing import TYPE_CHECKING, Any

from mltrack_jupyter import config, inheritance
from mltrack_jupyter.entities import Experiment, Tag
from mltrack_jupyter.errors import (
    AlreadyExists,
    EndpointNotFound,
    InvalidParameter,
    MltrackError,
    NotFound,
)
from mltrack_jupyter.store import normalise_uri, open_store, rules
from mltrack_jupyter.store.journal import (
    Keeper,
    folder_to_log_to,
    is_absent,
    is_away,
    is_known_absent,
    recover_all,
)
from mltrack_jupyter.store.read_only import check_info, check_writable

if TYPE_CHECKING:
    from collections.abc import Callable

    from mltrack_jupyter.services import Services

_log = logging.getLogger("mltrack_jupyter")
_lock = threading.RLock()
_uri: str | None = None
_open: dict[str, Services] = {}
_flushed: dict[str, Services] = {}
_keepers: dict[str, Keeper] = {}
_keeps_ids: dict[str, bool] = {}
checked: dict[tuple[str, str], float] = {}
"""When an experiment of a store was last seen to take runs."""
_looked: dict[str, float] = {}
_LOOK = 0.2
"""How often reading looks for what processes left that died, in seconds."""
ASIDE = 2.0
"""How long to wait for an answer that a run can do without, in seconds."""
HANDING_OVER = 10.0
"""How long a worker waits for what it logged to be in the store, in seconds: it may import all that opens one."""
# Of which store, its id there, and its name: an id means something else in another store, and is "" while
# the store is away.
_experiment: tuple[str, str, str] | None = None


def set_tracking_uri(uri: str | os.PathLike[str] | None) -> None:
    """Choose the store of this process: a folder, a ``.db`` file, a database URL, or ``http(s)://…``.

    Processes that are started from now on inherit the choice; ``None`` takes it back. Raises
    ``InvalidParameter`` for a URI that cannot be right. Nothing is opened before it is used.
    """
    global _uri
    full = None if uri is None else normalise_uri(uri)
    with _lock:
        _uri = full
        if full is None:
            inheritance.take_back("store")
        else:
            inheritance.hand_down("store", {"uri": full})


def get_tracking_uri() -> str:
    """Return the tracking URI in force: set here, inherited, of the environment, or the project's store."""
    return _uri or normalise_uri(config.tracking_uri())


def _hand_down_used(uri: str) -> None:
    """Let children inherit the store that this process uses without having chosen it, as an absolute path."""
    if _uri is None and uri == get_tracking_uri():
        found = not config.chosen_uri()
        inheritance.hand_down("store", {"uri": uri, "found": found})


def has_tracking_uri() -> bool:
    """Tell whether :func:`set_tracking_uri` was called."""
    return _uri is not None


def services(uri: str | os.PathLike[str] | None = None) -> Services:
    """Return the services of a URI (of the tracking URI if absent), opened at first use and kept.

    Whatever is asked of them, this process's journal is handed over first: you see what you logged.
    """
    full = get_tracking_uri() if uri is None else normalise_uri(uri)
    with _lock:
        if full not in _flushed:
            # Who only logs needs none of what services are made of.
            from mltrack_jupyter.store.journal.flushing import flushing

            _flushed[full] = flushing(unflushed(full), lambda: _before(full))
        return _flushed[full]


def unflushed(uri: str) -> Services:
    """Return the services of a URI as they are; what the journal holds may not be there yet."""
    with _lock:
        if uri not in _open:
            opened = open_store(uri)
            try:
                _recover(uri, opened)
            except BaseException:
                opened.close()
                raise
            _open[uri] = opened
            _hand_down_used(uri)
        return _open[uri]


def _recover(uri: str, opened: Services) -> None:
    """Read what processes logged that died; a store that takes nothing can still be read."""
    try:
        recover_all(uri, lambda: opened)
    except MltrackError as error:
        _log.warning("mltrack: what processes logged that died is not in the store yet: %s", error)


def is_open(uri: str) -> bool:
    """Tell whether the store of a URI was opened already."""
    return uri in _open


def keeper(uri: str) -> Keeper:
    """Return the keeper of this process's journal for a store."""
    found = _keepers.get(uri)
    if found is None:
        with _lock:
            found = _keepers.get(uri)
            if found is None:
                check_writable(uri)
                folder = folder_to_log_to(uri)
                found = Keeper(folder, uri, lambda: unflushed(uri), strict=is_strict())
                _keepers[uri] = found
                _hand_down_used(uri)
                _close_with_worker()
    return found


end_of_worker: Callable[[], object] | None = None
"""What else than ``close`` is done at the end of a worker of ``multiprocessing``, and before it."""


def is_worker() -> bool:
    """Tell whether this process is a worker of ``multiprocessing``, or of what is made like it (joblib)."""
    process = sys.modules.get("multiprocessing.process")
    return process is not None and process.parent_process() is not None


def _close_with_worker() -> None:
    """End runs and hand over at the end of a worker of ``multiprocessing``, which has no ``atexit``."""
    if is_worker():
        from multiprocessing.util import Finalize

        if end_of_worker is not None:
            Finalize(None, end_of_worker, exitpriority=1)
        Finalize(None, close, exitpriority=0)


def flush(uri: str | None = None) -> None:
    """Hand over what this process logged and the store does not have yet.

    Raises ``MltrackError`` if the store is away; what was logged stays in the journal then.
    """
    for full, found in list(_keepers.items()):
        if uri is None or full == uri:
            found.flush()


def _before(uri: str) -> None:
    """Do what must be done before anything is asked of a store: its answer is to have what was logged."""
    checked.clear()
    flush(uri)
    now = time.monotonic()
    if _looked.get(uri, 0.0) < now - _LOOK:
        _looked[uri] = now
        _recover(uri, unflushed(uri))


def keeps_ids(uri: str) -> bool:
    """Tell whether a store takes the ids that we give runs; a genuine MLflow server gives its own."""
    if not uri.startswith(("http://", "https://")):
        return True
    if uri not in _keeps_ids:
        if is_known_away(uri):
            return True
        try:
            check_info(unflushed(uri).workspace.info())
        except (EndpointNotFound, NotFound):
            _keeps_ids[uri] = False
        except MltrackError as error:
            if not goes_on(uri, error):
                raise
            return True
        else:
            _keeps_ids[uri] = True
    return _keeps_ids[uri]


def goes_on(uri: str, error: MltrackError) -> bool:
    """Tell whether whoever logs goes on although a question was answered with this error.

    That is where the store is away; one that was never reached must be told from a URI or a token that is
    wrong, which its user wants to hear of.
    """
    keeper = _keepers.get(uri)
    reached = keeper is not None and keeper.reached
    return not is_strict() and (is_absent(error) or (reached and is_away(error)))


def is_known_away(uri: str) -> bool:
    """Tell whether nobody answered when something was last handed over to a store."""
    keeper = _keepers.get(uri)
    return keeper is not None and is_known_absent(keeper) and not is_strict()


def is_strict() -> bool:
    """Tell whether logging shall wait for the store, and raise what it says."""
    return config.setting("MLTRACK_STRICT").lower() in ("1", "true", "yes", "on")


def close() -> bool:
    """Hand over what was logged and close every store that this process opened.

    The next use opens them anew. Return whether everything that was logged is in its store.
    """
    done = [found.close() for found in list(_keepers.values())]
    with _lock:
        _keepers.clear()
        _flushed.clear()
        for item in _open.values():
            item.close()
        _open.clear()
    return all(done)


def _forget_after_fork() -> None:
    # Connections and journals belong to the parent: the child opens its own at first use.
    global _lock
    _lock = threading.RLock()
    for found in _keepers.values():
        found.abandon()
    _keepers.clear()
    _flushed.clear()
    _open.clear()


def _before_fork() -> None:
    for found in _keepers.values():
        found.before_fork()


def _after_fork() -> None:
    for found in _keepers.values():
        found.after_fork_in_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork, after_in_child=_forget_after_fork
    )


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
        experiment = _experiment_of_id(str(experiment_id))
    else:
        experiment = experiment_of_name(str(experiment_name))
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
        return _not_deleted(get_or_create_experiment(name))
    except MltrackError as error:
        _go_on_without(error, f"{name!r}")
        return Experiment(experiment_id="", name=name)


def _experiment_of_id(experiment_id: str) -> Experiment:
    try:
        return _not_deleted(services().experiments.get(experiment_id))
    except MltrackError as error:
        rules.parse_experiment_id(experiment_id)
        _go_on_without(error, f"with the id {experiment_id}")
        return Experiment(experiment_id=experiment_id, name="")


def _not_deleted(experiment: Experiment) -> Experiment:
    if experiment.lifecycle_stage == "deleted":
        raise InvalidParameter(
            f"The experiment {experiment.name!r} is deleted. Restore it with "
            f"Client().restore_experiment({experiment.experiment_id!r}), or choose another name."
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


def create_experiment(
    name: str, artifact_location: str | None = None, tags: dict[str, Any] | None = None
) -> str:
    """Create an experiment and return its id. Raises ``AlreadyExists`` if the name is taken."""
    pairs = [Tag(key, str(value)) for key, value in (tags or {}).items()]
    return services().experiments.create(name, artifact_location or "", pairs)


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
    """Return the active experiment: chosen here, by the environment, or ``Default``."""
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
    return services().experiments.get("0")


def experiment_of_new_run() -> tuple[str, str]:
    """Return the id of the active experiment, and its name where the id is not known yet.

    The store is not opened for that if nobody chose an experiment.
    """
    if _chosen() is None and any(_environment()):
        current_experiment()
    return _chosen() or ("0", "")
