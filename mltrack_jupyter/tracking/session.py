"""What this process tracks with: one object that owns its stores, its journals, its runs, and what was chosen.

The module's functions are those of the ``default`` session, as the verbs of the package are.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from mltrack_jupyter import config, forks, inheritance
from mltrack_jupyter.entities import Experiment, RunStatus
from mltrack_jupyter.errors import AlreadyExists, InvalidParameter, MltrackError, NotFound
from mltrack_jupyter.store import normalise_uri, rules
from mltrack_jupyter.tracking.host import Host, Outcome, ScriptHost
from mltrack_jupyter.tracking.scopes import Scopes
from mltrack_jupyter.tracking.stores import ASIDE, HANDING_OVER, Stores, is_strict, is_worker

if TYPE_CHECKING:
    from mltrack_jupyter.services import Services

__all__ = [
    "ASIDE",
    "HANDING_OVER",
    "Session",
    "close",
    "current_experiment",
    "default",
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
    "known",
    "not_deleted",
    "services",
    "set_experiment",
    "set_host",
    "set_tracking_uri",
    "unflushed",
    "within",
]


class Session:
    """What a process tracks with; it lives as long as the process, and prepares for its forks.

    ``stores`` has what is open, and the journals; ``scopes`` the runs that are being written; ``host`` is what
    they are made in, and ``ended`` how Python says that the process ends. ``registry_uri`` is the store that was
    chosen for registered models, if any; ``last_model`` the id of the logged model that was made last, if without
    a run. ``watch`` is told of each run that is started, and whether its user wants it to be watched.
    """

    def __init__(self) -> None:
        self.host: Host = ScriptHost()
        self.stores = Stores(self._hand_down_used)
        self.scopes: Scopes[Any] = Scopes(lambda run: run.parent)
        self.ended: Outcome = (RunStatus.FINISHED, {})
        self.watch: Callable[[Any, bool | None], object] | None = None
        self.registry_uri: str | None = None
        self.last_model = ""
        self._lock = threading.RLock()  # held for a moment, while a choice is made and handed down
        self._uri: str | None = None
        # The store of a run of another process that a block logs to.
        self._within: ContextVar[str] = ContextVar("mltrack_store", default="")
        # Of which store, its id there, and its name: an id means something else in another store, and is ""
        # while the store is away.
        self._experiment: tuple[str, str, str] | None = None
        forks.at_fork(
            forks.Part.JOURNALS,
            before=self.stores.before_fork,
            in_parent=self.stores.after_fork_in_parent,
            in_child=self.stores.forget_after_fork,
        )
        forks.at_fork(forks.Part.STATE, in_child=self.scopes.leave_to_parent)

    def __reduce__(self) -> tuple[Any, ...]:
        # Verbs are given to workers as functions: there they are those of their own process.
        if self is not default:
            raise TypeError("A session stays in its process; run_handle() makes what can leave it.")
        return _default, ()

    def set_host(self, host: Host | None) -> None:
        """Say what runs are made in; ``None`` for a script."""
        self.host = host or ScriptHost()

    def set_tracking_uri(self, uri: str | os.PathLike[str] | None) -> None:
        """Choose the store of this process: a folder, a ``.db`` file, a database URL, or ``http(s)://…``.

        Processes that are started from now on inherit the choice; ``None`` (or ``""``) takes it back. Raises
        ``InvalidParameter`` for a URI that cannot be right. Nothing is opened before it is used.
        """
        full = normalise_uri(uri) if uri else None
        with self._lock:
            self._uri = full
            if full is None:
                inheritance.take_back("store")
            else:
                inheritance.hand_down("store", {"uri": full})

    def get_tracking_uri(self) -> str:
        """Return the tracking URI in force: set here, inherited, of the environment, or the project's store."""
        return self._within.get() or self._uri or normalise_uri(config.tracking_uri())

    @contextmanager
    def within(self, uri: str) -> Iterator[None]:
        """Track to another store inside the block, whatever the process chose; threads that it starts do not."""
        token = self._within.set(uri)
        try:
            yield
        finally:
            self._within.reset(token)

    def _hand_down_used(self, uri: str) -> None:
        """Let children inherit the store that this process uses without having chosen it, as an absolute path."""
        if self._uri is None and not self._within.get() and uri == self.get_tracking_uri():
            found = not config.chosen_uri()
            inheritance.hand_down("store", {"uri": uri, "found": found})

    def has_tracking_uri(self) -> bool:
        """Tell whether :func:`set_tracking_uri` was called."""
        return self._uri is not None

    def services(self, uri: str | os.PathLike[str] | None = None) -> Services:
        """Return the services of a URI (of the tracking URI if absent), opened at first use and kept.

        Whatever is asked of them, this process's journal is handed over first: you see what you logged.
        """
        return self.stores.services(normalise_uri(uri) if uri else self.get_tracking_uri())

    def set_experiment(
        self, experiment_name: str | None = None, experiment_id: str | int | None = None
    ) -> Experiment:
        """Make an experiment the active one, creating it if its name is new.

        Raises ``InvalidParameter`` if it is deleted, ``NotFound`` for an unknown id.
        """
        if (experiment_name is None) == (experiment_id is None):
            raise InvalidParameter("Give either experiment_name or experiment_id.")
        if experiment_id is not None:
            experiment = self._experiment_of_id(rules.id_text(experiment_id, "experiment_id"))
        else:
            if isinstance(experiment_name, int):
                raise InvalidParameter(
                    f"The name of an experiment is text; an id is given as experiment_id={experiment_name}."
                )
            experiment = self.experiment_of_name(experiment_name or "")
        with self._lock:
            uri, number, name = self.get_tracking_uri(), experiment.experiment_id, experiment.name
            self._experiment = uri, number, name
            inheritance.hand_down("experiment", {"uri": uri, "id": number, "name": name})
        return experiment

    def experiment_of_name(self, name: str) -> Experiment:
        """Return the experiment of a name, creating it if need be; with the id "" while the store is away.

        Raises ``InvalidParameter`` for a name that no experiment can have, and for one that is deleted.
        """
        rules.check_experiment_name(name)
        try:
            return self.not_deleted(self.get_or_create_experiment(name))
        except MltrackError as error:
            self._go_on_without(error, f"{name!r}")
            return Experiment(experiment_id="", name=name)

    def _experiment_of_id(self, experiment_id: str) -> Experiment:
        try:
            return self.not_deleted(self.services().experiments.get(experiment_id))
        except MltrackError as error:
            rules.parse_experiment_id(experiment_id)
            self._go_on_without(error, f"with the id {experiment_id}")
            return Experiment(experiment_id=experiment_id, name="")

    def not_deleted(self, experiment: Experiment) -> Experiment:
        """Return an experiment. Raises ``InvalidParameter``, which says how to restore it, if it is deleted."""
        self.stores.known(self.get_tracking_uri()).remember(experiment)
        if experiment.lifecycle_stage == "deleted":
            raise InvalidParameter(
                f"The experiment {experiment.name!r} is deleted. Restore it with "
                f"Client().restore_experiment({experiment.experiment_id!r}), or choose another one."
            )
        return experiment

    def _go_on_without(self, error: MltrackError, experiment: str) -> None:
        if not self.stores.goes_on(self.get_tracking_uri(), error):
            raise error
        warnings.warn(
            f"The store is away ({error}). Runs are logged to a file and belong to the experiment {experiment} "
            "when it is there again.",
            stacklevel=5,
        )

    def get_or_create_experiment(self, name: str) -> Experiment:
        """Return the experiment of a name, creating it if need be; several processes may do so at once."""
        experiments = self.services().experiments
        try:
            return experiments.get_by_name(name)
        except NotFound:
            pass
        try:
            return experiments.get(experiments.create(name))
        except AlreadyExists:  # another process was faster
            return experiments.get_by_name(name)

    def has_explicit_experiment(self) -> bool:
        """Tell whether someone chose an experiment, here, by the environment, or in the parent process."""
        return self._chosen() is not None or any(_environment())

    def _chosen(self) -> tuple[str, str] | None:
        found = self._experiment
        if found is None and (told := inheritance.inherited("experiment")) is not None:
            found = told["uri"], told.get("id", ""), told.get("name", "")
        return found[1:] if found is not None and found[0] == self.get_tracking_uri() else None

    def current_experiment(self) -> Experiment:
        """Return the active experiment: chosen here or by the environment, else the notebook's, else ``Default``.

        That of a notebook is created if need be. Raises ``InvalidParameter`` if it is deleted.
        """
        chosen = self._chosen()
        if chosen is not None and chosen[0]:
            return self.services().experiments.get(chosen[0])
        if chosen is not None:
            return self.set_experiment(chosen[1])
        name, number = _environment()
        if number:
            return self.set_experiment(experiment_id=number)
        if name:
            return self.set_experiment(name)
        if name := self.host.experiment():
            return self.experiment_of_name(name)
        return self.services().experiments.get("0")

    def experiment_of_new_run(self) -> tuple[str, str]:
        """Return the id of the active experiment, ``""`` where it is not known yet, and its name then.

        The store is not opened for that if nobody chose an experiment.
        """
        if self._chosen() is None and any(_environment()):
            self.current_experiment()
        if chosen := self._chosen():
            return chosen
        name = self.host.experiment()
        return ("", rules.check_experiment_name(name)) if name else ("0", "")


def _environment() -> tuple[str, str]:
    name = config.setting("MLTRACK_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_NAME")
    return name, config.setting("MLTRACK_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_ID")


default = Session()
"""The session of this process: the verbs of the package are its own."""


def _default() -> Session:
    return default


def host() -> Host:
    """Return what runs are made in: a script, unless a notebook says that it is one."""
    return default.host


set_host = default.set_host
set_tracking_uri = default.set_tracking_uri
get_tracking_uri = default.get_tracking_uri
has_tracking_uri = default.has_tracking_uri
within = default.within
services = default.services
set_experiment = default.set_experiment
experiment_of_name = default.experiment_of_name
not_deleted = default.not_deleted
get_or_create_experiment = default.get_or_create_experiment
has_explicit_experiment = default.has_explicit_experiment
current_experiment = default.current_experiment
experiment_of_new_run = default.experiment_of_new_run
known = default.stores.known
unflushed = default.stores.unflushed
is_open = default.stores.is_open
keeper = default.stores.keeper
flush = default.stores.flush
keeps_ids = default.stores.keeps_ids
goes_on = default.stores.goes_on
is_known_away = default.stores.is_known_away
close = default.stores.close
