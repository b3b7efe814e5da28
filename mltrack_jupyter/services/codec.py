"""The wire: how a call of an operation becomes a request, and its value an answer, in MLflow's JSON.

Requests are read leniently (unknown fields ignored, ``null`` as absent, numbers and booleans as text,
enums by name or number) and answers written as MLflow writes them: integers as numbers, unset fields
and empty lists absent, floats that JSON lacks as ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``.
"""

from __future__ import annotations

import base64
import json
import math
import re
import threading
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin
from urllib.parse import quote

import msgspec

from mltrack_jupyter.entities import LoggedModelStatus, Page
from mltrack_jupyter.errors import ForeignAnswer, InternalError, InvalidParameter
from mltrack_jupyter.services.operation import Operation

_MAX_INT64 = 2**63 - 1
_MAX_DEPTH = 32
_LARGE = 1024 * 1024
_one_at_a_time = threading.Lock()
"""Held while a large body is read: whoever reads one keeps Python to itself, several would all others out."""
_PIECE = 256 * 1024
_OVERLAP = 256
_NUMBER = re.compile(r"-?[0-9]{1,9}\Z")
_CAMEL_CASE = re.compile(rb'"[a-z]+[A-Z][A-Za-z]*"\s*:')
_LONG_INTEGER = re.compile(rb"[0-9]{19}")
_AS_THEY_ARE = frozenset({str, int, bool, NoneType})
_NUMBERS = frozenset({float, NoneType})


@dataclass(frozen=True)
class WireRequest:
    """A request without its host: method, path, query pairs, and the JSON body (``b""`` if none)."""

    method: str
    path: str
    query: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


# --- requests ---------------------------------------------------------------------------------


def encode_request(operation: Operation, arguments: Mapping[str, Any]) -> WireRequest:
    """Write the call of an operation as a request. Arguments that are ``None`` are left out."""
    try:
        return _encode_request(operation, arguments)
    except UnicodeEncodeError as error:
        raise InvalidParameter(f"A text is not Unicode and cannot be sent: {error}") from error


def _encode_request(operation: Operation, arguments: Mapping[str, Any]) -> WireRequest:
    values = {
        name: msgspec.to_builtins(value)
        for name, value in arguments.items()
        if value is not None and name != operation.body_param
    }
    path = operation.path
    for name in operation.path_params:
        text = str(values[name])
        path = path.replace(f"{{{name}:path}}", _quote_path(text))
        path = path.replace(f"{{{name}}}", quote(text, safe=""))
    if operation.body_param or operation.method == "GET":
        rest = {name: value for name, value in values.items() if name not in operation.path_params}
        # MLflow takes such a request by one of the names, and not always by the same.
        if operation.body_param:
            rest |= {other: rest[name] for other, name in operation.aliases.items()}
        return WireRequest(operation.method, path, _query(rest))
    for spelling, name in operation.aliases.items():
        values[spelling] = values[name]
    return WireRequest(operation.method, path, body=msgspec.json.encode(_to_wire(values)))


def _quote_path(path: str) -> str:
    # HTTP clients resolve "." and ".." before they send; whether they may be is the server's to say.
    parts = path.split("/")
    return "/".join("%2E" * len(part) if part in (".", "..") else quote(part) for part in parts)


