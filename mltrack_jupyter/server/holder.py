"""The store of a server: opened at first use, once, in a thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from mltrack_jupyter.errors import MltrackError
from mltrack_jupyter.services import Services
from mltrack_jupyter.services.around import Middleware, around
from mltrack_jupyter.store import StoreUri, open_store
from mltrack_jupyter.store.deadline import within
from mltrack_jupyter.store.journal import recover_all

_FIRST_S = 2.0
"""How long the first question waits at most for the locks that the recovery of journals needs."""
_log = logging.getLogger("mltrack_jupyter")


class ServicesHolder:
    """Opens a store when it is first asked for. May be used from several threads.

    ``within`` are middlewares of the server around whatever the store is asked.
    """

    def __init__(
        self,
        uri: str,
        artifact_root: str | None,
        default_artifact_root: str = "",
        *,
        serve_artifacts: bool = True,
        within: Sequence[Middleware] = (),
    ) -> None:
        self.uri = uri
        self._artifact_root = artifact_root
        self._default_artifact_root = default_artifact_root
        self._serve_artifacts = serve_artifacts
        self._within = within
        self._services: Services | None = None
        self._opening = threading.Lock()
        self._recovering = threading.Lock()

    def get(self) -> Services:
        """Return the services. Raises what :func:`mltrack_jupyter.store.open_store` raises.

        Once it is open nobody waits here: a recovery that goes on, or waits for a writer, stops no reader.
        """
        if (services := self._services) is not None:
            return services
        with self._opening:
            if self._services is None:
                self._services = self._open()
                self._recover_first(self._services)
            return self._services

    def _open(self) -> Services:
        services = open_store(
            self.uri,
            artifact_root=self._artifact_root,
            default_artifact_root=self._default_artifact_root,
            local_paths=False,
            serve_artifacts=self._serve_artifacts,
        )
        return around(services, *self._within)

    def _recover_first(self, services: Services) -> None:
        """Recover what there is before the first answer; what cannot be now is tried again by the loops."""
        try:
            with within(_FIRST_S):
                self._recover(services)
        except (MltrackError, OSError) as error:
            _log.warning("mltrack: journals cannot be taken over yet: %s", error)

    def recover(self) -> None:
        """Take over what processes logged to files and died before they could hand it over."""
        if (services := self._services) is not None:
            self._recover(services)

    def _recover(self, services: Services) -> None:
        with self._recovering:
            # Runs are ended by whoever knows why their process is gone.
            recover_all(self.uri, lambda: services, reap=False)

    @property
    def opened(self) -> Services | None:
        """The services if they were asked for already."""
        return self._services

    @property
    def exists(self) -> bool:
        """Whether there is a store already, so that opening it creates none."""
        file = StoreUri.of(self.uri).file
        return self._services is not None or file is None or file.exists()

    def close(self) -> None:
        """Close the store."""
        with self._opening:
            if self._services is not None:
                self._services.close()
                self._services = None
