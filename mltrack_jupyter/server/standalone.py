"""The same extension without JupyterLab: ``mltrack server``. No kernels, terminals or contents."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tornado
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.serverapp import ServerApp
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from tornado import httputil
from traitlets import Bool
from traitlets.config import Config

from mltrack_jupyter.errors import EndpointNotFound, NotImplementedHere
from mltrack_jupyter.server.app import MltrackApp
from mltrack_jupyter.server.bodies import StreamedBody
from mltrack_jupyter.server.handlers import OperationHandler, derived_handlers
from mltrack_jupyter.server.links import POLICY, home_page

PACKAGE = "mltrack_jupyter.server.standalone"
_MAX_BODY = 1024 * 1024
_MAX_FIELDS = 5000
"""How many fields a query may have: more than the ids of runs for which its 64 KB have a place."""
_TEMPLATES = Path(__file__).parent / "templates"
"""The login and the pages of errors, in the words of this server instead of Jupyter's."""
_ARTIFACTS = "api/2.0/mlflow-artifacts/"


class NoContents(AsyncLargeFileManager):
    """Serves no file of the working directory."""

    def get_extra_handlers(self) -> list[Any]:
        """Return no routes: ``/files/`` is not served."""
        return []


class StandaloneServer(ServerApp):
    """A Jupyter server with its login, and nothing else of its own.

    What remains of its routes: ``/login``, ``/logout``, ``/static/``, ``/api`` (its version), ``/metrics``
    (for Prometheus, with the token), ``/api/security/csp-report``.
    """

    default_services = ("auth", "security")

    def load_config_file(self, suppress_errors: bool = True) -> None:
        """Read no file: the command line says everything."""

    def init_signal(self) -> None:
        """End at the first Ctrl-C, terminal or not: there are no kernels that could be lost."""
        super().init_signal()
        signal.signal(signal.SIGINT, self._signal_stop)


class LocalGuard:
    """Without a token: let programs in, keep web pages out.

    A browser says where a request comes from; then Jupyter's checks of origin and XSRF hold. A program
    says nothing of the kind, and cannot be made to call by a page.
    """

    request: Any

    def check_xsrf_cookie(self) -> None:
        """Check what comes from a browser."""
        headers = self.request.headers
        told = any(name in headers for name in ("Origin", "Referer", "Sec-Fetch-Site"))
        # Every browser calls itself so, also one that keeps where a request comes from to itself.
        if told or headers.get("User-Agent", "").startswith("Mozilla/"):
            super().check_xsrf_cookie()  # type: ignore[misc]


class NoArtifactsHandler(OperationHandler):
    """Answers for artifacts where the server keeps none."""

    async def _check(self) -> None:
        await super()._check()
        raise NotImplementedHere(
            "This server was started with --no-serve-artifacts: give the experiment an artifact_location "
            "that its clients reach themselves, such as s3://bucket/folder."
        )


@tornado.web.stream_request_body
class HomeHandler(StreamedBody, JupyterHandler):
    """Says what this server is and how to use it."""

    async def prepare(self) -> None:
        """Take no body."""
        if self.has_body:
            await self.refuse(
                EndpointNotFound("This page is asked for by GET, without a body."), 405
            )
            return
        await super().prepare()
        self.admit(0)

    @tornado.web.authenticated
    async def get(self) -> None:
        """Answer with a page that follows the links of MLflow's clients."""
        self.set_header("Content-Security-Policy", POLICY)
        self.finish(home_page(f"{self.request.protocol}://{self.request.host}{self.base_url}"))


class StandaloneApp(MltrackApp):
    """The extension at the root of a server of its own, and below ``/mltrack`` as in JupyterLab."""

    load_other_extensions = False
    serve_artifacts = Bool(True, help="Serve mlflow-artifacts: URIs.").tag(config=True)

    def initialize_handlers(self) -> None:
        """Derive the routes, twice: MLflow's users expect them at the root."""
        guarded = not self.serverapp.identity_provider.token
        for prefix in (self.extension_url, ""):
            for pattern, handler, arguments in derived_handlers(prefix):
                kind = handler
                if not self.serve_artifacts and _ARTIFACTS in pattern.replace("\\", ""):
                    kind = NoArtifactsHandler
                if guarded:
                    kind = type(f"Local{kind.__name__}", (LocalGuard, kind), {})
                self.handlers.append((pattern, kind, arguments))
        self.handlers.append(("/", HomeHandler))


def configuration(settings: dict[str, Any]) -> Config:
    """Return the configuration of a server that listens at one address, or not at all."""
    config = Config()
    config.ServerApp.update(
        {
            "ip": settings["host"],
            "port": settings["port"],
            "port_retries": 0,
            # Of Jupyter's own pages; the operations have limits of their own.
            "max_body_size": _MAX_BODY,
            "max_buffer_size": 2 * _MAX_BODY,
            "open_browser": settings["open"],
            "contents_manager_class": NoContents,
            "answer_yes": True,
            "allow_root": True,  # it starts no programs
            "log_level": "WARN",
            "jpserver_extensions": {PACKAGE: True},
            "default_url": "/",
            "extra_template_paths": [str(_TEMPLATES)],
        }
    )
    config.IdentityProvider.token = settings["token"]
    config.PasswordIdentityProvider.token = settings["token"]
    config.PasswordIdentityProvider.password_required = False
    config.PasswordIdentityProvider.allow_password_change = False
    config.StandaloneApp.update(
        {
            "backend_store_uri": settings["backend_store_uri"],
            "artifacts_destination": settings["artifacts_destination"],
            "default_artifact_root": settings["default_artifact_root"],
            "serve_artifacts": settings["serve_artifacts"],
            "log_level": "WARN",
            "set_kernel_environment": False,
        }
    )
    return config


def _take_long_queries() -> None:
    """Let operations say what is wrong with a query of many fields: Tornado answers 400 without a word.

    That is said for the whole process, so it is for the server that has one of its own.
    """
    if hasattr(httputil, "ParseUrlEncodedConfig"):  # before 6.5.8 there was no limit
        fields = httputil.ParseUrlEncodedConfig(max_arguments=_MAX_FIELDS)
        httputil.set_parse_body_config(httputil.ParseBodyConfig(urlencoded=fields))


def serve(settings: dict[str, Any], announce: Callable[[], None]) -> None:
    """Serve until a signal ends it; ``announce`` is called when the port is bound."""
    _take_long_queries()
    server = StandaloneServer.instance(config=configuration(settings))
    server.initialize(argv=[], find_extensions=False, new_httpserver=True)
    server.io_loop.add_callback(announce)
    server.start()


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": PACKAGE, "app": StandaloneApp}]


__all__ = ["StandaloneApp", "StandaloneServer", "configuration", "serve"]
