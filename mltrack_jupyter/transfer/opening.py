"""From what a user names to a source: a server, a store, a folder, a database, an export, a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mltrack_jupyter import config
from mltrack_jupyter.errors import InvalidParameter, NotFound, StoreUnreadable
from mltrack_jupyter.shown import hide_password
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.artifacts import local_path
from mltrack_jupyter.store.uri import (
    DATABASE_FILES,
    SERVERS,
    SQLITE,
    WEB,
    is_slip,
    kind_of,
    sqlite_name,
)
from mltrack_jupyter.transfer.archive_reading import ArchiveSource
from mltrack_jupyter.transfer.filestore import FileStoreSource
from mltrack_jupyter.transfer.lines import MANIFEST
from mltrack_jupyter.transfer.mlflow_database import MlflowDatabaseSource
from mltrack_jupyter.transfer.places import FolderReader, ZipReader
from mltrack_jupyter.transfer.snapshot_source import SnapshotSource
from mltrack_jupyter.transfer.snapshots import Snapshot
from mltrack_jupyter.transfer.source import Source
from mltrack_jupyter.transfer.store_source import StoreSource
from mltrack_jupyter.transfer.table import TableSource

_RIGHT = (
    "Right would be an mlruns folder, an MLflow or mltrack database (.db), an export (folder or .zip), "
    "a .csv file, or http(s)://… of a server."
)


def is_store(text: str) -> bool:
    """Tell whether a name is that of a store that can be written, not of an export."""
    path = Path(text)
    return (
        kind_of(text) in (*WEB, *SERVERS, SQLITE)
        or path.suffix in DATABASE_FILES
        or path.name == config.STORE_FOLDER
        or (path / config.DATABASE).exists()
    )


def open_source(
    text: str, *, artifacts: Path | Sequence[Path] | None = None, experiment: str = ""
) -> Source:
    """Open what a user names as a source; nothing is created and nothing in it is changed.

    Parameters
    ----------
    text
        A server, a store, an ``mlruns`` folder, an MLflow database, an export, or a ``.csv`` file.
    artifacts
        Folders from which the artifacts of a database are read, too, if they are not beside it. A path in
        somebody's database is a claim, not a permission.
    experiment
        The experiment of a CSV's rows that name none.

    Raises
    ------
    NotFound, InvalidParameter, StoreUnreadable
    """
    folders = [artifacts] if isinstance(artifacts, Path) else [*(artifacts or [])]
    kind = kind_of(text)
    if kind in WEB or is_slip(text):
        return StoreSource(open_store(text))
    if kind in SERVERS:
        return StoreSource(open_store(_with_tables(text), local_paths=False))
    if kind not in ("", "file", SQLITE) and "://" in text:
        raise InvalidParameter(
            f"{hide_password(text)!r} has the unknown scheme {text.partition(':')[0]!r}. {_RIGHT}"
        )
    path = Path(sqlite_name(text)) if kind == SQLITE else local_path(text)
    path = path.expanduser()
    if not path.exists():
        raise NotFound(f"There is no {path}.")
    if path.is_dir():
        return _folder(path, folders)
    if not path.is_file():
        raise InvalidParameter(f"{path} is a pipe, a socket or a device, and is not read. {_RIGHT}")
    if path.suffix == ".csv":
        return TableSource(path, experiment)
    if path.suffix == ".zip":
        return ArchiveSource(ZipReader(path))
    if path.suffix in DATABASE_FILES or kind == SQLITE:
        return _database(path, folders)
    raise _unknown(path)


def _folder(path: Path, artifacts: Sequence[Path]) -> Source:
    if (path / MANIFEST).exists() or (path / f".{MANIFEST}").exists():
        return ArchiveSource(FolderReader(path))
    for database in (path / config.DATABASE, path / config.STORE_FOLDER / config.DATABASE):
        if database.is_file():
            return _database(database, artifacts)
    for folder in (path, path / "mlruns"):
        if _is_filestore(folder):
            return FileStoreSource(folder)
    if (path / "mlflow.db").is_file():
        return _database(path / "mlflow.db", artifacts)
    raise _unknown(path)


def _is_filestore(folder: Path) -> bool:
    if not folder.is_dir():
        return False
    return any((child / "meta.yaml").exists() for child in folder.iterdir()) or any(
        folder.glob(".trash/*/meta.yaml")
    )


def _database(path: Path, artifacts: Sequence[Path]) -> Source:
    snapshot = Snapshot(path)
    opened: Source | None = None
    try:
        tables = snapshot.names("table")
        if "changes" in tables and "metric_keys" in tables:
            opened = SnapshotSource(snapshot, artifacts)
        elif {"experiments", "runs", "metrics"} <= tables:
            opened = MlflowDatabaseSource(snapshot, artifacts)
    finally:
        if opened is None:
            snapshot.close()
    if opened is None:
        raise _unknown(path)
    return opened


def _with_tables(uri: str) -> str:
    """Return the URI of a database server if it has our tables as they are now: none are made in a source."""
    from mltrack_jupyter.store.sql.database import Database
    from mltrack_jupyter.store.sql.schema import HEAD, VERSIONS, read_version

    database = Database(uri)
    try:
        found = read_version(database)
    except StoreUnreadable as error:
        raise InvalidParameter(
            f"{error} If it is MLflow's, start a server on it (mlflow server --backend-store-uri …) and "
            "import from http://…"
        ) from error
    finally:
        database.close()
    if not found:
        raise NotFound(f"{database.place} is an empty database: there is nothing to import.")
    if found in VERSIONS and found != HEAD:
        raise InvalidParameter(
            f"{database.place} has the schema {found!r} of an older version. Whoever it belongs to can bring it "
            f"to {HEAD!r} with mltrack db upgrade; reading does not change it."
        )
    return uri


def _unknown(path: Path) -> InvalidParameter:
    return InvalidParameter(f"{path} is nothing that can be imported. {_RIGHT}")
