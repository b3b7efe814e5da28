"""The extension: its settings, its routes, its feed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Unicode, default

from mltrack_jupyter import config
from mltrack_jupyter.server.feed import EVENT_SCHEMA, Feed
from mltrack_jupyter.server.handlers import derived_handlers
from mltrack_jupyter.server.holder import ServicesHolder
from mltrack_jupyter.server.kernels import Kernels
from mltrack_jupyter.store import normalise_uri


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
    default_artifact_root = Unicode(
        help="The folder of mlflow-artifacts: URIs. Default: 'artifacts' beside an SQLite store."
    ).tag(config=True)
    set_kernel_environment = Bool(
        True, help="Tell kernels where the store is, by MLTRACK_TRACKING_URI in their environment."
    ).tag(config=True)

    @default("backend_store_uri")
    def _default_store(self) -> str:
        chosen = config.setting("MLTRACK_TRACKING_URI")
        root = Path(self.serverapp.root_dir) if self.serverapp else None
        return chosen or str(config.default_store(root))

    def initialize_settings(self) -> None:
        """Say where the store is; it is opened at the first request."""
        uri = normalise_uri(self.backend_store_uri)
        self.holder = ServicesHolder(uri, self.default_artifact_root or None)
        self.settings["mltrack_holder"] = self.holder
        if self.set_kernel_environment and not config.setting("MLTRACK_TRACKING_URI"):
            os.environ["MLTRACK_TRACKING_URI"] = uri
            self._set_environment = uri
        events = self.serverapp.event_logger
        events.register_event_schema(EVENT_SCHEMA)
        self.feed = Feed(self.holder, events, self.log)
        self.kernels = Kernels(self.holder, self.serverapp.kernel_manager, events, self.log)
        self.log.info("mltrack: store %s", _without_password(uri))

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
        self.holder.close()
        ours = getattr(self, "_set_environment", "")
        if ours and os.environ.get("MLTRACK_TRACKING_URI") == ours:
            del os.environ["MLTRACK_TRACKING_URI"]


def _without_password(uri: str) -> str:
    if "@" not in uri:
        return uri
    scheme, _, rest = uri.partition("://")
    return f"{scheme}://…@{rest.rpartition('@')[2]}"
