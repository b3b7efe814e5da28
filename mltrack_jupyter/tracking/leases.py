"""The leases of this process: taken with each run, and renewed by one thread while runs are open."""

from __future__ import annotations

import os
import threading

from mltrack_jupyter.errors import MltrackError
from mltrack_jupyter.services import Services
from mltrack_jupyter.store.process import present
from mltrack_jupyter.tracking import beside

SECONDS = 15.0
"""How often the store hears that this process lives."""

_held: dict[str, Services] = {}
_without: set[str] = set()
_changed = threading.Condition()
_thread: threading.Thread | None = None


def hold(services: Services, run_id: str) -> None:
    """Take the lease of a run that this process writes from now on."""
    global _thread
    if services.uri in _without:
        return
    try:
        services.leases.take(run_id, present())
    except MltrackError:
        # A server of MLflow knows no leases: its runs are as they always were.
        _without.add(services.uri)
        return
    with _changed:
        _held[run_id] = services
        if _thread is None:
            _thread = threading.Thread(target=_renew, name="mltrack-leases", daemon=True)
            _thread.start()


def let_go(run_id: str) -> None:
    """Renew the lease of a run no more; its end releases it."""
    with _changed:
        _held.pop(run_id, None)
        _changed.notify()


def _renew() -> None:
    global _thread
    beginning = True
    while True:
        with _changed:
            if not beginning:
                _changed.wait_for(lambda: not _held, SECONDS)
            if not _held:
                _thread = None
                return
            stores = {services.uri: services for services in _held.values()}
        for services in stores.values():
            try:
                with beside.inside:
                    if beginning:  # who begins looks after those who could not end
                        services.leases.reap()
                    else:
                        services.leases.renew(present().process_id)
            except MltrackError:
                # The next heartbeat may get through; until then the lease says when the last one did.
                continue
        beginning = False


def _forget_after_fork() -> None:
    # The runs belong to the parent, and so do their leases.
    global _changed, _thread
    _changed, _thread = threading.Condition(), None
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
