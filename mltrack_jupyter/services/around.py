"""The one way to put something around the operations of services: middlewares.

A middleware takes an operation and its call, and returns the call that takes its place. It reads from the
declaration whether the operation concerns it; if not, it returns the call itself, which then costs nothing.

What stands around the operations of a store, from the outside in, is composed in four places: around a request
:func:`timed` and :func:`once` (``services/dispatch.py``, where errors become answers), and the health of the server
(``server/app.py``); around what a process asks itself the handing over of its journal, by :func:`before`
(``tracking/stores.py``); around whatever is asked the search for runs that only a journal knows, and the retry
after a conflict (``store/open.py``). Permissions are
asked for by the same declarations, but before the body of a request is read (``server/handlers.py``).
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from functools import partial, wraps
from types import SimpleNamespace
from typing import Any

from mltrack_jupyter.services import Operation, Services, operations_of, service_types
from mltrack_jupyter.shown import shown

Call = Callable[..., Any]
Middleware = Callable[[Operation, Call], Call]
_log = logging.getLogger("mltrack_jupyter")


def derived(call_of: Callable[[Operation], Call]) -> dict[str, Any]:
    """Return the services of a bundle by their names, each operation of which is what ``call_of`` returns for it."""
    return {
        name: SimpleNamespace(
            **{verb: call_of(operation) for verb, operation in operations_of(kind).items()}
        )
        for name, kind in service_types().items()
    }


def around(services: Services, *middlewares: Middleware) -> Services:
    """Put middlewares around every operation of services, the last one outermost, and return the services.

    It is done in place, so that operations that call each other pass them, too.
    """
    for name, kind in service_types().items():
        service = getattr(services, name)
        for verb, operation in operations_of(kind).items():
            call = plain = getattr(service, verb)
            for middleware in middlewares:
                call = middleware(operation, call)
            if call is not plain:
                setattr(service, verb, call)
    return services


def before(services: Services, prepare: Callable[[], object]) -> Services:
    """Return a view of services that calls ``prepare`` before anything is asked of them."""

    def first(_operation: Operation | None, call: Call) -> Call:
        @wraps(call, updated=())
        def prepared(*arguments: Any, **named: Any) -> Any:
            prepare()
            return call(*arguments, **named)

        return prepared

    copies: dict[str, Any] = {name: copy(getattr(services, name)) for name in service_types()}
    add = services.add_model and first(None, services.add_model)
    view = replace(services, files_at=first(None, services.files_at), add_model=add, **copies)
    return around(view, first)


def once(key: str, services: Services) -> Middleware:
    """Return a middleware that carries out a request with a key once, however often it comes.

    What is idempotent needs no key. The call returns the bytes of an answer, which the store keeps with the key.
    """

    def middleware(operation: Operation, call: Call) -> Call:
        keep = services.once
        if operation.idempotent or keep is None:
            return call

        def keyed(**arguments: Any) -> bytes:
            asked = hashlib.sha256(repr((operation.path, sorted(arguments.items()))).encode())
            return keep(key, asked.hexdigest(), partial(call, **arguments))

        return keyed

    return middleware


def timed(operation: Operation, call: Call) -> Call:
    """Tell the log at the level DEBUG what was asked, about what, and how long it took: a middleware."""
    if not _log.isEnabledFor(logging.DEBUG):
        return call

    def timing(**arguments: Any) -> Any:
        begun = time.perf_counter()
        try:
            return call(**arguments)
        finally:
            took = (time.perf_counter() - begun) * 1000
            about = {name: arguments[name] for name in operation.subject}
            name = operation.function.__qualname__
            _log.debug("mltrack: %s of %s took %.1f ms", name, shown(str(about)[:200]), took)

    return timing
