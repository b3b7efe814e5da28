"""The one way to put something around the operations of services: middlewares.

A middleware takes an operation and its call, and returns the call that takes its place. It reads from the
declaration whether the operation concerns it; if not, it returns the call itself, which then costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mltrack_jupyter.services import Operation, Services, operations_of, service_types

Call = Callable[..., Any]
Middleware = Callable[[Operation, Call], Call]


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
