"""One declaration per operation: a typed method of a service, decorated once.

The signature is the request, the return annotation is the answer, the docstring is the documentation.
Routes, the remote client, the OpenAPI document and the TypeScript types are derived from it. (The idea
of one declared method serving as route, schema and client is BentoML's.)
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, BinaryIO, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from mltrack_jupyter.entities import Page

over_wire: ContextVar[bool] = ContextVar("mltrack_over_wire", default=False)
"""Whether the call of an operation came as a request: places are told as they are kept then, not as folders that open."""
actor: ContextVar[str] = ContextVar("mltrack_actor", default="")
"""Whose call it is: the user of a request. Else it is who runs the process."""
F = TypeVar("F", bound=Callable[..., Any])
SMALL_BODY = 64 * 1024
"""The largest body (bytes) of a method that names what it wants in its path and query: GET, DELETE."""
USUAL_BODY = 8 * 1024 * 1024
"""The largest body of an operation: a text of a million characters fits, also written as escapes."""
LARGE_BODY = 64 * 1024 * 1024
"""The largest body where journals and files travel as JSON."""
SUBJECTS = {
    **dict.fromkeys(("run_id", "run_ids", "source_run_id"), "run"),
    **dict.fromkeys(("experiment_id", "experiment_ids"), "experiment"),
    **dict.fromkeys(("model_id", "model_ids"), "logged_model"),
}
"""What operations call the ids of what they are about, and what that is."""
_WITHOUT_BODY = ("GET", "DELETE", "HEAD", "OPTIONS")
_PLACEHOLDER = re.compile(r"\{(\w+)(:path)?\}")


@dataclass(frozen=True)
class Download:
    """A file on its way to a caller: an open binary file, its name, and its size in bytes.

    ``modified`` is when it was written, in nanoseconds since 1970; 0 if that is not known. ``sha256`` is
    the digest, in hexadecimal digits, that was noted when it was written through the store; ``""`` if
    somebody put it there in another way.
    """

    file: BinaryIO
    name: str
    size: int
    modified: int = 0
    sha256: str = ""


@dataclass(frozen=True)
class Operation:
    """What is known of one operation from its declaration."""

    function: Callable[..., Any]
    method: str
    path: str
    also: tuple[str, ...] = ()
    answer: str = ""
    aliases: dict[str, str] = field(default_factory=dict)
    safe: bool = False
    idempotent: bool = True
    action: str = "write"
    repeats: bool = False
    body_limit: int = USUAL_BODY
    files: bool = False

    @property
    def lane(self) -> str:
        """Among which operations it queues at a server: ``files``, ``reads`` or ``writes``."""
        if self.files or self.is_download or self.body_param:
            return "files"
        return "reads" if self.safe else "writes"

    @property
    def transactional(self) -> bool:
        """Whether it is one transaction, so that it can be done again when the database took that back."""
        return self.lane != "files"

    def largest_body(self, method: str) -> int | None:
        """Return how many bytes a request by this HTTP method may have; ``None`` for a file of any size."""
        if method in _WITHOUT_BODY:
            return min(SMALL_BODY, self.body_limit)
        return None if self.body_param else self.body_limit

    @property
    def name(self) -> str:
        """The method's name."""
        return self.function.__name__

    @property
    def doc(self) -> str:
        """The method's docstring."""
        return inspect.getdoc(self.function) or ""

    @property
    def methods(self) -> tuple[str, ...]:
        """Every HTTP method that the path answers with this operation."""
        return (self.method, *self.also)

    @cached_property
    def path_params(self) -> tuple[str, ...]:
        """Parameters that stand in the path."""
        return tuple(match[1] for match in _PLACEHOLDER.finditer(self.path))

    @cached_property
    def pattern(self) -> str:
        """The path as a regular expression with one named group a parameter."""
        parts, last = [], 0
        for match in _PLACEHOLDER.finditer(self.path):
            parts.append(re.escape(self.path[last : match.start()]))
            parts.append(f"(?P<{match[1]}>{'.+' if match[2] else '[^/]+'})")
            last = match.end()
        return "".join([*parts, re.escape(self.path[last:])])

    @cached_property
    def _hints(self) -> dict[str, Any]:
        return get_type_hints(self.function)

    @cached_property
    def _signature(self) -> inspect.Signature:
        whole = inspect.signature(self.function)
        return whole.replace(parameters=list(whole.parameters.values())[1:])  # without self

    def bind(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of a call by their names; raises ``TypeError`` as the call would."""
        return self._signature.bind(*arguments, **named).arguments

    @cached_property
    def subject(self) -> dict[str, str]:
        """The parameters that name what is there already, with the kind of each, such as ``run_id`` and ``run``."""
        return {name: SUBJECTS[name] for name in self.parameters if name in SUBJECTS}

    @cached_property
    def body_param(self) -> str:
        """The parameter that takes the raw bytes of the request, or ``""``."""
        return next((name for name, hint in self._hints.items() if hint is BinaryIO), "")

    @cached_property
    def returns(self) -> Any:
        """The return annotation."""
        return self._hints.get("return", type(None))

    @property
    def is_download(self) -> bool:
        """Whether the answer is a file and not JSON."""
        return self.returns is Download

    @cached_property
    def parameters(self) -> dict[str, tuple[Any, Any]]:
        """Name to (type, default) of what the request may hold; ``msgspec.NODEFAULT`` if required."""
        found: dict[str, tuple[Any, Any]] = {}
        for name, parameter in self._signature.parameters.items():
            if name != self.body_param:
                missing = parameter.default is inspect.Parameter.empty
                default = msgspec.NODEFAULT if missing else parameter.default
                found[name] = (self._hints[name], default)
        return found

    @cached_property
    def request_type(self) -> type[msgspec.Struct]:
        """A struct with the parameters as fields."""
        fields = [(name, hint, default) for name, (hint, default) in self.parameters.items()]
        # Named by class and method: a JSON schema cannot tell two structs of one name apart.
        name = self.function.__qualname__.replace(".", "_") + "_request"
        return msgspec.defstruct(name, fields, kw_only=True)

    @cached_property
    def item_type(self) -> Any:
        """``T`` if the answer is a ``Page[T]``, else ``None``."""
        return get_args(self.returns)[0] if get_origin(self.returns) is Page else None


def operation(
    method: str,
    path: str,
    *,
    also: Iterable[str] = (),
    answer: str = "",
    aliases: dict[str, str] | None = None,
    safe: bool = False,
    idempotent: bool = True,
    action: str = "",
    repeats: bool = False,
    body_limit: int = USUAL_BODY,
    files: bool = False,
) -> Callable[[F], F]:
    """Declare a method of a service as an operation.

    Parameters
    ----------
    method, path
        The HTTP method, and the path below the tracking URI; ``{name}`` is a parameter without a
        slash, ``{name:path}`` one that may hold slashes.
    also
        Further HTTP methods that clients in the field use for it.
    answer
        The field of the answer that holds the returned value (or the items of a returned page).
    aliases
        Other spellings of parameters, such as ``{"run_uuid": "run_id"}``.
    safe
        Whether it changes nothing, so that whoever may read may ask it; what is asked by GET is safe.
    idempotent
        Whether doing it twice leaves the same as doing it once, so that a client may send it again
        when the answer was lost. What is not is done once for each idempotency key.
    action
        What a caller must be allowed to do, of what Jupyter's authorizer knows (``read``, ``write``,
        ``execute``); ``read`` for what is safe and ``write`` for all else, if nothing is said.
    repeats
        Whether the body must say the parameters of the path once more, as some of MLflow's do.
    body_limit
        How many bytes the body may have; of GET and DELETE, and of files, that is known without.
    files
        Whether it goes to where files are, which may be slow, although neither request nor answer is one.
    """

    def declare(function: F) -> F:
        changes_nothing = safe or method == "GET"
        declared = Operation(
            function,
            method,
            path,
            also=tuple(also),
            answer=answer,
            aliases=aliases or {},
            safe=changes_nothing,
            idempotent=idempotent,
            action=action or ("read" if changes_nothing else "write"),
            repeats=repeats,
            body_limit=body_limit,
            files=files,
        )
        function.__operation__ = declared  # type: ignore[attr-defined]
        return function

    return declare


@cache
def operations_of(service: type) -> dict[str, Operation]:
    """Return the operations that a service declares, by method name, in the order of declaration."""
    found: dict[str, Operation] = {}
    for base in reversed(service.__mro__):
        for name, member in vars(base).items():
            declared = getattr(member, "__operation__", None)
            if isinstance(declared, Operation):
                found[name] = declared
    return found
