"""The stores that this process has open, and the journals that it keeps for them: each is opened once.

Opening one may take as long as a server takes to answer. Meanwhile nobody waits but those who need that store.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

from mltrack_jupyter import config, forks
from mltrack_jupyter.errors import EndpointNotFound, MltrackError, NotFound
from mltrack_jupyter.store import StoreUri, open_store
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
    from mltrack_jupyter.entities import Experiment
    from mltrack_jupyter.services import Services

_log = logging.getLogger("mltrack_jupyter")
_LOOK = 0.2
"""How often reading looks for what processes left that died, in seconds."""
ASIDE = 2.0
"""How long to wait for an answer that a run can do without, in seconds."""
HANDING_OVER = 10.0
"""How long a worker waits for what it logged to be in the store, in seconds: it may import all that opens one."""


def is_worker() -> bool:
    """Tell whether this process is a worker of ``multiprocessing``, or of what is made like it (joblib)."""
    process = sys.modules.get("multiprocessing.process")
    return process is not None and process.parent_process() is not None


def is_strict() -> bool:
    """Tell whether logging shall wait for the store, and raise what it says."""
    return config.setting("MLTRACK_STRICT").lower() in ("1", "true", "yes", "on")


class Known:
    """What a process has of one store, and what it was told by it.

    ``checked`` is when an experiment, by its id, was last seen to take runs; ``located`` where it keeps its
    files, and ``named`` what it was called when it was last asked for; ``numbers`` are their ids by the names
    under which they were found. ``given`` is when files were brought that runs have in common, and their digests.
    """

    def __init__(self) -> None:
        self.keeps_ids: bool | None = None
        self.looked = 0.0
        self.checked: dict[str, float] = {}
        self.located: dict[str, str] = {}
        self.named: dict[str, str] = {}
        self.numbers: dict[str, str] = {}
        self.given: dict[Hashable, tuple[float, dict[str, str]]] = {}
        self.forget()

    def forget(self) -> None:
        """Have nothing open, as a forked child: connections and journals belong to its parent."""
        self.opened: Services | None = None
        self.flushed: Services | None = None
        self.keeper: Keeper | None = None
        # Held while something is made of the store, so that it is made once.
        self.opening, self.keeping = threading.RLock(), threading.RLock()

    def remember(self, experiment: Experiment) -> None:
        """Note an experiment's name, and where it keeps its files: whoever asked for it need not ask again."""
        self.named[experiment.experiment_id] = experiment.name
        self.located[experiment.experiment_id] = experiment.artifact_location


