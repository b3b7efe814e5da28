"""The extension: its settings, its routes, its feed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from jupyter_server.auth import IdentityProvider
from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Unicode, default

from mltrack_jupyter import config, hosted, inheritance
from mltrack_jupyter.server.feed import EVENT_SCHEMA, Feed
from mltrack_jupyter.server.handlers import derived_handlers
from mltrack_jupyter.server.health import Vitals
from mltrack_jupyter.server.holder import ServicesHolder
from mltrack_jupyter.server.kernels import Kernels
from mltrack_jupyter.server.lanes import Lanes
from mltrack_jupyter.store import StoreUri, normalise_uri
from mltrack_jupyter.store.artifacts import scheme_of


class MltrackApp(ExtensionApp):
    """Serves one store of runs and models below ``/mltrack`` of a Jupyter server."""

    name = "mltrack"
    extension_url = "/mltrack"
    load_other_extensions = True
    description = "Experiment tracking inside Jupyter, wire-compatible with MLflow."

    backend_store_uri = Unicode(
        help="The store: a folder, a file ending in .db, or a SQLAlchemy URL. "
        "Default: MLTRACK_TRACKING_URI, else the nearest .mltrack folder upwards of the server's root."
    ).tag(config=True)
    artifacts_destination = Unicode(
        help="Where mlflow-artifacts: URIs lead: a folder, or a URI such as s3://bucket/folder. The server "
        "reads and writes there with its own credentials. Default: 'artifacts' beside an SQLite store."
    ).tag(config=True)
    default_artifact_root = Unicode(
        help="A folder or URI below which the artifacts of new experiments go, for clients that reach it "
        "themselves. Default: mlflow-artifacts:/, through this server."
    ).tag(config=True)
    serve_artifacts = True
    set_kernel_environment = Bool(
        True, help="Tell kernels where the store is, by MLTRACK_TRACKING_URI in their environment."
    ).tag(config=True)
    set_mlflow_tracking_uri = Bool(
        True,
        help="Let kernels point MLFLOW_TRACKING_URI at this server, unless it is set: what code in a notebook "
        "logs with MLflow appears in the sidebar then.",
    ).tag(config=True)

    @default("backend_store_uri")
    def _default_store(self) -> str:
        chosen = config.setting("MLTRACK_TRACKING_URI")
        root = Path(self.serverapp.root_dir) if self.serverapp else None
        return chosen or str(config.default_store(root))

    def initialize_settings(self) -> None:
        """Say where the store is; it is opened at the first request."""
        uri = normalise_uri(self.backend_store_uri)
        self.lanes = Lanes()
        self.vitals = Vitals(self.lanes)
        self.holder = ServicesHolder(
            uri,
            self.artifacts_destination or None,
            self.default_artifact_root,
            serve_artifacts=self.serve_artifacts,
            within=[self.vitals.over],
        )
        self.settings.update(
            mltrack_holder=self.holder, mltrack_lanes=self.lanes, mltrack_vitals=self.vitals
        )
        if self.set_kernel_environment:
            # What kernels are told is the store of this server, and not that of whoever started it.
            inheritance.take_back("store")
        self._offer_to_mlflow()
        if self.set_kernel_environment and not config.setting("MLTRACK_TRACKING_URI"):
            self._told = {
                "MLTRACK_TRACKING_URI": uri,
                "MLTRACK_ARTIFACTS_DESTINATION": _from_anywhere(self.artifacts_destination),
                "MLTRACK_DEFAULT_ARTIFACT_ROOT": _from_anywhere(self.default_artifact_root),
            }
            os.environ.update({name: value for name, value in self._told.items() if value})
        events = self.serverapp.event_logger
        events.register_event_schema(EVENT_SCHEMA)
        manager = self.serverapp.kernel_manager
        self.feed = Feed(self.holder, events, self.log, self.lanes.of("feed"))
        self.kernels = Kernels(self.holder, manager, events, self.log, self.lanes.of("kernels"))
        self.vitals.loops += [self.feed.loop, *self.kernels.loops]
        self.log.info("mltrack: store %s", StoreUri.of(uri).shown)

    def _offer_to_mlflow(self) -> None:
        """Tell kernels that MLflow may log here, where the token is what signs a program in."""
        for name in (hosted.KERNEL, hosted.SERVER):  # of a kernel in which this server was started
            os.environ.pop(name, None)
        provider = self.serverapp.identity_provider
        by_token = type(provider).get_user is IdentityProvider.get_user and provider.token
        if self.set_mlflow_tracking_uri and (by_token or not provider.auth_enabled):
            os.environ[hosted.SERVER] = str(os.getpid())

    def initialize_handlers(self) -> None:
        """Derive the routes from the operations."""
        self.handlers.extend(derived_handlers(self.extension_url))

    async def _start_jupyter_server_extension(self, _serverapp: Any) -> None:
        self.feed.start()
        self.kernels.start()

    async def stop_extension(self) -> None:
        """Stop the feed and close the store."""
        await self.kernels.stop()
        await self.feed.stop()
        self.lanes.close()
        self.holder.close()
        told = {hosted.SERVER: str(os.getpid()), **getattr(self, "_told", {})}
        for name, value in told.items():
            if value and os.environ.get(name) == value:
                del os.environ[name]


def _from_anywhere(place: str) -> str:
    return os.path.abspath(place) if place and not scheme_of(place) else place
