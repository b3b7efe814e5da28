"""The errors of the product: one drawn tree, each with MLflow's error code and an HTTP status.

MltrackError
├── InvalidParameter      INVALID_PARAMETER_VALUE   400   bad input, a write to something deleted
├── AlreadyExists         RESOURCE_ALREADY_EXISTS   400   a name that is taken (MLflow answers 400, not 409)
├── BadRequest            BAD_REQUEST               400   two things that must differ are the same
│   └── ModelValidationFailed (the same)                  a model is not good enough
├── Unauthenticated       UNAUTHENTICATED           401   no credentials, or wrong ones
├── PermissionDenied      PERMISSION_DENIED         403   known, but not allowed
├── NotFound              RESOURCE_DOES_NOT_EXIST   404   no such experiment, run, model, artifact
│   └── NoSuchFile        (the same)                      no such file or folder on this machine
├── EndpointNotFound      ENDPOINT_NOT_FOUND        404   the server does not know this route
├── TooManyRequests       REQUEST_LIMIT_EXCEEDED    429
├── NotImplementedHere    NOT_IMPLEMENTED           501   a route of MLflow that this product leaves out
├── InternalError         INTERNAL_ERROR            500   our fault
└── Unavailable           TEMPORARILY_UNAVAILABLE   503   the store cannot answer now
    ├── StoreUnreadable   DATA_LOSS                 500   corrupt, or not one of our stores
    │   └── DamagedArtifact   (the same)                  a file is not the one that was written
    ├── StoreTooNew       INVALID_STATE             500   written by a newer version of this package
    ├── StoreUnwritable   RESOURCE_EXHAUSTED        503   no permission, or the disk is full
    │   └── StoreReadOnly     RESOURCE_CONFLICT     409   it may only be read: no reason to try again
    ├── ServerUnreachable TEMPORARILY_UNAVAILABLE   503   nobody answers at the tracking URI
    └── ForeignAnswer     (the same)                503   somebody else does: a proxy, a login page
        └── RequestTooLarge REQUEST_TOO_LARGE       413   ... or the server: it takes no request of this size

Codes and statuses follow MLflow's REST contract, so that its clients react as to their own server.
"""

from __future__ import annotations

from collections.abc import Mapping

from mltrack_jupyter.protos.databricks_pb2 import ErrorCode
from mltrack_jupyter.shown import shown

__all__ = [
    "AlreadyExists",
    "BadRequest",
    "DamagedArtifact",
    "EndpointNotFound",
    "ForeignAnswer",
    "InternalError",
    "InvalidParameter",
    "MltrackError",
    "ModelValidationFailed",
    "NoSuchFile",
    "NotFound",
    "NotImplementedHere",
    "PermissionDenied",
    "RequestTooLarge",
    "ServerUnreachable",
    "StoreReadOnly",
    "StoreTooNew",
    "StoreUnreadable",
    "StoreUnwritable",
    "TooManyRequests",
    "Unauthenticated",
    "Unavailable",
    "from_code",
    "from_status",
]


_STATUSES = {  # with which MLflow's servers answer its codes; all others with 500
    "TEMPORARILY_UNAVAILABLE": 503,
    "BAD_REQUEST": 400,
    "DEADLINE_EXCEEDED": 504,
    "CANCELLED": 499,
    "RESOURCE_EXHAUSTED": 429,
    "ABORTED": 409,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "UNAUTHENTICATED": 401,
    "INVALID_PARAMETER_VALUE": 400,
    "ENDPOINT_NOT_FOUND": 404,
    "PERMISSION_DENIED": 403,
    "CUSTOMER_UNAUTHORIZED": 401,
    "REQUEST_LIMIT_EXCEEDED": 429,
    "RESOURCE_CONFLICT": 409,
    "NOT_IMPLEMENTED": 501,
    "RESOURCE_ALREADY_EXISTS": 400,
    "RESOURCE_DOES_NOT_EXIST": 404,
}


class MltrackError(Exception):
    """Root of every error this package raises on purpose.

    Its message can be written anywhere: it holds no password of a URI, and nothing that steers a terminal,
    whoever wrote the names and answers that it quotes.
    """

    error_code: str = "INTERNAL_ERROR"
    status: int = 500

    def __init__(
        self, message: object, error_code: int | str | None = None, **details: object
    ) -> None:
        """Make an error; scripts written for MLflow give its number or its name, and details of their own.

        What a server answered, a dict with ``error_code`` and ``message``, is a message as well.
        """
        if isinstance(message, Mapping):
            self.json = dict(message)
            told = message.get("error_code") or "INTERNAL_ERROR"
            message = f"{told}: {message.get('message', f'Response: {self.json}')}"
            error_code = _BY_STATUS[told].error_code if told in _BY_STATUS else told
        if error_code is not None:
            self.error_code = _name_of(error_code)
            self.status = _STATUSES.get(self.error_code, 500)
        self.message = shown(str(message))
        self.json_kwargs = details
        super().__init__(self.message)

    @classmethod
    def invalid_parameter_value(cls, message: object, **details: object) -> MltrackError:
        """Return the error of a value that cannot be accepted, ready to be raised."""
        return cls(message, "INVALID_PARAMETER_VALUE", **details)

    def get_http_status_code(self) -> int:
        """Return the status with which a server answers it."""
        return self.status

    def serialize_as_json(self) -> str:
        """Return the error as the JSON of MLflow's servers."""
        import json  # whoever raises an error needs none of it

        told = {"error_code": self.error_code, "message": self.message}
        return json.dumps({**told, **self.json_kwargs}, default=str)


