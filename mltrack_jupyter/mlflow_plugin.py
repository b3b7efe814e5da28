"""What MLflow finds of us by its entry points: the sign-in to the Jupyter server, and a notebook's experiment."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from mltrack_jupyter import hosted
from mltrack_jupyter.inheritance import OFFERED


class RequestAuth:
    """Signs MLflow in to the Jupyter server of its kernel, as ``MLFLOW_TRACKING_AUTH`` asks for."""

    def get_name(self) -> str:
        """Return what ``MLFLOW_TRACKING_AUTH`` calls it."""
        return hosted.PLUGIN

    def get_auth(self) -> ServerToken:
        """Return what is to be done to each request."""
        return ServerToken()


class ServerToken:
    """Adds the token of the Jupyter server to a request to that server, and to no other.

    It is read from the file that the server keeps of itself, which only its user can read.
    """

    def __call__(self, request: Any) -> Any:
        """Sign one request of ``requests``."""
        info = hosted.server_info()
        if info is not None and info.get("token") and _is_for(str(request.url), info):
            request.headers["Authorization"] = f"Bearer {info['token']}"
            return request
        return _as_without_us(request)


def _as_without_us(request: Any) -> Any:
    """Sign a request to another server as ``requests`` does where nothing else signs it: by ``~/.netrc``."""
    from requests.auth import HTTPBasicAuth
    from requests.utils import get_netrc_auth

    known = get_netrc_auth(request.url)
    return HTTPBasicAuth(*known)(request) if known else request


def _is_for(url: str, info: dict[str, Any]) -> bool:
    from requests.utils import get_environ_proxies, select_proxy

    right, asked = urlsplit(hosted.tracking_address(info)), urlsplit(url)
    same = (asked.scheme, asked.netloc) == (right.scheme, right.netloc)
    below = asked.path.startswith(f"{right.path}/")
    # A proxy that stands between would be told the token as well.
    return same and below and not select_proxy(url, get_environ_proxies(url))


class NotebookExperiment:
    """Lets the runs of MLflow be in the experiment that our own verbs use; what MLflow is told itself wins."""

    def in_context(self) -> bool:
        """Tell whether MLflow logs to the Jupyter server of a notebook."""
        import mlflow

        return mlflow.get_tracking_uri() == os.environ.get(OFFERED) and bool(self._name())

    def get_experiment_id(self) -> str:
        """Return the id of the experiment, which is created if it is new."""
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        client, name = MlflowClient(), self._name()
        found = client.get_experiment_by_name(name)
        if found is None:
            try:
                return str(client.create_experiment(name))
            except MlflowException:  # another process was faster
                found = client.get_experiment_by_name(name)
                if found is None:
                    raise
        return str(found.experiment_id)

    def _name(self) -> str:
        from mltrack_jupyter.tracking import checks, session

        if session.has_explicit_experiment():
            return checks.name_of_experiment()
        return session.host().experiment()
