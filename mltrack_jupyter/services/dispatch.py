"""From a request to an answer: the routes of a bundle of services, free of any web framework."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, BinaryIO

from mltrack_jupyter.errors import (
    EndpointNotFound,
    InternalError,
    MltrackError,
    NotImplementedHere,
)
from mltrack_jupyter.services import Operation, Services, operations_of, service_types
from mltrack_jupyter.services.around import Call, once, timed
from mltrack_jupyter.services.codec import decode_request, encode_answer
from mltrack_jupyter.services.error_codec import encode_error
from mltrack_jupyter.services.operation import Download, actor, over_wire

KEY_HEADER = "Idempotency-Key"
"""The header of a key: with it, a request whose answer was lost may be sent again."""
ACCEPTS_KEYS = "Accept-Idempotency-Key"
"""The header by which a server tells that it knows keys."""
AJAX = "/ajax-api/"
"""Where MLflow's own pages ask for the operations below ``/api/``."""

INTERNAL = "An internal error."
"""What is told of a fault of ours; more is in the log."""
_log = logging.getLogger("mltrack_jupyter")


@dataclass(frozen=True)
class Answer:
    """A status, and either the bytes of a JSON body or a file."""

    status: int
    body: bytes = b""
    download: Download | None = None


@dataclass(frozen=True)
class Route:
    """An operation of one service of a bundle; ``service`` is the bundle's field."""

    service: str
    operation: Operation

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """The whole path as a regular expression."""
        return re.compile(self.operation.pattern + r"\Z", re.DOTALL)

    def bind(self, services: Services) -> Callable[..., Any]:
        """Return the method that answers."""
        method: Callable[..., Any] = getattr(getattr(services, self.service), self.operation.name)
        return method


def routes() -> list[Route]:
    """Return every route, in the order of declaration."""
    return [
        Route(service, declared)
        for service, kind in service_types().items()
        for declared in operations_of(kind).values()
    ]


def answer(
    route: Route,
    services: Services,
    path_params: Mapping[str, str],
    query: Mapping[str, Sequence[str]],
    body: bytes | BinaryIO,
    key: str = "",
    author: str = "",
) -> Answer:
    """Call the operation of a route; whatever it raises becomes a status and JSON, here and nowhere else.

    A request with a ``key`` whose operation is not idempotent is carried out once, however often it comes.
    What it writes is told of with the name of its ``author``; without one, of whoever runs this process.
    """
    declared = route.operation
    wired, named = over_wire.set(True), actor.set(author or actor.get())
    try:
        raw = body if isinstance(body, bytes) else b""
        arguments = decode_request(declared, path_params, query, raw)
        if declared.body_param:
            arguments[declared.body_param] = body
        call: Call = partial(_encoded, declared, route.bind(services))
        if key:
            call = once(key, services)(declared, call)
        found = timed(declared, call)(**arguments)
    except MltrackError as error:
        return refused(error)
    except Exception:  # noqa: BLE001 - a fault of ours: its words may hold anything, and are for the log
        _log.exception("mltrack: %s failed", declared.function.__qualname__)
        return refused(InternalError(INTERNAL))
    finally:
        over_wire.reset(wired)
        actor.reset(named)
    return Answer(200, download=found) if isinstance(found, Download) else Answer(200, found)


def _encoded(
    declared: Operation, method: Callable[..., Any], /, **arguments: Any
) -> bytes | Download:
    value = method(**arguments)
    if isinstance(value, Download):
        return value
    # An upload is answered with an empty body, as MLflow does.
    return b"" if declared.body_param else encode_answer(declared, value)


def refused(error: MltrackError) -> Answer:
    """Return the answer that an error is."""
    return Answer(error.status, encode_error(error))


def find(method: str, path: str) -> tuple[Route, dict[str, str]]:
    """Return the route of a decoded path, and the parameters in it; raise :func:`unknown` otherwise."""
    if path.startswith(AJAX):
        path = "/api/" + path.removeprefix(AJAX)
    for route in _ROUTES:
        if method in route.operation.methods:
            match = route.regex.match(path)
            if match:
                return route, match.groupdict()
    raise unknown(method, path)


def unknown(method: str, path: str) -> MltrackError:
    """Return what is said of a path that is no operation; parts of MLflow that are left out say so."""
    for part, reason in _LEFT_OUT.items():
        if part in path:
            return NotImplementedHere(f"{path} is left out: {reason}")
    if _OTHER_PARTS.search(path):
        return NotImplementedHere(
            f"{path} belongs to a part of MLflow that this server leaves out: it tracks runs, keeps "
            "artifacts and registers models."
        )
    return EndpointNotFound(f"There is no route {method} {path}.")


_LEFT_OUT = {
    "/artifacts/presigned-": "files go through the server itself, at "
    "mlflow-artifacts/artifacts/<path>.",
}


# Traces, evaluation, prompts' optimisation, the gateway and administration, in either version of the API.
_OTHER_PARTS = re.compile(
    r"(/ajax-api|/api)/[23]\.0/mlflow/(traces|unified-traces|get-online-trace-details|assessments|datasets"
    r"|demo|gateway|genai|issues|jobs|label-schemas|prompt-optimization|review-queues|scorers?|skills"
    r"|users|webhooks|workspaces)(/|\Z)"
)
_ROUTES = routes()
