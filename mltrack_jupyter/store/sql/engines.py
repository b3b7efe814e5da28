"""From the URL of a database to an engine."""

from __future__ import annotations

import re

from sqlalchemy import URL, Engine
from sqlalchemy import exc as sa_exc
from sqlalchemy.engine import make_url

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store.sql.dialects import DIALECTS
from mltrack_jupyter.store.uri import SQLITE, StoreUri


def make_engine(url: str, synchronous: str) -> Engine:
    """Return the engine of a database URL. Raises ``InvalidParameter``."""
    store = StoreUri.of(url)
    try:
        parsed = _parse_url(store)
        dialect = DIALECTS[parsed.get_backend_name()]
        return dialect.engine(parsed, synchronous)
    except (sa_exc.ArgumentError, KeyError, ValueError) as error:
        why = f" ({error})" if isinstance(error, sa_exc.SQLAlchemyError) else ""
        raise InvalidParameter(
            f"{store.shown!r} is no database URL that can be opened{why}; right would be, for example, "
            "sqlite:///path/to/mltrack.db or postgresql://user@host/name. Special characters of a password are "
            "written as in any URL: %40 for @, %2F for /."
        ) from None  # the cause repeats parts of the password
    except ImportError as error:
        is_usual = parsed.drivername == f"{dialect.name}+{dialect.driver}"
        package = f"'mltrack-jupyter[{dialect.extra}]'" if is_usual else str(error.name)
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
    kind = "mysql" if kind == "mariadb" else kind
    return parsed.set(drivername=f"{kind}+{driver or DIALECTS[kind].driver}")
