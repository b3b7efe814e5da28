"""The stores that this process has open, and the journals that it keeps for them: each is opened once.

Opening one may take as long as a server takes to answer. Meanwhile nobody waits but those who need that store.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
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
    from collections.abc import Callable

    from mltrack_jupyter.services import Services

_log = logging.getLogger("mltrack_jupyter")
_lock = threading.RLock()
"""Guards what follows for a moment; never held while a store is asked anything."""
_open: dict[str, Services] = {}
_flushed: dict[str, Services] = {}
_keepers: dict[str, Keeper] = {}
_making: dict[tuple[str, str], threading.RLock] = {}
"""What is held while something of a store is made, for those who need the same."""
_keeps_ids: dict[str, bool] = {}
checked: dict[tuple[str, str], float] = {}
"""When an experiment of a store was last seen to take runs."""
located: dict[tuple[str, str], str] = {}
"""Where an experiment of a store, by its id, keeps its files."""
named: dict[tuple[str, str], str] = {}
"""What an experiment of a store, by its id, was called when it was last asked for."""
_looked: dict[str, float] = {}
_LOOK = 0.2
"""How often reading looks for what processes left that died, in seconds."""
ASIDE = 2.0
"""How long to wait for an answer that a run can do without, in seconds."""
HANDING_OVER = 10.0
"""How long a worker waits for what it logged to be in the store, in seconds: it may import all that opens one."""
on_use: Callable[[str], object] = str
"""What is done with the URI of a store that is used for the first time."""
end_of_worker: Callable[[], object] | None = None
"""What else than ``close`` is done at the end of a worker of ``multiprocessing``, and before it."""


def _only_one(what: str, uri: str) -> threading.RLock:
    """Return what whoever makes something of a store holds, so that it is made once."""
    with _lock:
        return _making.setdefault((what, uri), threading.RLock())


def services(uri: str) -> Services:
    """Return the services of a URI, opened at first use and kept.

    Whatever is asked of them, this process's journal is handed over first: you see what you logged.
    """
    while True:
        opened = unflushed(uri)
        with _lock:
            if _open.get(uri) is not opened:  # somebody closed it meanwhile
                continue
            if uri not in _flushed:
                # Who only logs needs none of what services are made of.
                from mltrack_jupyter.services.around import before

                _flushed[uri] = before(opened, lambda: _before(uri))
            return _flushed[uri]


def unflushed(uri: str) -> Services:
    """Return the services of a URI as they are; what the journal holds may not be there yet."""
    found = _open.get(uri)
    if found is not None:
        return found
    with _only_one("services", uri):
        if uri not in _open:
            opened = open_store(uri)
            try:
                _recover(uri, opened)
            except BaseException:
                opened.close()
                raise
            _open[uri] = opened
            on_use(uri)
            return opened
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
        with _only_one("keeper", uri):
            found = _keepers.get(uri)
            if found is None:
                check_writable(uri)
                folder = folder_to_log_to(uri)
                found = Keeper(folder, uri, lambda: unflushed(uri), strict=is_strict())
                _keepers[uri] = found
                on_use(uri)
                _close_with_worker()
    return found


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
    if not StoreUri.of(uri).is_server:
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
    kept = list(_keepers.items())
    done = [found.close() for _, found in kept]
    with _lock:
        for uri, found in kept:
            if _keepers.get(uri) is found:
                del _keepers[uri]
        opened = list(_open.values())
        _flushed.clear()
        _open.clear()
        located.clear()
        named.clear()
    for item in opened:
        item.close()
    return all(done)


def _forget_after_fork() -> None:
    # Connections and journals belong to the parent: the child opens its own at first use.
    global _lock
    _lock = threading.RLock()
    _making.clear()
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


forks.at_fork(
    forks.Part.JOURNALS, before=_before_fork, in_parent=_after_fork, in_child=_forget_after_fork
)
