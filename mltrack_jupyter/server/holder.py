"""The store of a server: opened at first use, once, in a thread."""

from __future__ import annotations

import os
import threading

from mltrack_jupyter.services import Services
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.journal import journal_folder, recover


class ServicesHolder:
    """Opens a store when it is first asked for. May be used from several threads."""

    def __init__(
        self,
        uri: str,
        artifact_root: str | None,
        default_artifact_root: str = "",
        *,
        serve_artifacts: bool = True,
    ) -> None:
        self.uri = uri
        self._artifact_root = artifact_root
        self._default_artifact_root = default_artifact_root
        self._serve_artifacts = serve_artifacts
        self._services: Services | None = None
        self._lock = threading.Lock()

    def get(self) -> Services:
        """Return the services. Raises what :func:`mltrack_jupyter.store.open_store` raises."""
        with self._lock:
            if self._services is None:
                self._services = open_store(
                    self.uri,
                    artifact_root=self._artifact_root,
                    default_artifact_root=self._default_artifact_root,
                    local_paths=False,
                    serve_artifacts=self._serve_artifacts,
                )
                self._recover(self._services)
            return self._services

    def recover(self) -> None:
        """Take over what processes logged to files and died before they could hand it over."""
        with self._lock:
            if self._services is not None:
                self._recover(self._services)

    def _recover(self, services: Services) -> None:
        # Runs are ended by whoever knows why their process is gone.
        recover(journal_folder(self.uri), lambda: services, self.uri, reap=False)

    @property
    def opened(self) -> Services | None:
        """The services if they were asked for already."""
        return self._services

    @property
    def exists(self) -> bool:
        """Whether there is a store already, so that opening it creates none."""
        path = self.uri.removeprefix("sqlite:///")
        return self._services is not None or path == self.uri or os.path.exists(path)

    def close(self) -> None:
        """Close the store."""
        with self._lock:
            if self._services is not None:
                self._services.close()
                self._services = None
