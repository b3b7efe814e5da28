"""The one seam between a client and the wire: a request goes in, an answer comes out."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from mltrack_jupyter.config import setting
from mltrack_jupyter.errors import MltrackError, ServerUnreachable, Unauthenticated
from mltrack_jupyter.services import Services
from mltrack_jupyter.services.codec import WireRequest, digest_of, encode_error
from mltrack_jupyter.services.dispatch import answer, find

if TYPE_CHECKING:
    import httpx

_CHUNK = 1024 * 1024
_SPOOL = 8 * 1024 * 1024


@dataclass(frozen=True)
class WireAnswer:
    """Status and body; a file's body is an open file, positioned at its beginning."""

    status: int
    body: bytes = b""
    file: BinaryIO | None = None
    name: str = ""
    sha256: str = ""


class Transport(Protocol):
    """Anything that can answer a request."""

    def send(
        self, request: WireRequest, *, upload: BinaryIO | None, download: bool, retry: bool
    ) -> WireAnswer:
        """Answer a request; raise only where no answer came (``ServerUnreachable``)."""
        ...

    def close(self) -> None:
        """Give back connections."""
        ...


class LocalTransport:
    """Answers from services in this process: the whole wire without a socket."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def send(
        self,
        request: WireRequest,
        *,
        upload: BinaryIO | None,
        download: bool,  # noqa: ARG002 - a file is handed over open in any case
        retry: bool,  # noqa: ARG002 - and no answer is ever lost
    ) -> WireAnswer:
        """Answer a request as a server does."""
        query = parse_qs(urlencode(request.query), keep_blank_values=True)
        try:
            route, params = find(request.method, unquote(request.path))
        except MltrackError as error:
            return WireAnswer(error.status, encode_error(error))
        found = answer(route, self._services, params, query, upload or request.body)
        if found.download is not None:
            sent = found.download
            return WireAnswer(200, file=sent.file, name=sent.name, sha256=sent.sha256)
        return WireAnswer(found.status, found.body)

    def close(self) -> None:
        """Do nothing: the services belong to their owner."""


class HttpTransport:
    """Answers from a server, over connections that are kept."""

    def __init__(self, url: str) -> None:
        import httpx

        self._url = url.rstrip("/")
        self._client = httpx.Client(
            timeout=httpx.Timeout(120.0, connect=10.0),
            headers=_credentials(),
            auth=_basic(),
            follow_redirects=False,
            transport=httpx.HTTPTransport(retries=2),
        )

    def send(
        self, request: WireRequest, *, upload: BinaryIO | None, download: bool, retry: bool
    ) -> WireAnswer:
        """Send a request. What may be sent twice is sent again once if the answer was lost."""
        import httpx

        attempts = 2 if retry and upload is None else 1
        while True:
            attempts -= 1
            try:
                return self._send_once(request, upload, download)
            except httpx.RequestError as error:
                if attempts == 0:
                    raise ServerUnreachable(
                        f"No tracking server answers at {_shown(self._url)} ({error}). Is it running? "
                        "set_tracking_uri(...) or MLTRACK_TRACKING_URI choose another store."
                    ) from error

    def _send_once(
        self, request: WireRequest, upload: BinaryIO | None, download: bool
    ) -> WireAnswer:
        import httpx

        content: bytes | Iterator[bytes] | None = request.body or None
        headers = {"Content-Type": "application/json"} if content else {}
        if upload is not None:
            content = _chunks(upload)
            headers = {"Content-Length": str(_remaining(upload))}
        with self._client.stream(
            request.method,
            self._url + request.path,
            params=httpx.QueryParams(tuple(request.query)) if request.query else None,
            content=content,
            headers=headers,
        ) as response:
            return _read(response, download)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _credentials() -> dict[str, str]:
    token = setting("MLTRACK_TRACKING_TOKEN", "MLFLOW_TRACKING_TOKEN")
    return {"Authorization": f"Bearer {token}"} if token else {}


def _basic() -> tuple[str, str] | None:
    user, password = setting("MLFLOW_TRACKING_USERNAME"), setting("MLFLOW_TRACKING_PASSWORD")
    return (user, password) if user and password else None


def _shown(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}{parts.path}"  # without a password that may be in it


def _remaining(file: BinaryIO) -> int:
    here = file.tell()
    end = file.seek(0, io.SEEK_END)
    file.seek(here)
    return end - here


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


def _read(response: httpx.Response, download: bool) -> WireAnswer:
    if response.is_redirect or response.status_code in (401, 403):
        response.read()
        raise Unauthenticated(
            f"The server at {_shown(str(response.url))} refused the credentials (status "
            f"{response.status_code}): set MLTRACK_TRACKING_TOKEN (or MLFLOW_TRACKING_TOKEN) to the token "
            "of the Jupyter server."
        )
    if not download or response.status_code != 200:
        return WireAnswer(response.status_code, response.read())
    spool = cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=_SPOOL))  # noqa: SIM115
    for chunk in response.iter_bytes(_CHUNK):
        spool.write(chunk)
    spool.seek(0)
    return WireAnswer(200, file=spool, sha256=digest_of(response.headers.get("Repr-Digest", "")))
