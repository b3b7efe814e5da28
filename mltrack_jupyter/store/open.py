"""From a tracking URI to services: a folder or file, a database, or a server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mltrack_jupyter import config
from mltrack_jupyter.store.foreign import refuse_mlflows
from mltrack_jupyter.store.uri import StoreUri

if TYPE_CHECKING:
    from mltrack_jupyter.services import Services
    from mltrack_jupyter.services.around import Middleware


def normalise_uri(uri: str | os.PathLike[str]) -> str:
    """Return a tracking URI in full: ``http(s)://…`` or a database URL; paths become absolute.

    Raises ``InvalidParameter`` for a scheme that is not known, and for files that are MLflow's own.
    """
    store = StoreUri.named(uri)
    if (file := store.file) is not None:
        refuse_mlflows(file, os.fspath(uri))
    return store.text


def open_store(
    uri: str | os.PathLike[str],
    *,
    artifact_root: str | os.PathLike[str] | None = None,
    default_artifact_root: str = "",
    local_paths: bool = True,
    serve_artifacts: bool = True,
) -> Services:
    """Open a store.

    Parameters
    ----------
    uri
        A folder (``project/.mltrack``), a file ending in ``.db``, a SQLAlchemy URL, or ``http(s)://…``.
    artifact_root
        Where ``mlflow-artifacts:`` URIs lead: a folder, or a URI such as ``s3://bucket/folder``. By default
        ``artifacts`` beside an SQLite file; a Jupyter server tells its kernels of another one.
    default_artifact_root
        A folder or URI below which the artifacts of new experiments go; by default ``mlflow-artifacts:/``.
    local_paths
        Whether callers may name places for artifacts; a server opens its store without, and goes nowhere
        but below these two roots.
    serve_artifacts
        Whether a server over this store hands artifacts on.

    Raises
    ------
    InvalidParameter, StoreUnreadable, StoreTooNew, StoreUnwritable
    """
    full = normalise_uri(uri)
    store = StoreUri.of(full)
    if store.is_server:
        from mltrack_jupyter.store.remote import open_remote

        return _looking(open_remote(full))
    from mltrack_jupyter.store.artifacts import Locations
    from mltrack_jupyter.store.sql import open_sql
    from mltrack_jupyter.store.sql.retries import retry

    told = config.setting("MLTRACK_TRACKING_URI")
    if told and normalise_uri(told) == full:
        artifact_root = artifact_root or config.setting("MLTRACK_ARTIFACTS_DESTINATION") or None
        default_artifact_root = default_artifact_root or config.setting(
            "MLTRACK_DEFAULT_ARTIFACT_ROOT"
        )
    locations = Locations(
        artifact_root or artifacts_of(full),
        local_paths=local_paths,
        default_root=default_artifact_root,
        base=config.moved_folder(store.file) if store.file else None,
    )
    services = open_sql(full, locations, serve_artifacts=serve_artifacts)
    return _looking(services) if store.path else _looking(services, retry)


def _looking(services: Services, *within: Middleware) -> Services:
    """Let whoever misses a run look into the journals that are not handed over yet."""
    from mltrack_jupyter.services.around import around
    from mltrack_jupyter.store.journal.finding import Finder

    return around(services, *within, Finder(services).look)


def artifacts_of(uri: str) -> Path:
    """Return the folder in which a store in full (see :func:`normalise_uri`) keeps artifacts by default."""
    file = StoreUri.of(uri).file
    return (file.parent if file else config.default_store()) / config.ARTIFACTS
