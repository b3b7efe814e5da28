"""The wire of errors: MLflow's JSON, and what else may come where it was expected."""

from __future__ import annotations

import msgspec

from mltrack_jupyter.errors import MltrackError, from_code, from_status

_HINT = "Is it a tracking server, and is the tracking URI complete (…/mltrack)?"
_HINTS = {
    413: "Something before it takes no requests of this size: raise its limit (nginx: client_max_body_size).",
    424: "If it is behind a hub, start it there.",
}


def encode_error(error: MltrackError) -> bytes:
    """Write an error as MLflow's JSON."""
    return msgspec.json.encode({"error_code": error.error_code, "message": error.message})


def decode_error(status: int, body: bytes) -> MltrackError:
    """Read the error that an answer with a status other than 200 stands for.

    Only an answer with an ``error_code`` is the server's word on what was asked.
    """
    try:
        wire = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        wire = None
    told = wire if isinstance(wire, dict) else {}
    message = str(told.get("message") or "")
    if told.get("error_code"):
        message = message or f"The server answered {status} without a reason."
        return from_code(str(told["error_code"]), message, status)
    shown = repr(message[:200] or body[:80])
    return from_status(
        status,
        f"The server answered with the status {status}, but not in MLflow's JSON: {shown}. "
        f"{_HINTS.get(status, _HINT)}",
    )
