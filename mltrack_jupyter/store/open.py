"""From a tracking URI to services: a folder or file, a database, or a server."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mltrack_jupyter import config
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.plain import file_uri_path, path_text
from mltrack_jupyter.shown import hide_password
from mltrack_jupyter.store.foreign import refuse_mlflows
from mltrack_jupyter.store.sqlite_uri import sqlite_uri

if TYPE_CHECKING:
    from mltrack_jupyter.services import Services

_FILES = (".db", ".sqlite", ".sqlite3")
_HOST = re.compile(r"[A-Za-z0-9.-]+:\d{1,5}(?:/|\Z)")
_SLIP = re.compile(r"https?/+(?=[\w.-]+(?:[:/]|\Z))", re.IGNORECASE)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")


def normalise_uri(uri: str | os.PathLike[str]) -> str:
    """Return a tracking URI in full: ``http(s)://…`` or a database URL; paths become absolute.

    Raises ``InvalidParameter`` for a scheme that is not known, and for files that are MLflow's own.
    """
    full = full_uri(uri)
    file = _database_file(full)
    if file is not None:
        refuse_mlflows(file, os.fspath(uri))
    return full


def full_uri(uri: str | os.PathLike[str]) -> str:
    """Return a tracking URI in full, whoever the files are that it names."""
    text = path_text(uri, "The tracking URI").strip()
    match = _SCHEME.match(text)
    scheme = match[1].lower() if match else ""
    if scheme in ("http", "https"):
        return _server(text)
    if _SLIP.match(text):
        raise InvalidParameter(
            f"{text!r} names no server; right would be {_SLIP.sub('http://', text)}."
        )
    if scheme == "" and _HOST.match(text):  # an address in digits, which begins as no scheme does
        raise InvalidParameter(f"{text!r} is no folder. A server is named by http://{text}.")
    if scheme in ("", "file"):
        path = _file(text) if scheme else Path(text).expanduser()
        if not text:
            path = config.default_store()
        file = path if path.suffix in _FILES else path / config.DATABASE
        return f"sqlite:///{_absolute(file)}"
    if scheme in ("sqlite", "sqlite+pysqlite"):
        return sqlite_uri(text)
    if scheme.split("+")[0] in ("postgresql", "mysql", "mariadb"):
        return text
    raise InvalidParameter(
        f"The tracking URI {hide_password(text)!r} has the unknown scheme {scheme!r}.{_meant(text, scheme)} Right "
        "would be a folder, a file ending in .db, sqlite:///…, postgresql://…, mysql+pymysql://…, or http(s)://… of a "
        "server."
    )


def _meant(text: str, scheme: str) -> str:
    """Return a sentence about what was probably meant by a scheme that is not known."""
    from mltrack_jupyter.suggestions import did_you_mean

    if scheme.startswith("databricks"):
        return " Databricks is not supported."
    if _HOST.match(text):
        return f" A server is named by http://{text}."
    hint = did_you_mean(
        scheme, ("http", "https", "sqlite", "postgresql", "mysql", "mariadb", "file")
    )
    return f" {hint[:1].upper()}{hint[1:]}" if hint else ""


def _server(text: str) -> str:
    try:
        parts = urlsplit(text)
        complete = bool(parts.hostname) and parts.port != 0  # reading a bad port raises
    except ValueError:
        complete = False
    if not complete:
        raise InvalidParameter(
            f"{text!r} names no server; right would be http://127.0.0.1:8888/mltrack."
        )
    return text.rstrip("/")


def _file(text: str) -> Path:
    machine, path = file_uri_path(text)
    if machine not in ("", "localhost"):
        raise InvalidParameter(
            f"{text!r} names the machine {machine!r}; right would be file:///folder with three slashes."
        )
    return Path(path)


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))


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
    if full.startswith(("http://", "https://")):
        from mltrack_jupyter.store.remote import open_remote

        return _finding(open_remote(full))
    from mltrack_jupyter.store.artifacts import Locations
    from mltrack_jupyter.store.sql import open_sql

    told = config.setting("MLTRACK_TRACKING_URI")
    if told and normalise_uri(told) == full:
        artifact_root = artifact_root or config.setting("MLTRACK_ARTIFACTS_DESTINATION") or None
        default_artifact_root = default_artifact_root or config.setting(
            "MLTRACK_DEFAULT_ARTIFACT_ROOT"
        )
    file = _database_file(full)
    locations = Locations(
        artifact_root or artifacts_of(full),
        local_paths=local_paths,
        default_root=default_artifact_root,
        base=config.moved_folder(file) if file else None,
    )
    return _finding(open_sql(full, locations, serve_artifacts=serve_artifacts))


def _finding(services: Services) -> Services:
    """Let whoever misses a run look into the journals that are not handed over yet."""
    from mltrack_jupyter.store.journal.finding import finding

    return finding(services)


def artifacts_of(uri: str) -> Path:
    """Return the folder in which a store in full (see :func:`normalise_uri`) keeps artifacts by default."""
    file = _database_file(uri)
    return (file.parent if file else config.default_store()) / config.ARTIFACTS


def _database_file(uri: str) -> Path | None:
    if uri.startswith("sqlite:///") and not uri.endswith(":memory:"):
        return Path(uri.removeprefix("sqlite:///"))
    return None
