"""The one way to put something around the operations of services: middlewares.

A middleware takes an operation and its call, and returns the call that takes its place. It reads from the
declaration whether the operation concerns it; if not, it returns the call itself, which then costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from functools import wraps
from types import SimpleNamespace
from typing import Any

from mltrack_jupyter.services import Operation, Services, operations_of, service_types

Call = Callable[..., Any]
Middleware = Callable[[Operation, Call], Call]


def derived(call_of: Callable[[Operation], Call]) -> dict[str, Any]:
    """Return the services of a bundle by their names, each operation of which is what ``call_of`` returns for it."""
    return {
        name: SimpleNamespace(
            **{operation.name: call_of(operation) for operation in operations_of(kind).values()}
        )
        for name, kind in service_types().items()
    }


def around(services: Services, *middlewares: Middleware) -> Services:
    """Put middlewares around every operation of services, the last one outermost, and return the services.

    It is done in place, so that operations that call each other pass them, too.
    """
    for name, kind in service_types().items():
        service = getattr(services, name)
        for operation in operations_of(kind).values():
            call = plain = getattr(service, operation.name)
            for middleware in middlewares:
                call = middleware(operation, call)
            if call is not plain:
                setattr(service, operation.name, call)
    return services


def before(services: Services, prepare: Callable[[], object]) -> Services:
    """Return a view of services that calls ``prepare`` before anything is asked of them."""

    def first(call: Call) -> Call:
        @wraps(call, updated=())
        def prepared(*arguments: Any, **named: Any) -> Any:
            prepare()
            return call(*arguments, **named)

        return prepared

    copies: dict[str, Any] = {name: copy(getattr(services, name)) for name in service_types()}
    add = services.add_model and first(services.add_model)
    view = replace(services, files_at=first(services.files_at), add_model=add, **copies)
    return around(view, lambda _operation, call: first(call))
