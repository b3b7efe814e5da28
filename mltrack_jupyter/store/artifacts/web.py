"""Files at a web server that takes PUT and DELETE, such as a raw repository of Nexus or Artifactory.

Only whoever runs a store may name one, as its root: no address that a caller chose is ever called.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from urllib.parse import quote, urlsplit

from mltrack_jupyter.entities import FileInfo
from mltrack_jupyter.errors import (
    InvalidParameter,
    NotFound,
    NotImplementedHere,
    PermissionDenied,
    StoreUnwritable,
    Unavailable,
)
from mltrack_jupyter.services import Download, Written
from mltrack_jupyter.shown import hide_password
from mltrack_jupyter.store.artifacts.paths import check_path
from mltrack_jupyter.store.artifacts.streams import CHUNK, HashedReader
from mltrack_jupyter.store.uri import scheme_of

if TYPE_CHECKING:
    import httpx

_SPOOL = 8 * 1024 * 1024


class WebFiles:
    """Artifacts below an address; a user and a password may stand in it. There are no listings."""

    def __init__(self, uri: str) -> None:
        parts = urlsplit(uri)
        if not parts.hostname or parts.query or parts.fragment:
            raise InvalidParameter(
                f"Invalid artifact location {hide_password(uri)!r}: http(s)://<host>/<folder> is expected."
            )
        self.uri = uri.rstrip("/")

    def list(self, path: str = "") -> list[FileInfo]:
        """Raise ``NotImplementedHere``: the web has no listings."""
        check_path(path, empty=True)
        raise NotImplementedHere(
            "The artifacts of this store are at a web server, which has no listings; ask for a file by its "
            "path."
        )

    def open(self, path: str) -> Download:
        """Fetch a file. Raises ``NotFound``."""
        address = self._address(path)
        with self._client("read") as client, client.stream("GET", address) as answer:
            self._check(answer, path, "read")
            spool = cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=_SPOOL))  # noqa: SIM115
            for chunk in answer.iter_bytes(CHUNK):
                spool.write(chunk)
            size = spool.tell()
            spool.seek(0)
            name = path.rpartition("/")[2]
            return Download(spool, name, size, _modified(answer.headers.get("Last-Modified", "")))

    def write(self, path: str, body: BinaryIO) -> Written:
        """Send a file; that it appears whole is the server's to see to."""
        hashed = HashedReader(body)
        here = body.tell()
        length = body.seek(0, os.SEEK_END) - here
        body.seek(here)
        address = self._address(path)
        with self._client("written") as client:
            answer = client.put(
                address,
                content=_chunks(hashed),
                headers={"Content-Length": str(length)},
            )
        self._check(answer, path, "written")
        return Written(hashed.size, hashed.sha256, self.stamp(path))

    def delete(self, path: str) -> None:
        """Delete a file, or whatever the server takes the path for; an absent one is no error."""
        address = self._address(path)
        with self._client("deleted") as client:
            answer = client.delete(address)
        if answer.status_code not in (404, 410):
            self._check(answer, path, "deleted")

    # --- for the store that keeps them --------------------------------------------------------------

    def stamp(self, path: str) -> str:
        """Return the mark of the last writing of a file, ``""`` if it is gone or the server has none."""
        address = self._address(path)
        with self._client("read") as client:
            answer = client.head(address)
        if not answer.is_success:
            return ""
        known = ("ETag", "Last-Modified", "Content-Length")
        return "-".join(answer.headers.get(name, "") for name in known)

    def walk(self, path: str = "") -> Mapping[str, int]:
        """Return the path alone: what is below it nobody can tell."""
        return {path: 0} if path else {}

    def remove(self) -> Mapping[str, int]:
        """Delete nothing: what is below the root nobody can tell."""
        return {}

    def _address(self, path: str) -> str:
        return f"{self.uri}/{quote(check_path(path))}"

    @contextmanager
    def _client(self, done: str) -> Iterator[httpx.Client]:
        import httpx

        settings: dict[str, Any] = {"timeout": httpx.Timeout(120.0, connect=10.0)}
        # Certificates take longer to read than a request to be answered.
        secure = scheme_of(self.uri) == "https"
        settings["verify"] = _certificates() if secure else False
        try:
            # No redirects: whoever answers must not choose whom this store calls.
            with httpx.Client(follow_redirects=False, **settings) as client:
                yield client
        except httpx.RequestError as error:
            kind = Unavailable if done == "read" else StoreUnwritable
            raise kind(
                f"The artifact cannot be {done}: {hide_password(self.uri)} does not answer ({error})."
            ) from error

    def _check(self, answer: httpx.Response, path: str, done: str) -> None:
        status = answer.status_code
        if 200 <= status < 300:
            return
        if status in (404, 410) and done == "read":
            raise NotFound(f"There is no artifact {path!r}.")
        reason = (
            f"{path!r} cannot be {done}: the server at {hide_password(self.uri)} answers {status}."
        )
        if status in (401, 403):
            raise PermissionDenied(f"{reason} Check the user and password in the address.")
        raise (Unavailable if done == "read" else StoreUnwritable)(reason)


@cache
def _certificates() -> ssl.SSLContext:
    import httpx

    return httpx.create_ssl_context()


def _chunks(body: HashedReader) -> Iterator[bytes]:
    while chunk := body.read(CHUNK):
        yield chunk


def _modified(text: str) -> int:
    try:
        return int(parsedate_to_datetime(text).timestamp()) * 1_000_000_000
    except (TypeError, ValueError, IndexError):
        return 0