class Stores:
    """The stores of one process, by their URIs in full. May be used from any thread.

    ``on_use`` is told the URI of one that is used for the first time; ``end_of_worker`` is what else than
    ``close`` is done at the end of a worker of ``multiprocessing``, and before it.
    """

    def __init__(self, on_use: Callable[[str], object]) -> None:
        self.end_of_worker: Callable[[], object] | None = None
        self._on_use = on_use
        self._known: dict[str, Known] = {}
        self._lock = threading.RLock()  # held for a moment; never while a store is asked anything

    def known(self, uri: str) -> Known:
        """Return what this process has, and was told, of a store."""
        found = self._known.get(uri)
        return found if found is not None else self._known.setdefault(uri, Known())

    def keepers(self) -> dict[str, Keeper]:
        """Return the keepers of this process's journals by the URIs of their stores."""
        return {uri: of.keeper for uri, of in list(self._known.items()) if of.keeper is not None}

    def services(self, uri: str) -> Services:
        """Return the services of a URI, opened at first use and kept.

        Whatever is asked of them, this process's journal is handed over first: you see what you logged.
        """
        of = self.known(uri)
        while True:
            opened = self.unflushed(uri)
            with self._lock:
                if of.opened is not opened:  # somebody closed it meanwhile
                    continue
                if of.flushed is None:
                    # Who only logs needs none of what services are made of.
                    from mltrack_jupyter.services.around import before

                    of.flushed = before(opened, lambda: self._before(uri))
                return of.flushed

    def unflushed(self, uri: str) -> Services:
        """Return the services of a URI as they are; what the journal holds may not be there yet."""
        of = self.known(uri)
        if (found := of.opened) is not None:
            return found
        with of.opening:
            if (found := of.opened) is None:
                found = open_store(uri)
                try:
                    _recover(uri, found)
                except BaseException:
                    found.close()
                    raise
                of.opened = found
                self._on_use(uri)
            return found

    def is_open(self, uri: str) -> bool:
        """Tell whether the store of a URI was opened already."""
        return self.known(uri).opened is not None

    def keeper(self, uri: str) -> Keeper:
        """Return the keeper of this process's journal for a store."""
        of = self.known(uri)
        if (found := of.keeper) is not None:
            return found
        with of.keeping:
            if (found := of.keeper) is None:
                check_writable(uri)
                folder = folder_to_log_to(uri)
                found = Keeper(folder, uri, lambda: self.unflushed(uri), strict=is_strict())
                of.keeper = found
                self._on_use(uri)
                self._close_with_worker()
            return found

    def _close_with_worker(self) -> None:
        """End runs and hand over at the end of a worker of ``multiprocessing``, which has no ``atexit``."""
        if is_worker():
            from multiprocessing.util import Finalize

            if self.end_of_worker is not None:
                Finalize(None, self.end_of_worker, exitpriority=1)
            Finalize(None, self.close, exitpriority=0)

    def flush(self, uri: str | None = None) -> None:
        """Hand over what this process logged and the store, or every store, does not have yet.

        Raises ``MltrackError`` if the store is away; what was logged stays in the journal then.
        """
        for full, found in self.keepers().items():
            if uri is None or full == uri:
                found.flush()

    def _before(self, uri: str) -> None:
        """Do what must be done before anything is asked of a store: its answer is to have what was logged."""
        of = self.known(uri)
        of.checked.clear()
        self.flush(uri)
        now = time.monotonic()
        if of.looked < now - _LOOK:
            of.looked = now
            _recover(uri, self.unflushed(uri))

    def keeps_ids(self, uri: str) -> bool:
        """Tell whether a store takes the ids that we give runs; a genuine MLflow server gives its own."""
        if not StoreUri.of(uri).is_server:
            return True
        of = self.known(uri)
        if of.keeps_ids is None:
            if self.is_known_away(uri):
                return True
            try:
                check_info(self.unflushed(uri).workspace.info())
            except (EndpointNotFound, NotFound):
                of.keeps_ids = False
            except MltrackError as error:
                if not self.goes_on(uri, error):
                    raise
                return True
            else:
                of.keeps_ids = True
        return of.keeps_ids

    def goes_on(self, uri: str, error: MltrackError) -> bool:
        """Tell whether whoever logs goes on although a question was answered with this error.

        That is where the store is away; one that was never reached must be told from a URI or a token that is
        wrong, which its user wants to hear of.
        """
        keeper = self.known(uri).keeper
        reached = keeper is not None and keeper.reached
        return not is_strict() and (is_absent(error) or (reached and is_away(error)))

    def is_known_away(self, uri: str) -> bool:
        """Tell whether nobody answered when something was last handed over to a store."""
        keeper = self.known(uri).keeper
        return keeper is not None and is_known_absent(keeper) and not is_strict()

    def close(self) -> bool:
        """Hand over what was logged and close every store that this process opened.

        The next use opens them anew. Return whether everything that was logged is in its store.
        """
        kept = self.keepers()
        done = [found.close() for found in kept.values()]
        opened = []
        with self._lock:
            for uri, of in list(self._known.items()):
                if of.keeper is kept.get(uri):
                    of.keeper = None
                if of.opened is not None:
                    opened.append(of.opened)
                of.opened = of.flushed = None
                of.located.clear()
                of.named.clear()
        for item in opened:
            item.close()
        return all(done)

    def before_fork(self) -> None:
        """Hand over what was logged, and let nothing be handed over meanwhile."""
        forks.run_all(found.before_fork for found in self.keepers().values())

    def after_fork_in_parent(self) -> None:
        """Go on."""
        forks.run_all(found.after_fork_in_parent for found in self.keepers().values())

    def forget_after_fork(self) -> None:
        """Leave everything to the parent, in a forked child, which opens its own at first use."""
        self._lock = threading.RLock()
        for found in self.keepers().values():
            found.abandon()
        for of in self._known.values():
            of.forget()


def _recover(uri: str, opened: Services) -> None:
    """Read what processes logged that died; a store that takes nothing can still be read."""
    try:
        recover_all(uri, lambda: opened)
    except MltrackError as error:
        _log.warning("mltrack: what processes logged that died is not in the store yet: %s", error)
