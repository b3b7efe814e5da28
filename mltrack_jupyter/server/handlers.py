"""The routes, derived from the operations: authenticated, authorised, answered in threads."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextvars
import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from tempfile import SpooledTemporaryFile
from typing import Any

import tornado
from jupyter_server.auth import User
from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from jupyter_server.utils import ensure_async
from tornado.web import HTTPError

from mltrack_jupyter.errors import InvalidParameter, MltrackError
from mltrack_jupyter.server.downloads import attachment, choose, content_type
from mltrack_jupyter.server.holder import ServicesHolder
from mltrack_jupyter.services import Download, Services
from mltrack_jupyter.services.codec import digest_header
from mltrack_jupyter.services.dispatch import (
    ACCEPTS_KEYS,
    AJAX,
    KEY_HEADER,
    Answer,
    Route,
    answer,
    routes,
    unknown,
)
from mltrack_jupyter.services.error_codec import encode_error
from mltrack_jupyter.services.openapi import document
from mltrack_jupyter.services.openapi_page import page
from mltrack_jupyter.store.sql.database import actor

MLFLOW_VERSION = "3.18.0"
"""The version of MLflow whose REST this is; its clients ask for it before they send newer requests."""
ANONYMOUS = "anonymous"
"""Who writes with the server's token, or where there is none, as nobody in particular."""
_INVENTED = re.compile("[0-9a-f]{32}")
_CHUNK = 256 * 1024
_MAX_JSON = 64 * 1024 * 1024
_MAX_UPLOAD = 1 << 40
_SPOOL = 4 * 1024 * 1024
_DRAIN = 16 * 1024 * 1024


class OperationHandler(ExtensionHandlerMixin, APIHandler):
    """Answers the operations of one path."""

    auth_resource = "mltrack"

    def initialize(self, routes: Mapping[str, Route], name: str) -> None:
        """Take the operations by HTTP method."""
        super().initialize(name)
        self._routes = routes

    async def prepare(self) -> None:
        """Read MLflow's user and password as Jupyter's token, then let Jupyter identify the user."""
        header = self.request.headers.get("Authorization", "")
        if header[:6].lower() == "basic ":
            self.request.headers["Authorization"] = f"token {_password(header[6:])}"
        await super().prepare()

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
        if told or scheme != "https" or _is_loopback(host):
            return scheme == (told or self.request.protocol).split(",")[0].strip().lower()
        return True  # a proxy with TLS that does not say that it is one

    def set_signed_cookie(self, name: str, value: str | bytes, **_options: Any) -> None:
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
        reason = error.log_message if isinstance(error, HTTPError) else None
        code, message = _SENTENCES.get(
            status_code, ("INTERNAL_ERROR", reason or "An internal error.")
        )
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps({"error_code": code, "message": message}))

    async def _answer(self, **params: str) -> None:
        route = self._routes.get(self.request.method or "")
        if route is None:
            raise HTTPError(405)
        await self._authorize(route.operation.action)
        try:
            body = self._body(route)
        except MltrackError as error:
            await self._finish(Answer(error.status, encode_error(error)))
            return
        query = {
            key: [value.decode("utf-8", "replace") for value in values]
            for key, values in self.request.query_arguments.items()
            if key != "token"
        }
        holder: ServicesHolder = self.settings["mltrack_holder"]
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        key = self.request.headers.get(KEY_HEADER, "")
        author = _author(self.current_user)
        asked = partial(answer, route, path_params=params, query=query, body=body, key=key)
        call = partial(context.run, _in_thread, holder, author, asked)
        await self._finish(await loop.run_in_executor(None, call))

    async def _authorize(self, action: str) -> None:
        allowed = self.authorizer.is_authorized(self, self.current_user, action, self.auth_resource)
        if not await ensure_async(allowed):
            raise HTTPError(403)

    def _body(self, route: Route) -> Any:  # noqa: ARG002 - where a file is taken it matters
        body = self.request.body
        if len(body) > _MAX_JSON:
            raise InvalidParameter(f"The body exceeds the maximum length of {_MAX_JSON} bytes.")
        kind = self.request.headers.get("Content-Type", "application/json").split(";")[0]
        if body and kind.strip().lower() != "application/json":
            raise InvalidParameter(f"Content-Type must be application/json, not {kind[:80]!r}.")
        return body

    async def _finish(self, found: Answer) -> None:
        if found.download is not None:
            await self._send(found.download)
            return
        self.set_status(found.status)
        if not found.body:  # nothing is no JSON
            self.clear_header("Content-Type")
            super(APIHandler, self).finish()
            return
        self.set_header("Content-Type", "application/json")
        self.finish(found.body)

    async def _send(self, download: Download) -> None:
        self.set_header("Content-Type", content_type(download.name))
        # In Jupyter a script of ours could run code in the kernel: no artifact is ever shown inline.
        self.set_header("Content-Disposition", attachment(download.name))
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", "sandbox; default-src 'none'")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")
        if download.sha256:
            self.set_header("Repr-Digest", digest_header(download.sha256))
        part = choose(self.request.headers, download)
        self.set_status(part.status)
        for header, value in part.headers.items():
            self.set_header(header, value)
        left = part.length
        with download.file as file:
            await asyncio.to_thread(file.seek, part.start)
            await self.flush()
            while left and (chunk := await asyncio.to_thread(file.read, min(left, _CHUNK))):
                left -= len(chunk)
                self.write(chunk)
                await self.flush()
        # JSON is what APIHandler.finish would claim to send.
        super(APIHandler, self).finish()

    async def options(self, **_params: str) -> None:
        """Answer OPTIONS, with nothing."""
        self.set_status(204)
        self.clear_header("Content-Type")
        super(APIHandler, self).finish()

    @tornado.web.authenticated
    async def head(self, **_params: str) -> None:
        """Refuse HEAD: an answer in JSON is asked for by GET."""
        raise HTTPError(400 if "GET" in self._routes else 405)

    @tornado.web.authenticated
    async def get(self, **params: str) -> None:
        """Answer GET."""
        await self._answer(**params)

    @tornado.web.authenticated
    async def post(self, **params: str) -> None:
        """Answer POST."""
        await self._answer(**params)

    @tornado.web.authenticated
    async def put(self, **params: str) -> None:
        """Answer PUT."""
        await self._answer(**params)

    @tornado.web.authenticated
    async def patch(self, **params: str) -> None:
        """Answer PATCH."""
        await self._answer(**params)

    @tornado.web.authenticated
    async def delete(self, **params: str) -> None:
        """Answer DELETE."""
        await self._answer(**params)


