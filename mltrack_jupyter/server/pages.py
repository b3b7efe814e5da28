"""Texts: what MLflow's clients and launchers ask in plain words, and the description of the operations."""

from __future__ import annotations

import json
from functools import lru_cache

from jupyter_server.base.handlers import APIHandler
from tornado.web import HTTPError

from mltrack_jupyter.server.access import GuardedHandler
from mltrack_jupyter.server.health import Vitals
from mltrack_jupyter.server.lanes import Lanes
from mltrack_jupyter.services.openapi import document
from mltrack_jupyter.services.openapi_page import page


class PageHandler(GuardedHandler):
    """Answers GET with a text, and nothing else."""

    action = ""
    """What a user must be allowed to do; nothing more than to be one if it is empty."""

    async def _check(self) -> None:
        if self.request.method != "GET":
            raise HTTPError(405)
        if self.action:
            await self._authorize(self.action)

    async def _answer(self, **_params: str) -> None:
        kind, text = await self._page()
        self.set_header("Content-Type", kind)
        self.write(text)
        # JSON is what APIHandler.finish would claim to send.
        super(APIHandler, self).finish()

    async def _page(self) -> tuple[str, str]:
        """Return the type of the text, and the text."""
        raise NotImplementedError


class PlainHandler(PageHandler):
    """Answers what MLflow's clients ask in plain text."""

    def initialize(self, name: str, text: str = "") -> None:
        """Take the text."""
        super().initialize(name)
        self._text = text

    async def _page(self) -> tuple[str, str]:
        return "text/plain; charset=utf-8", self._text


class HealthHandler(PageHandler):
    """Answers launchers in one word whether all is well; the operation ``health`` says what is not."""

    async def _page(self) -> tuple[str, str]:
        vitals: Vitals = self.settings["mltrack_vitals"]
        return "text/plain; charset=utf-8", "DEGRADED" if vitals.reasons else "OK"


class DocumentHandler(PageHandler):
    """Answers with the description of the operations: as OpenAPI, or as a page without scripts."""

    action = "read"

    def initialize(self, name: str, kind: str = "json") -> None:
        """Take the form."""
        super().initialize(name)
        self._kind = kind

    @property
    def content_security_policy(self) -> str:
        """Allow the page its own style, and nothing else."""
        return "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"

    async def _page(self) -> tuple[str, str]:
        lanes: Lanes = self.settings["mltrack_lanes"]
        return _DOCUMENTS[self._kind], await lanes.of("reads").run(_described, self._kind)


_DOCUMENTS = {"json": "application/json", "html": "text/html; charset=utf-8"}


@lru_cache
def _described(kind: str) -> str:
    return page() if kind == "html" else json.dumps(document())
