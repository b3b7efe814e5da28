"""The one place where a database's errors become ours. No SQL text leaves the store."""

from __future__ import annotations

import os
import re
from pathlib import Path

from sqlalchemy import exc as sa_exc

from mltrack_jupyter.errors import (
    BadRequest,
    InvalidParameter,
    MltrackError,
    StoreUnreadable,
    StoreUnwritable,
    Unavailable,
)
from mltrack_jupyter.store.sql.dialects import BUSY_SECONDS
from mltrack_jupyter.store.sql.lock_holders import locked

# Deadlocks and failed serialisations: the database took the transaction back, to be done once more.
_CONFLICTS = {"40001", "40P01", 1213, 1205, 1020}
_LOCKED = {"55P03", 1205}
_FULL = {"53100", 1021, 1114}
_REFUSED = {"28P01", "28000", 1044, 1045, 1698}
_NO_DATABASE = {"3D000", 1049}
_NOT_ALLOWED = {"42501", 1142, 1227}
_READ_ONLY = {"25006", 1290, 1792, 1836}
_REFUSALS = {
    re.compile("password authentication failed"): "28P01",
    re.compile('database ".*" does not exist'): "3D000",
}
_NO_TABLE, _TOO_COMPLEX = "no such table", "too complex"


def is_conflict(error: BaseException | None) -> bool:
    """Tell whether another writer came in between, so that a second try may succeed.

    A row that contradicts another is one, too: of two who look for a name and then write it, the second
    finds on the second try what the first wrote.
    """
    if not isinstance(error, sa_exc.DBAPIError):
        return False
    return isinstance(error, sa_exc.IntegrityError) or _code(error) in _CONFLICTS


def translate(error: sa_exc.DBAPIError, place: str, *, is_file: bool = True) -> MltrackError:
    """Return our error for one of the database's."""
    found = _of_file(error, place) if is_file else _of_server(error, place)
    if found is not None:
        return found
    reason = _reason(error)
    if isinstance(error, sa_exc.IntegrityError):
        return BadRequest(f"This contradicts what is stored: {reason}")
    if isinstance(error, sa_exc.DataError):
        return InvalidParameter(f"The database refuses the value: {reason}")
    return Unavailable(f"The database cannot answer: {reason}")


def _of_file(error: sa_exc.DBAPIError, path: str) -> MltrackError | None:
    kind, reason = _sqlite_kind(error), _reason(error)
    place = path or "the database"
    if kind in ("NOTADB", "CORRUPT", _NO_TABLE):
        return StoreUnreadable(
            f"{place} is not a readable store ({reason}). Restore it from a backup, "
            "or choose another place with set_tracking_uri(...)."
        )
    if kind == "FULL":
        return StoreUnwritable(f"The disk is full: {place} cannot grow. Nothing was half-written.")
    if kind == "IOERR":
        return StoreUnwritable(
            f"{place} cannot be written: the disk is full, over its quota, or damaged ({reason}). Nothing "
            "was half-written."
        )
    if kind == "READONLY":
        return StoreUnwritable(f"{place} cannot be written: the file or its folder is read-only.")
    if kind == "CANTOPEN":
        if Path(path).is_file() and not os.access(path, os.R_OK):
            return StoreUnwritable(
                f"{place} cannot be opened: you may not read this file. Is it another user's?"
            )
        return StoreUnwritable(
            f"{place} cannot be opened; its folder must exist and be writable for you."
        )
    if kind == _TOO_COMPLEX:
        return InvalidParameter("A pattern after LIKE is too long for the database.")
    if kind in ("BUSY", "LOCKED"):
        return locked(path)
    return None


def _sqlite_kind(error: sa_exc.DBAPIError) -> str:
    """Return the kind of an error of SQLite: ``IOERR`` for ``SQLITE_IOERR_WRITE``, for example.

    What SQLite knows no kind for is all ``SQLITE_ERROR``; two of those are told by their text.
    """
    name: str = getattr(error.orig, "sqlite_errorname", "")
    kind = name.removeprefix("SQLITE_").partition("_")[0]
    texts = (_NO_TABLE, _TOO_COMPLEX) if kind == "ERROR" else ()
    return next((text for text in texts if text in str(error.orig)), kind)


def _of_server(error: sa_exc.DBAPIError, place: str) -> MltrackError | None:
    code, reason = _code(error), _reason(error)
    if code is None:  # psycopg has no SQLSTATE for a connection that the server refuses
        code = next((state for said, state in _REFUSALS.items() if said.search(reason)), None)
    if code in _REFUSED:
        return Unavailable(
            f"The database {place} refuses the user or the password of the tracking URI ({reason})."
        )
    if code in _NO_DATABASE:
        return Unavailable(
            f"The server has no database {place}; create it (CREATE DATABASE ...), empty, and mltrack "
            "makes its tables."
        )
    if code in _LOCKED:
        return Unavailable(f"{place} was locked by another process for {BUSY_SECONDS} s.")
    if code in _FULL:
        return StoreUnwritable(f"The disk is full: {place} cannot grow. Nothing was half-written.")
    if code in _NOT_ALLOWED or code in _READ_ONLY:
        return StoreUnwritable(f"{place} cannot be written by this user ({reason}).")
    if code in _CONFLICTS:
        return Unavailable(f"{place} is busy: other writers came in between ({reason}).")
    if isinstance(error, sa_exc.OperationalError | sa_exc.InterfaceError):
        return Unavailable(
            f"The database {place} does not answer ({reason}). Is it running, and reachable from here?"
        )
    return None


def _code(error: sa_exc.DBAPIError) -> str | int | None:
    """Return the number of MySQL, the SQLSTATE of PostgreSQL; ``None`` if there is none."""
    first = error.orig.args[0] if error.orig is not None and error.orig.args else None
    if isinstance(first, int):  # says more than MySQL's SQLSTATE, which newer drivers have too
        return first
    state: str | None = getattr(error.orig, "sqlstate", None)
    return state


def _reason(error: sa_exc.DBAPIError) -> str:
    """Return what the database says: the first line, for the others may quote the statement."""
    arguments = error.orig.args if error.orig is not None else ()
    if len(arguments) == 2 and isinstance(arguments[0], int):
        return f"{arguments[1]} [{arguments[0]}]"
    return str(error.orig).strip().partition("\n")[0]