class UnknownHandler(OperationHandler):
    """Answers the paths that are no operation, so that clients read why in the format they know."""

    async def _answer(self, **_params: str) -> None:
        error = unknown(self.request.method or "", self.request.path)
        await self._finish(Answer(error.status, encode_error(error)))


class PlainHandler(OperationHandler):
    """Answers what launchers and MLflow's clients ask in plain text."""

    def initialize(self, routes: Mapping[str, Route], name: str, text: str = "") -> None:
        """Take the text."""
        super().initialize(routes, name)
        self._text = text

    async def _answer(self, **_params: str) -> None:
        if self.request.method != "GET":
            raise HTTPError(405)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.write(self._text)
        # JSON is what APIHandler.finish would claim to send.
        super(APIHandler, self).finish()


class DocumentHandler(OperationHandler):
    """Answers with the description of the operations: as OpenAPI, or as a page without scripts."""

    def initialize(self, routes: Mapping[str, Route], name: str, kind: str = "json") -> None:
        """Take the form."""
        super().initialize(routes, name)
        self._kind = kind

    @property
    def content_security_policy(self) -> str:
        """Allow the page its own style, and nothing else."""
        return "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"

    async def _answer(self, **_params: str) -> None:
        if self.request.method != "GET":
            raise HTTPError(405)
        await self._authorize("read")
        text = await asyncio.get_running_loop().run_in_executor(None, _described, self._kind)
        self.set_header("Content-Type", _DOCUMENTS[self._kind])
        self.write(text)
        super(APIHandler, self).finish()


_DOCUMENTS = {"json": "application/json", "html": "text/html; charset=utf-8"}


@lru_cache
def _described(kind: str) -> str:
    return page() if kind == "html" else json.dumps(document())


