"""Which store a URI names. It is taken apart here, once; everything else asks the value."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from mltrack_jupyter import config
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.plain import file_uri_path, path_text
from mltrack_jupyter.shown import shown_uri

MEMORY = ":memory:"
DATABASE_FILES = (".db", ".sqlite", ".sqlite3")
"""How the names of SQLite files end; any other path is a folder that has one in it."""
WEB = ("http", "https")
SERVERS = ("postgresql", "mysql", "mariadb")
"""The database servers."""
SQLITE = "sqlite"

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_HOST = re.compile(r"[A-Za-z0-9.-]+:\d{1,5}(?:/|\Z)")
_SLIP = re.compile(r"https?/+(?=[\w.-]+(?:[:/]|\Z))", re.IGNORECASE)
_QUERY = re.compile(r"\?(?:[A-Za-z_]\w*=[^/?]*)?\Z")
_TUNING = ("timeout", "check_same_thread", "isolation_level", "detect_types", "cached_statements")
"""What is for SQLite's driver, to which this package gives settings of its own."""


@dataclass(frozen=True, slots=True)
class StoreUri:
    """The URI of a store in full: of an SQLite file, of a database on a server, or of a tracking server.

    ``text`` may have a password in it, which ``shown`` and the repr have not. How a database server is reached is
    for SQLAlchemy to read from ``text``.
    """

    text: str = field(repr=False)
    kind: str
    """``http`` and ``https``, ``sqlite``, or the kind of a database server."""
    path: str = ""
    """The path of an SQLite file as it is, or ``:memory:``; ``""`` for what is no such file."""

    @classmethod
    @lru_cache(maxsize=256)
    def of(cls, text: str) -> StoreUri:
        """Return the value of a URI that is in full already. It costs a look into a dictionary, and never raises."""
        kind = kind_of(text)
        return cls(text, kind, text.partition(":///")[2] if kind == SQLITE else "")

    @classmethod
    def of_file(cls, path: str | os.PathLike[str]) -> StoreUri:
        """Return the URI of an SQLite file, whose path is taken as it is."""
        return cls.of(f"{SQLITE}:///{os.fspath(path)}")

    @classmethod
    def named(cls, uri: str | os.PathLike[str]) -> StoreUri:
        """Return the store that a user names by a path or a URI. Raises ``InvalidParameter``."""
        text = path_text(uri, "The tracking URI").strip()
        kind = kind_of(text)
        if kind in WEB:
            return cls.of(_server(text))
        if is_slip(text):
            raise InvalidParameter(
                f"{text!r} names no server; right would be {_SLIP.sub('http://', text)}."
            )
        if not kind and _HOST.match(text):  # an address in digits, which begins as no scheme does
            raise InvalidParameter(f"{text!r} is no folder. A server is named by http://{text}.")
        if kind in ("", "file"):
            return cls.of_file(_database_at(_file(text) if kind else Path(text).expanduser(), text))
        if kind == SQLITE:
            return cls.of_file(_sqlite_path(text))
        if kind in SERVERS:
            return cls.of(text)
        raise _unknown(text)

    @property
    def is_server(self) -> bool:
        """Whether a tracking server answers for the store."""
        return self.kind in WEB

    @property
    def file(self) -> Path | None:
        """The database file of a store on this machine."""
        return Path(self.path) if self.path and self.path != MEMORY else None

    @property
    def shown(self) -> str:
        """The URI as people are shown it: without its password."""
        return shown_uri(self.text)

    @property
    def place(self) -> str:
        """Where the store is, for people to read: the path of a file, or the URI."""
        return self.shown.removeprefix(f"{SQLITE}:///")


def scheme_of(uri: str) -> str:
    """Return the scheme of a URI in lower case; ``""`` for a path (also one with a drive letter)."""
    match = _SCHEME.match(uri.strip())
    return match[1].lower() if match else ""


def kind_of(uri: str) -> str:
    """Return the kind of store that a URI names: its scheme, that of a database without the driver."""
    scheme = scheme_of(uri)
    if "+" not in scheme:
        return scheme
    kind = scheme.partition("+")[0]
    return kind if kind in SERVERS or scheme == "sqlite+pysqlite" else scheme


def is_slip(text: str) -> bool:
    """Tell whether a text is the address of a web server in which the colon is missing."""
    return bool(_SLIP.match(text))


def sqlite_name(text: str) -> str:
    """Return the name of the file in an SQLite URL as it is written there. Raises ``InvalidParameter``.

    Only a query at its end is none of it.
    """
    name = text.partition(":///")[2]
    found = _QUERY.search(name)
    if found:
        name = name[: found.start()]
        _check_query(text, found[0][1:])
    if not name:
        raise InvalidParameter(
            f"{text!r} names no file; right would be sqlite:///folder/mltrack.db."
        )
    return name


def _sqlite_path(text: str) -> str:
    """Return the absolute path in an SQLite URL, which must not be one that could mean two files."""
    name = sqlite_name(text)
    if name == MEMORY:
        return MEMORY
    if name.startswith("file:"):
        raise InvalidParameter(
            f"{text!r} has a URI in it; right would be the path alone, as in sqlite:///folder/mltrack.db."
        )
    path = Path(os.path.abspath(Path(name)))
    decoded = Path(unquote(str(path)))
    if decoded != path and decoded.exists() and not path.exists():
        raise InvalidParameter(
            f"{text!r}: there is no file of this name, but one that is called {decoded.name!r}. The name is not "
            f"percent-encoded; right would be sqlite:///{decoded}."
        )
    return str(path)


def _check_query(text: str, query: str) -> None:
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name == "timeout" and not re.fullmatch(r"\d+(\.\d+)?", value):
            raise InvalidParameter(f"{text!r}: timeout={value!r} is no number of seconds.")
        if name not in _TUNING and (name, value) != ("mode", "rwc"):
            raise InvalidParameter(
                f"{text!r}: the query of an SQLite URL may have {', '.join(_TUNING)}, which change nothing, but "
                f"not {name}={value}. A store whose file and folder cannot be written is read only."
            )


def _database_at(path: Path, text: str) -> str:
    """Return the database file that a path names: itself, or the one in its folder."""
    if not text:
        path = config.default_store()
    return os.path.abspath(path if path.suffix in DATABASE_FILES else path / config.DATABASE)


def _file(text: str) -> Path:
    machine, path = file_uri_path(text)
    if machine not in ("", "localhost"):
        raise InvalidParameter(
            f"{text!r} names the machine {machine!r}; right would be file:///folder with three slashes."
        )
    return Path(path)


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


def _unknown(text: str) -> InvalidParameter:
    """Return an error that says what was probably meant by a scheme that is not known."""
    from mltrack_jupyter.suggestions import did_you_mean

    scheme = scheme_of(text)
    hint = did_you_mean(scheme, (*WEB, SQLITE, *SERVERS, "file"))
    meant = f" {hint[:1].upper()}{hint[1:]}" if hint else ""
    if scheme.startswith("databricks"):
        meant = " Databricks is not supported."
    elif _HOST.match(text):
        meant = f" A server is named by http://{text}."
    return InvalidParameter(
        f"The tracking URI {shown_uri(text)!r} has the unknown scheme {scheme!r}.{meant} Right "
        "would be a folder, a file ending in .db, sqlite:///…, postgresql://…, mysql+pymysql://…, or http(s)://… of a "
        "server."
    )
