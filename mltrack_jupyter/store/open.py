"""From a tracking URI to services: a folder or file, a database, or a server."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mltrack_jupyter import config
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.services import Services
from mltrack_jupyter.store.rules import hide_password

_FILES = (".db", ".sqlite", ".sqlite3")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")


def normalise_uri(uri: str | os.PathLike[str]) -> str:
    """Return a tracking URI in full: ``http(s)://…`` or a database URL; paths become absolute.

    Raises ``InvalidParameter`` for a scheme that is not known.
    """
    text = os.fspath(uri).strip()
    match = _SCHEME.match(text)
    scheme = match[1].lower() if match else ""
    if scheme in ("http", "https"):
        return _server(text)
    if scheme in ("", "file"):
        path = _file(text) if scheme else Path(text).expanduser()
        if not text:
            path = config.default_store()
        file = path if path.suffix in _FILES else path / config.DATABASE
        return f"sqlite:///{_absolute(file)}"
    if scheme == "sqlite":
        name = text.partition(":///")[2]
        if not name:
            raise InvalidParameter(
                f"{text!r} names no file; right would be sqlite:///folder/mltrack.db."
            )
        return text if name == ":memory:" else f"sqlite:///{_absolute(Path(name))}"
    if scheme.split("+")[0] in ("postgresql", "mysql", "mariadb"):
        return text
    raise InvalidParameter(
        f"The tracking URI {hide_password(text)!r} has the unknown scheme {scheme!r}. Right would be a folder, a file "
        "ending in .db, sqlite:///…, postgresql://…, mysql+pymysql://…, or http(s)://… of a server."
    )


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
    parts = urlsplit(text)
    if parts.netloc not in ("", "localhost"):
        raise InvalidParameter(
            f"{text!r} names the machine {parts.netloc!r}; right would be file:///folder with three slashes."
        )
    return Path(unquote(parts.path))


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))


def open_store(
    uri: str | os.PathLike[str],
    *,
    artifact_root: str | os.PathLike[str] | None = None,
    local_paths: bool = True,
) -> Services:
    """Open a store.

    Parameters
    ----------
    uri
        A folder (``project/.mltrack``), a file ending in ``.db``, a SQLAlchemy URL, or ``http(s)://…``.
    artifact_root
        The folder of ``mlflow-artifacts:`` URIs; by default ``artifacts`` beside an SQLite file.
    local_paths
        Whether callers may name local folders for artifacts; a server opens its store without.

    Raises
    ------
    InvalidParameter, StoreUnreadable, StoreTooNew, StoreUnwritable
    """
    full = normalise_uri(uri)
    if full.startswith(("http://", "https://")):
        from mltrack_jupyter.store.remote import open_remote

        return open_remote(full)
    from mltrack_jupyter.store.sql import open_sql

    if artifact_root is not None:
        root = Path(artifact_root)
    elif full.startswith("sqlite:///") and not full.endswith(":memory:"):
        root = Path(full.removeprefix("sqlite:///")).parent / config.ARTIFACTS
    else:
        root = config.default_store() / config.ARTIFACTS
    return open_sql(full, _absolute(root), local_paths=local_paths)