@tornado.web.stream_request_body
class StreamingHandler(OperationHandler):
    """Answers operations that take a file: its bytes go to the disk as they come."""

    _spool: SpooledTemporaryFile[bytes] | None = None
    _refusal: HTTPError | None = None

    async def prepare(self) -> None:
        """Refuse strangers before a byte of a body is kept."""
        try:
            await super().prepare()
            if self.current_user is None:
                raise HTTPError(403)
        except HTTPError as error:
            if int(self.request.headers.get("Content-Length", _DRAIN + 1)) > _DRAIN:
                raise
            # Answered after the body: a connection that closes while it is sent loses the answer.
            self._refusal = error
            return
        self.request.connection.set_max_body_size(_MAX_UPLOAD)
        self._spool = SpooledTemporaryFile(max_size=_SPOOL)  # noqa: SIM115

    def data_received(self, chunk: bytes) -> None:
        """Keep a part of the body."""
        if self._spool is not None:
            self._spool.write(chunk)

    def on_finish(self) -> None:
        """Forget the body."""
        if self._spool is not None:
            self._spool.close()
        super().on_finish()

    async def _answer(self, **params: str) -> None:
        if self._refusal is not None:
            raise self._refusal
        await super()._answer(**params)

    def _body(self, route: Route) -> Any:
        assert self._spool is not None
        self._spool.seek(0)
        return self._spool if route.operation.body_param else self._spool.read()


def _in_thread(holder: ServicesHolder, author: str, asked: Callable[[Services], Answer]) -> Answer:
    try:
        services = holder.get()
    except MltrackError as error:
        return Answer(error.status, encode_error(error))
    # Only now: what dead processes left is taken over when the store is opened, and is not the caller's.
    actor.set(author)
    return asked(services)


def _author(user: User) -> str:
    """Return the name under which the change feed keeps what a user writes.

    For whoever has only the token Jupyter invents a name, another one at each request.
    """
    invented = _INVENTED.fullmatch(user.username) and user.name.startswith("Anonymous ")
    return ANONYMOUS if invented else user.username


def _is_loopback(host: str) -> bool:
    name = host.rpartition(":")[0] or host
    return name in ("localhost", "[::1]") or name.startswith("127.")


def _password(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


_REFUSED = (
    "The token is missing or wrong, or you may not do this: set MLFLOW_TRACKING_TOKEN (or "
    "MLTRACK_TRACKING_TOKEN) to the token of this Jupyter server."
)
_SENTENCES = {
    400: ("BAD_REQUEST", "The request cannot be read."),
    401: ("UNAUTHENTICATED", "No credentials."),
    403: ("PERMISSION_DENIED", _REFUSED),
    404: ("ENDPOINT_NOT_FOUND", "There is no such route."),
    405: ("ENDPOINT_NOT_FOUND", "This route does not answer this HTTP method."),
}


def derived_handlers(prefix: str) -> list[tuple[str, type, dict[str, Any]]]:
    """Return a Tornado rule for each path of the operations."""
    by_pattern: dict[str, dict[str, Route]] = {}
    for route in routes():
        for method in route.operation.methods:
            by_pattern.setdefault(route.operation.pattern, {})[method] = route
    rules: list[tuple[str, type, dict[str, Any]]] = []
    # Plain paths first: /logged-models/search is no logged model of the id "search".
    for pattern, found in sorted(by_pattern.items(), key=lambda item: "(?P<" in item[0]):
        streaming = any(route.operation.body_param for route in found.values())
        handler = StreamingHandler if streaming else OperationHandler
        rules.append((prefix + pattern, handler, {"routes": found}))
        if pattern.startswith("/api/2"):
            ajax = re.escape(AJAX) + pattern.removeprefix("/api/")
            rules.append((prefix + ajax, handler, {"routes": found}))
    return [
        *rules,
        (prefix + "/version", PlainHandler, {"routes": {}, "text": MLFLOW_VERSION}),
        (prefix + "/health", PlainHandler, {"routes": {}, "text": "OK"}),
        (prefix + r"/openapi\.json", DocumentHandler, {"routes": {}}),
        (prefix + "/docs", DocumentHandler, {"routes": {}, "kind": "html"}),
        (prefix + r"/(?:ajax-)?api/.*", UnknownHandler, {"routes": {}}),
    ]
