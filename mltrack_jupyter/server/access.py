"""Who asks, and whether they may: what every handler of ours does before it answers.

Jupyter's own credentials count, in every form that MLflow's clients send, and its authorizer decides. All of
that is asked before a byte of a body is read.
"""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlsplit

import tornado
from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from jupyter_server.utils import ensure_async
from tornado.web import HTTPError

from mltrack_jupyter.errors import (
    BadRequest,
    EndpointNotFound,
    InternalError,
    MltrackError,
    PermissionDenied,
    Unauthenticated,
)
from mltrack_jupyter.hosted import is_loopback
from mltrack_jupyter.server.bodies import StreamedBody
from mltrack_jupyter.services.dispatch import ACCEPTS_KEYS, INTERNAL
from mltrack_jupyter.services.operation import SMALL_BODY


@tornado.web.stream_request_body
class GuardedHandler(StreamedBody, ExtensionHandlerMixin, APIHandler):
    """Knows its caller before it reads a body, and answers in MLflow's format whatever goes wrong."""

    auth_resource = "mltrack"
    _refusal: HTTPError | MltrackError | None = None

    async def prepare(self) -> None:
        """Let Jupyter identify the user and decide what they may, before a byte of the body is read.

        MLflow's user and password are read as Jupyter's token.
        """
        header = self.request.headers.get("Authorization", "")
        if header[:6].lower() == "basic ":
            self.request.headers["Authorization"] = f"token {_password(header[6:])}"
        try:
            await super().prepare()
            if self._finished:
                return
            if self.request.method != "OPTIONS":
                if self.current_user is None:
                    raise HTTPError(403)
                await self._check()
            if self.request.method in ("OPTIONS", "HEAD"):
                self.admit(0)
            else:
                self._admit()
        except (HTTPError, MltrackError) as error:
            if not self.has_body:  # Tornado would close the connection if it were answered now
                self._refusal = error
            elif isinstance(error, HTTPError):
                told = _sentence(error.status_code, error.log_message)
                await self.refuse(told, error.status_code)
            else:
                await self.refuse(error)

    async def _check(self) -> None:
        """Raise what is to be answered if there is nothing here for this request, or for this user."""
        raise NotImplementedError

    def _admit(self) -> None:
        """Say how large the body may be, and where it goes."""
        self.admit(SMALL_BODY)

    async def _respond(self, **params: str) -> None:
        if self._refusal is not None:
            raise self._refusal
        if self._refused:  # it was answered while the body came
            super(APIHandler, self).finish()
        else:
            await self._answer(**params)

    async def _answer(self, **params: str) -> None:
        """Answer a request that is in order and has been read."""
        raise NotImplementedError

    async def _authorize(self, action: str) -> None:
        allowed = self.authorizer.is_authorized(self, self.current_user, action, self.auth_resource)
        if not await ensure_async(allowed):
            raise HTTPError(403)

    def check_origin(self, origin_to_satisfy_tornado: str = "") -> bool:
        """Compare the scheme too: Jupyter lets a page of another one on the same host and port pass."""
        if not super().check_origin(origin_to_satisfy_tornado):
            return False
        origin = self.request.headers.get("Origin", "").lower()
        if not origin or self.skip_check_origin() or self.allow_origin in ("*", origin):
            return True
        scheme, _, host = origin.partition("://")
        if host != self.request.host.lower():  # let in by allow_origin_pat
            return True
        headers = self.request.headers
        told = headers.get("X-Forwarded-Proto") or headers.get("X-Scheme")
        if told or scheme != "https" or is_loopback(urlsplit(origin).hostname or ""):
            return scheme == (told or self.request.protocol).split(",")[0].strip().lower()
        return True  # a proxy with TLS that does not say that it is one

    def set_signed_cookie(
        self, name: str, value: str | bytes, *_options: Any, **_named: Any
    ) -> None:
        """Set no login cookie: it is signed anew at each request of clients that keep none."""

    # Jupyter sets it by its older name.
    set_secure_cookie = set_signed_cookie

    def set_default_headers(self) -> None:
        """Tell clients that what they send with a key may be sent again."""
        super().set_default_headers()
        self.set_header(ACCEPTS_KEYS, "?1")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer in MLflow's error format, so that its clients show the reason."""
        error = kwargs.get("exc_info", (None, None))[1]
        if isinstance(error, MltrackError):
            self.answer_error(error)
            super(APIHandler, self).finish()
            return
        reason = error.log_message if isinstance(error, HTTPError) else None
        if status_code in (401, 403) and getattr(self, "_jupyter_current_user", None) is None:
            # Told from somebody who is known, and may not do this: their token may be renewed.
            self.set_header("WWW-Authenticate", "Bearer")
        self.answer_error(_sentence(status_code, reason), status_code)
        super(APIHandler, self).finish()

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Leave out of the log what is an answer, and no fault."""
        if not isinstance(value, MltrackError):
            super().log_exception(typ, value, tb)

    async def options(self, **_params: str) -> None:
        """Answer OPTIONS, with nothing."""
        if isinstance(self._refusal, HTTPError):
            raise self._refusal
        self.set_status(204)
        self.clear_header("Content-Type")
        super(APIHandler, self).finish()

    @tornado.web.authenticated
    async def get(self, **params: str) -> None:
        """Answer GET."""
        await self._respond(**params)

    @tornado.web.authenticated
    async def post(self, **params: str) -> None:
        """Answer POST."""
        await self._respond(**params)

    @tornado.web.authenticated
    async def put(self, **params: str) -> None:
        """Answer PUT."""
        await self._respond(**params)

    @tornado.web.authenticated
    async def patch(self, **params: str) -> None:
        """Answer PATCH."""
        await self._respond(**params)

    @tornado.web.authenticated
    async def delete(self, **params: str) -> None:
        """Answer DELETE."""
        await self._respond(**params)

    @tornado.web.authenticated
    async def head(self, **_params: str) -> None:
        """Refuse HEAD: what can be asked for is asked for by GET."""
        raise self._refusal if isinstance(self._refusal, HTTPError) else HTTPError(405)


def _password(encoded: str) -> str:
    try:
        found = base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except ValueError:  # also what has letters that no header should have
        return ""
    return found if found.isprintable() else ""


_REFUSED = (
    "The token is missing or wrong, or you may not do this: set MLFLOW_TRACKING_TOKEN (or "
    "MLTRACK_TRACKING_TOKEN) to the token of this server. `mltrack server` prints its own when it starts; "
    "`jupyter server list` shows that of a Jupyter server."
)
_SENTENCES = {
    400: BadRequest("The request cannot be read."),
    401: Unauthenticated("No credentials."),
    403: PermissionDenied(_REFUSED),
    404: EndpointNotFound("There is no such route."),
    405: EndpointNotFound("This route does not answer this HTTP method."),
}


def _sentence(status: int, reason: str | None) -> MltrackError:
    """Return what is said of a status of HTTP in the format of the operations."""
    return _SENTENCES.get(status) or InternalError(reason or INTERNAL)
