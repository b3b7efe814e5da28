"""The routes, derived from the operations: authenticated, authorised, answered in threads."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

import tornado
from jupyter_server.auth import User
from jupyter_server.base.handlers import APIHandler
from tornado.web import HTTPError

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.server.access import GuardedHandler
from mltrack_jupyter.server.bodies import RETRY_S
from mltrack_jupyter.server.downloads import attachment, choose, content_type
from mltrack_jupyter.server.holder import ServicesHolder
from mltrack_jupyter.server.lanes import Lanes
from mltrack_jupyter.server.links import LinksHandler, RunPageHandler
from mltrack_jupyter.server.pages import DocumentHandler, HealthHandler, PlainHandler
from mltrack_jupyter.services import Download
from mltrack_jupyter.services.codec import digest_header
from mltrack_jupyter.services.dispatch import (
    AJAX,
    KEY_HEADER,
    Answer,
    Route,
    answer,
    routes,
    unknown,
)
from mltrack_jupyter.services.operation import SMALL_BODY

MLFLOW_VERSION = "3.18.0"
"""The version of MLflow whose REST this is; its clients ask for it before they send newer requests."""
ANONYMOUS = "anonymous"
"""Who writes with the server's token, or where there is none, as nobody in particular."""
_INVENTED = re.compile("[0-9a-f]{32}")
_CHUNK = 256 * 1024
_WHOLE = 1024 * 1024
"""Up to how many bytes an answer is sent at once; to tag and copy a larger one would keep others waiting."""


class OperationHandler(GuardedHandler):
    """Answers the operations of one path."""

    def initialize(self, routes: Mapping[str, Route], name: str) -> None:
        """Take the operations by HTTP method."""
        super().initialize(name)
        self._routes = routes

    async def _check(self) -> None:
        route = self._routes.get(self.request.method or "")
        if route is not None:
            await self._authorize(route.operation.action)
        elif self.request.method != "HEAD":
            raise HTTPError(405)

    def _admit(self) -> None:
        method = self.request.method or ""
        route = self._routes.get(method)
        limit = SMALL_BODY if route is None else route.operation.largest_body(method)
        self.admit(limit, to_disk=limit is None)

    async def _answer(self, **params: str) -> None:
        route = self._routes[self.request.method or ""]
        lanes: Lanes = self.settings["mltrack_lanes"]
        try:
            body = await self._body(route)
            query = {
                key: [value.decode("utf-8", "replace") for value in values]
                for key, values in self.request.query_arguments.items()
                if key != "token"
            }
            key = self.request.headers.get(KEY_HEADER, "")
            holder: ServicesHolder = self.settings["mltrack_holder"]
            author = _author(self.current_user)
            asked = partial(
                answer, path_params=params, query=query, body=body, key=key, author=author
            )
            lane = lanes.of(route.operation.lane)
            # What dead processes left is taken over when the store is opened, and is not the caller's.
            found = await lane.run(lambda: asked(route, holder.get()))
        finally:
            self._drop()  # before the answer: whoever has that may count on nothing being kept
        await self._finish(found)

    async def _body(self, route: Route) -> Any:
        if route.operation.body_param:
            return await self.file()
        kind = self.request.headers.get("Content-Type", "application/json").split(";")[0]
        if self.kept and kind.strip().lower() != "application/json":
            raise InvalidParameter(f"Content-Type must be application/json, not {kind[:80]!r}.")
        return bytes(self.kept)

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
        if found.status == 503:
            self.set_header("Retry-After", RETRY_S)
        if len(found.body) <= _WHOLE:
            self.finish(found.body)
            return
        self.set_header("Content-Length", str(len(found.body)))
        for start in range(0, len(found.body), _CHUNK):
            self.write(found.body[start : start + _CHUNK])
            await self.flush()
        super(APIHandler, self).finish()

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
        read = partial(self.settings["mltrack_lanes"].of("downloads").run, patience=math.inf)
        with download.file as file:
            await read(file.seek, part.start)
            await self.flush()
            while left and (chunk := await read(file.read, min(left, _CHUNK))):
                left -= len(chunk)
                self.write(chunk)
                await self.flush()
        # JSON is what APIHandler.finish would claim to send.
        super(APIHandler, self).finish()

    @tornado.web.authenticated
    async def head(self, **_params: str) -> None:
        """Refuse HEAD: an answer in JSON is asked for by GET."""
        usual = HTTPError(400 if "GET" in self._routes else 405)
        raise self._refusal if isinstance(self._refusal, HTTPError) else usual


class UnknownHandler(GuardedHandler):
    """Answers the paths that are no operation, so that clients read why in the format they know."""

    async def _check(self) -> None:
        raise unknown(self.request.method or "", self.request.path)


def _author(user: User) -> str:
    """Return the name under which the change feed keeps what a user writes.

    For whoever has only the token Jupyter invents a name, another one at each request.
    """
    invented = _INVENTED.fullmatch(user.username) and user.name.startswith("Anonymous ")
    return ANONYMOUS if invented else user.username


def derived_handlers(prefix: str) -> list[tuple[str, type, dict[str, Any]]]:
    """Return a Tornado rule for each path of the operations."""
    by_pattern: dict[str, dict[str, Route]] = {}
    for route in routes():
        for method in route.operation.methods:
            by_pattern.setdefault(route.operation.pattern, {})[method] = route
    rules: list[tuple[str, type, dict[str, Any]]] = []
    # Plain paths first: /logged-models/search is no logged model of the id "search".
    for pattern, found in sorted(by_pattern.items(), key=lambda item: "(?P<" in item[0]):
        rules.append((prefix + pattern, OperationHandler, {"routes": found}))
        if pattern.startswith("/api/2"):
            ajax = re.escape(AJAX) + pattern.removeprefix("/api/")
            rules.append((prefix + ajax, OperationHandler, {"routes": found}))
    return [
        *rules,
        (prefix + "/version", PlainHandler, {"text": MLFLOW_VERSION}),
        (prefix + "/health", HealthHandler, {}),
        (prefix + r"/openapi\.json", DocumentHandler, {}),
        (prefix + "/docs", DocumentHandler, {"kind": "html"}),
        *([(prefix + "/?", LinksHandler, {})] if prefix else []),
        (prefix + r"/runs/(?P<run_id>\w+)", RunPageHandler, {}),
        # At the root of a server of its own, what is no operation may be a page of Jupyter's, such as its login.
        (prefix + ("(?:/.*)?" if prefix else r"/(?:ajax-)?api/.*"), UnknownHandler, {}),
    ]