def _name_of(code: int | str) -> str:
    try:
        return ErrorCode(code).name if isinstance(code, int) else ErrorCode[code].name
    except (ValueError, KeyError):
        return ErrorCode.INTERNAL_ERROR.name


class InvalidParameter(MltrackError, ValueError):
    """A value that cannot be accepted; the message says what would be right."""

    error_code = "INVALID_PARAMETER_VALUE"
    status = 400


class AlreadyExists(MltrackError):
    """The name is taken."""

    error_code = "RESOURCE_ALREADY_EXISTS"
    status = 400


class BadRequest(MltrackError):
    """The request contradicts itself or what is stored."""

    error_code = "BAD_REQUEST"
    status = 400


class ModelValidationFailed(BadRequest):
    """A model is not good enough; the message says by which metrics."""


class Unauthenticated(MltrackError):
    """Credentials are missing or wrong."""

    error_code = "UNAUTHENTICATED"
    status = 401


class PermissionDenied(MltrackError):
    """The caller is not allowed to do this."""

    error_code = "PERMISSION_DENIED"
    status = 403


class NotReadable(PermissionDenied, PermissionError):
    """A file or a folder is there, and this user may not read it."""


class NotFound(MltrackError, LookupError):
    """There is no such thing."""

    error_code = "RESOURCE_DOES_NOT_EXIST"
    status = 404


class NoSuchFile(NotFound, FileNotFoundError):
    """There is no such file, or no such folder, on this machine."""


class EndpointNotFound(MltrackError):
    """The server does not know this route.

    No kind of ``NotFound``: who asks for a thing must not take a wrong address for its absence.
    """

    error_code = "ENDPOINT_NOT_FOUND"
    status = 404


class TooManyRequests(MltrackError):
    """The server asks to slow down."""

    error_code = "REQUEST_LIMIT_EXCEEDED"
    status = 429


class NotImplementedHere(MltrackError):
    """A part of MLflow's interface that this product does not have."""

    error_code = "NOT_IMPLEMENTED"
    status = 501


class InternalError(MltrackError):
    """A fault of this package or of a server that answered 500."""


class Unavailable(MltrackError):
    """The store cannot answer now; trying again later may help."""

    error_code = "TEMPORARILY_UNAVAILABLE"
    status = 503


class StoreUnreadable(Unavailable):
    """The database is corrupt or is not one of ours."""

    error_code = "DATA_LOSS"
    status = 500


class DamagedArtifact(StoreUnreadable):
    """A file is not the one that was written through the store."""


class StoreTooNew(Unavailable):
    """The database was written by a newer version of this package."""

    error_code = "INVALID_STATE"
    status = 500


class StoreUnwritable(Unavailable):
    """The store cannot be written: read-only, no permission, or the disk is full."""

    error_code = "RESOURCE_EXHAUSTED"


class StoreReadOnly(StoreUnwritable):
    """The store may only be read: nothing is recorded there, and trying again does not help."""

    error_code = "RESOURCE_CONFLICT"
    status = 409


class ServerUnreachable(Unavailable):
    """Nobody answers at the tracking URI."""


class ForeignAnswer(Unavailable):
    """What answered is no tracking server, but a proxy, a hub or a login page before it.

    It says nothing about what was asked: that can be asked again when the server is there.
    """


class RequestTooLarge(ForeignAnswer):
    """The server, or something before it, takes no request of this size."""

    error_code = "REQUEST_TOO_LARGE"
    status = 413


def _tree(root: type[MltrackError]) -> list[type[MltrackError]]:
    return [root, *(leaf for child in root.__subclasses__() for leaf in _tree(child))]


# A fixed table: a server's answer can choose among our classes, never name one (SECURITY 1.6).
_BY_CODE: dict[str, type[MltrackError]] = {}
for _error in _tree(MltrackError)[1:]:
    _BY_CODE.setdefault(_error.error_code, _error)
_BY_STATUS: dict[int, type[MltrackError]] = {
    400: BadRequest,
    401: Unauthenticated,
    403: PermissionDenied,
    404: EndpointNotFound,
    413: RequestTooLarge,
    429: TooManyRequests,
    501: NotImplementedHere,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def from_code(error_code: str, message: str, status: int = 500) -> MltrackError:
    """Return the error that a server's answer stands for, ready to be raised."""
    kind = _BY_CODE.get(error_code) or _BY_STATUS.get(status, InternalError)
    return kind(message)


def from_status(status: int, message: str) -> MltrackError:
    """Return the error that an answer stands for which is none of the API's own."""
    if status > 501:  # a proxy with nobody behind it
        return Unavailable(message)
    kind = _BY_STATUS.get(status, InternalError if status == 500 else ForeignAnswer)
    return (ForeignAnswer if kind in (BadRequest, NotImplementedHere) else kind)(message)
