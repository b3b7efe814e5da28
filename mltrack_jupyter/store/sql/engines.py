"""An engine for each kind of database, and what its connections are told when they begin."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy import exc as sa_exc
from sqlalchemy.engine import make_url

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store.uri import SQLITE, StoreUri

BUSY_SECONDS = 15
"""How long anybody waits for a lock, in all: for the other threads, for a turn, and for the database itself."""
_BUSY = "PRAGMA busy_timeout={}"
_SILENT_SECONDS = 30
_CONNECT_SECONDS = 10
_DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
}
_SECRETS = ("password", "passwd", "sslpassword", "ssl_key_password")
"""What may be in the query of a database URL and is shown to nobody."""
_EXTRAS = {"postgresql": "postgresql", "mysql": "mysql"}


def make_engine(url: str, synchronous: str) -> Engine:
    """Return the engine of a database URL. Raises ``InvalidParameter``."""
    store = StoreUri.of(url)
    try:
        parsed = _parse_url(store)
        if store.kind == SQLITE:
            return _sqlite(parsed, synchronous)
        return _server(parsed)
    except (sa_exc.ArgumentError, sa_exc.NoSuchModuleError, ValueError) as error:
        why = f" ({error})" if isinstance(error, sa_exc.SQLAlchemyError) else ""
        raise InvalidParameter(
            f"{store.shown!r} is no database URL that can be opened{why}; right would be, for example, "
            "sqlite:///path/to/mltrack.db or postgresql://user@host/name. Special characters of a password are "
            "written as in any URL: %40 for @, %2F for /."
        ) from None  # the cause repeats parts of the password
    except ImportError as error:
        kind = parsed.get_backend_name()
        package = (
            f"'mltrack-jupyter[{_EXTRAS[kind]}]'"
            if parsed.drivername == _DRIVERS.get(kind)
            else str(error.name)
        )
        raise InvalidParameter(
            f"{parsed.drivername} needs the package {error.name!r}: pip install {package}."
        ) from error


def _parse_url(store: StoreUri) -> URL:
    if store.path:  # literally: a folder may have "?" in its name
        return URL.create(SQLITE, database=store.path)
    parsed = make_url(store.text)
    if re.search(r"[@\s]", parsed.host or ""):  # the end of a password
        raise ValueError("bad host")
    kind, _, driver = parsed.drivername.partition("+")
    if not driver:  # SQLAlchemy's own choices are the drivers of ten years ago
        return parsed.set(drivername=_DRIVERS.get(kind, kind))
    # One dialect for both: SQLAlchemy asks the server which of the two it is.
    return parsed.set(drivername=f"mysql+{driver}") if kind == "mariadb" else parsed


def _sqlite(url: URL, synchronous: str) -> Engine:
    engine = create_engine(
        url, connect_args={"timeout": BUSY_SECONDS}, **_pool_timeout(url.database or "")
    )
    event.listen(engine, "connect", _configure_sqlite(synchronous))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _pool_timeout(path: str) -> dict[str, Any]:
    # What lives in memory has one connection a thread, and nobody waits for one.
    return {} if path in ("", ":memory:") else {"pool_timeout": BUSY_SECONDS}


@contextmanager
def waiting(connection: Connection, until: float) -> Iterator[None]:
    """Leave SQLite only what is left of the time: writers that take no turns may hold its lock, too."""
    raw = connection.connection.driver_connection
    left = until - time.monotonic()
    if raw is None or left > BUSY_SECONDS - 1:  # nobody waited to speak of
        yield
        return
    try:
        raw.execute(_BUSY.format(max(0, int(left * 1000))))
        yield
    finally:
        raw.execute(_BUSY.format(BUSY_SECONDS * 1000))


def _configure_sqlite(synchronous: str) -> Any:
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, see _begin_sqlite
        cursor = connection.cursor()
        cursor.execute(_BUSY.format(BUSY_SECONDS * 1000))
        for pragma in (
            f"synchronous={synchronous}",
            "foreign_keys=ON",
            "case_sensitive_like=ON",  # MLflow's LIKE tells upper from lower case
            "temp_store=MEMORY",
            # In KiB: the pages that a search among 100,000 runs walks. The usual 2 MB are too few for it.
            "cache_size=-16000",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return configure


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that turns into a writer ignores the busy timeout; so writers say so first.
    mode = "BEGIN IMMEDIATE" if connection.info.get("write") else "BEGIN"
    connection.exec_driver_sql(mode)


def _server(url: URL) -> Engine:
    # So that the text of the URL, which drivers and SQLAlchemy may show, has no secret in it.
    secret = {name: url.query[name] for name in _SECRETS if name in url.query}
    url = url.difference_update_query(secret)
    first = secret.pop("passwd", None)
    if isinstance(password := secret.pop("password", first), str):
        url = url.set(password=password)
    arguments: dict[str, Any] = dict(secret)
    if "connect_timeout" not in url.query:
        arguments["connect_timeout"] = _CONNECT_SECONDS
    kind = url.get_backend_name()
    if kind == "mysql":
        # SQLAlchemy asks for the rows that were found; we count those that were written.
        arguments["client_flag"] = 0
    elif kind == "postgresql":
        # A machine that is gone without a word is noticed in this time, and not after a quarter of an hour.
        settings = {"tcp_user_timeout": _SILENT_SECONDS * 1000, "keepalives_idle": _SILENT_SECONDS}
        arguments |= {name: value for name, value in settings.items() if name not in url.query}
    engine = create_engine(
        url,
        connect_args=arguments,
        pool_pre_ping=True,
        pool_recycle=3600,
        pool_timeout=BUSY_SECONDS,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _configure_mysql if kind == "mysql" else _configure_postgresql)
    event.listen(engine, "begin", _begin_on_server)
    return engine


def _configure_postgresql(connection: Any, _record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{BUSY_SECONDS}s'")
        cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED")
    connection.commit()  # a setting of a transaction that is rolled back is rolled back too


def _configure_mysql(connection: Any, _record: Any) -> None:
    with connection.cursor() as cursor:
        # The experiment "Default" has the number 0, which MySQL otherwise takes for "the next one".
        cursor.execute("SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO'")
        cursor.execute(f"SET SESSION innodb_lock_wait_timeout = {BUSY_SECONDS}")
        # Writers lock rows by name and then read what is newest; gaps need no locks.
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
    connection.commit()


def _begin_on_server(connection: Connection) -> None:
    if not connection.info.get("write"):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
