"""Services that hand over the caller's journal first, so that whoever reads sees what they wrote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mltrack_jupyter.entities import LoggedModel
from mltrack_jupyter.services import Operation, Repository, Services, operations_of, service_types


def flushing(services: Services, flush: Callable[[], None]) -> Services:
    """Return the same services, each operation of which calls ``flush`` before it does anything."""
    bundle: dict[str, Any] = {
        name: _class_of(kind)(getattr(services, name), flush)
        for name, kind in service_types().items()
    }

    def files_at(uri: str, run_id: str) -> Repository:
        flush()
        return services.files_at(uri, run_id)

    add = services.add_model

    def add_model(*arguments: Any) -> LoggedModel:
        flush()
        assert add is not None
        return add(*arguments)

    bundle["add_model"] = add and add_model
    return Services(
        uri=services.uri, files_at=files_at, kept=services.kept, close=services.close, **bundle
    )


def _class_of(service: type) -> type:
    methods = {name: _method(declared) for name, declared in operations_of(service).items()}

    def initialise(self: Any, inner: Any, flush: Callable[[], None]) -> None:
        self._inner = inner
        self._flush = flush

    return type(f"Flushing{service.__name__}", (service,), {**methods, "__init__": initialise})


def _method(declared: Operation) -> Callable[..., Any]:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        self._flush()
        return getattr(self._inner, declared.name)(*args, **kwargs)

    call.__name__ = declared.name
    call.__doc__ = declared.function.__doc__
    return call