def _query(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in values.items():
        items = value if isinstance(value, list) else [value]
        pairs += [(name, str(i).lower() if isinstance(i, bool) else str(i)) for i in items]
    return pairs


def decode_request(
    operation: Operation,
    path_params: Mapping[str, str],
    query: Mapping[str, Sequence[str]],
    body: bytes,
) -> dict[str, Any]:
    """Read the arguments of an operation from a request.

    Raises ``InvalidParameter`` with the name of the parameter that is missing or wrong.
    """
    with _one_at_a_time if len(body) > _LARGE else nullcontext():
        return _decode_request(operation, path_params, query, body)


def _decode_request(
    operation: Operation,
    path_params: Mapping[str, str],
    query: Mapping[str, Sequence[str]],
    body: bytes,
) -> dict[str, Any]:
    if body and not path_params and not operation.body_param:
        exact = _decode_exactly(operation, body)
        if exact is not None:
            return exact
    given: dict[str, Any] = {}
    if operation.body_param or body == b"":
        for name, values in query.items():
            target = operation.aliases.get(name, name)
            if target in operation.parameters:
                is_list = _is_list(operation.parameters[target][0])
                given[name] = list(values) if is_list else values[0]
    else:
        given = _parse_body(body)
    if operation.repeats:
        for name in path_params:
            _require(given.get(name), name)
    given.update(path_params)
    return _convert(operation, given)


def _decode_exactly(operation: Operation, body: bytes) -> dict[str, Any] | None:
    """Read a body that needs no leniency in one pass; ``None`` if it may need some.

    Integers that may not fit into 64 bits are left to the lenient way, which checks them.
    """
    if (
        _holds(_LONG_INTEGER, body)
        or _holds(_CAMEL_CASE, body)
        or any(f'"{name}"'.encode() in body for name in operation.aliases)
    ):
        return None
    try:
        request = _decoder(operation.request_type).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if any(getattr(request, name) == "" for name in _required_texts(operation)):
        return None
    return {name: getattr(request, name) for name in operation.parameters}


def _holds(pattern: re.Pattern[bytes], body: bytes) -> bool:
    """Tell whether a pattern, of short things, is found in a body.

    Piece by piece: one search in megabytes would keep all other threads waiting.
    """
    starts = range(0, len(body), _PIECE)
    return any(pattern.search(body, start, start + _PIECE + _OVERLAP) for start in starts)


def _required_texts(operation: Operation) -> list[str]:
    return [
        name
        for name, (hint, default) in operation.parameters.items()
        if default is msgspec.NODEFAULT and hint is str and name not in operation.path_params
    ]


@cache
def _decoder(request_type: type[msgspec.Struct]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(request_type)


def _parse_body(body: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(body)
        if isinstance(value, str):  # old clients send JSON inside a JSON string
            value = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidParameter(f"The body is not valid JSON: {error}") from error
    except RecursionError as error:
        raise InvalidParameter(f"The body is nested deeper than {_MAX_DEPTH} levels.") from error
    if not isinstance(value, dict):
        raise InvalidParameter("The body must be a JSON object such as {}.")
    _check_depth(value, _MAX_DEPTH)
    return value


def _check_depth(value: Any, left: int) -> None:
    if left == 0:
        raise InvalidParameter(f"The body is nested deeper than {_MAX_DEPTH} levels.")
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _check_depth(item, left - 1)


def _convert(operation: Operation, given: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    # Where both spellings are given, the one that is no alias counts.
    for name in sorted(given, key=operation.parameters.__contains__):
        target = operation.aliases.get(name, name)
        if given[name] is not None and target in operation.parameters:
            values[target] = _normalise(operation.parameters[target][0], given[name])
            if values[target] is None:
                _check_own(operation, name, given[name])
                del values[target]
    _check_names(operation, given, values)
    try:
        request = msgspec.convert(values, operation.request_type, strict=False)
    except msgspec.ValidationError as error:
        raise _explain(error, given) from error
    return {name: getattr(request, name) for name in operation.parameters}


def _check_own(operation: Operation, name: str, value: Any) -> None:
    """Refuse a word that is none of an enum, which MLflow's requests may have and ours may not."""
    if operation.path.startswith("/api/1/"):
        kind = _without_none(operation.parameters[operation.aliases.get(name, name)][0])
        raise InvalidParameter(
            f"Invalid value {str(value)[:80]!r} for parameter {name!r} supplied: it must be one of "
            f"{', '.join(str(member.value) for member in kind)}."
        )


def _check_names(operation: Operation, given: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    for name in operation.parameters:
        head, *rest = name.split("_")
        other = head + "".join(part.capitalize() for part in rest)
        if other != name and name in given and other in given:
            raise InvalidParameter(
                f"Request specifies both {name!r} and {other!r}; provide only {name!r}."
            )
    for name in _required_texts(operation):
        _require(values.get(name), name)


def _require(value: Any, name: str) -> None:
    if value is None or value == "":
        raise InvalidParameter(f"Missing value for required parameter '{name}'.")


def _explain(error: msgspec.ValidationError, given: Mapping[str, Any]) -> InvalidParameter:
    text = str(error)
    missing = re.search(r"missing required field `(\w+)`", text)
    where = re.search(r" - at `\$\.?([^`]*)`", text)
    place = where[1] if where else ""
    if missing:
        name = f"{place}.{missing[1]}" if place else missing[1]
        return InvalidParameter(f"Missing value for required parameter '{name}'.")
    reason = text.split(" - at ", maxsplit=1)[0]
    name = re.split(r"[.\[]", place)[0] or "?"
    shown = json.dumps(given.get(name), default=str)  # as it was sent
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    return InvalidParameter(f"Invalid value {shown} for parameter '{place}' supplied: {reason}.")


def _normalise(hint: Any, value: Any) -> Any:
    """Turn enum numbers into names, drop nulls and unknown enum names; check the range of integers."""
    hint = _without_none(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _enum_value(hint, value)
    if hint is int and isinstance(value, int | str) and not isinstance(value, bool):
        try:
            in_range = -_MAX_INT64 - 1 <= int(value) <= _MAX_INT64
        except ValueError:
            return value
        if not in_range:
            raise InvalidParameter(f"The integer {str(value)[:40]} does not fit into 64 bits.")
    if isinstance(value, list) and get_origin(hint) is list:
        inner = get_args(hint)[0]
        return [_normalise(inner, item) for item in value]
    if isinstance(value, dict) and isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        types = _field_types(hint)
        known = {name: _normalise(types[name], value[name]) for name in types.keys() & value.keys()}
        return {name: item for name, item in known.items() if item is not None}
    return value


@cache
def _field_types(struct: type[msgspec.Struct]) -> dict[str, Any]:
    return {item.encode_name: item.type for item in msgspec.structs.fields(struct)}


def _enum_value(kind: type[Enum], value: Any) -> str | None:
    names = [str(member.value) for member in kind]
    first = 0 if kind is LoggedModelStatus else 1
    text = str(value)
    if _NUMBER.match(text):
        index = int(text) - first
        return names[index] if 0 <= index < len(names) else None
    return text if text in names else None


def _without_none(hint: Any) -> Any:
    if get_origin(hint) in (Union, UnionType):
        rest = [arg for arg in get_args(hint) if arg is not NoneType]
        return rest[0] if len(rest) == 1 else hint
    return hint


def _is_list(hint: Any) -> bool:
    return get_origin(_without_none(hint)) is list


# --- answers ----------------------------------------------------------------------------------


def encode_answer(operation: Operation, value: Any) -> bytes:
    """Write the value that an operation returned as the JSON of its answer."""
    if isinstance(value, Page):
        wire: Any = {operation.answer: value.items, "next_page_token": value.next_page_token}
    elif operation.answer:
        wire = {operation.answer: value}
    else:
        wire = {} if value is None else _fields(value)
    wire = {name: item for name, item in wire.items() if not _is_empty(item)}
    body = msgspec.json.encode(wire)
    # A float that JSON lacks is written as null: where there is no null, there was none.
    return msgspec.json.encode(_to_wire(msgspec.to_builtins(wire))) if b"null" in body else body


def _fields(value: Any) -> Mapping[str, Any]:
    """Return the fields of an answer as they are; fields that hold their default are left out."""
    if not isinstance(value, msgspec.Struct):
        found: Mapping[str, Any] = msgspec.to_builtins(value)
        return found
    fields = msgspec.structs.fields(value)
    named = {item.encode_name: (getattr(value, item.name), item.default) for item in fields}
    omits = value.__struct_config__.omit_defaults
    return {
        name: item for name, (item, default) in named.items() if not omits or item is not default
    }


def _is_empty(value: Any) -> bool:
    return isinstance(value, str | list) and not value


def _to_wire(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _to_wire(item) for key, item in value.items()}
    if isinstance(value, list):
        return value if _is_plain(value) else [_to_wire(item) for item in value]
    return value


def _is_plain(values: list[Any]) -> bool:
    """Tell whether a list, which may be a long column, can stay as it is."""
    kinds = set(map(type, values))
    if kinds <= _AS_THEY_ARE:
        return True
    return kinds <= _NUMBERS and all(map(math.isfinite, filter(None, values)))


def decode_answer(operation: Operation, body: bytes) -> Any:
    """Read the value that an operation returned from the JSON of its answer."""
    try:
        wire = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ForeignAnswer(
            f"The server's answer to {operation.path} is no JSON object, so it is not a tracking server "
            f"(or a login page stands before it): {body[:80]!r}"
        ) from error
    if operation.returns is NoneType:
        return None
    try:
        if operation.item_type is not None:
            kind = list.__class_getitem__(operation.item_type)
            items = msgspec.convert(wire.get(operation.answer, []), kind, strict=False)
            return Page(items, wire.get("next_page_token", ""))
        if operation.answer:
            empty: Any = [] if get_origin(operation.returns) is list else None
            wire = wire.get(operation.answer, empty)
        return msgspec.convert(wire, operation.returns, strict=False)
    except msgspec.ValidationError as error:
        raise InternalError(f"The server's answer to {operation.path} is wrong: {error}") from error


def digest_header(sha256: str) -> str:
    """Write the SHA-256 of a file as the header ``Repr-Digest`` has it (RFC 9530)."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"


def digest_of(header: str) -> str:
    """Read the SHA-256, in hexadecimal digits, from the header ``Repr-Digest``; ``""`` if it has none."""
    found = re.search(r"(?:^|[\s,])sha-256=:([A-Za-z0-9+/]{43}=):", header)
    return base64.b64decode(found[1]).hex() if found else ""
