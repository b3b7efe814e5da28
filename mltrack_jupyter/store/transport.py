"""The one seam between a client and the wire: a request goes in, an answer comes out."""

from __future__ import annotations

import io
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from mltrack_jupyter.config import setting
from mltrack_jupyter.errors import (
    MltrackError,
    PermissionDenied,
    ServerUnreachable,
    Unauthenticated,
)
from mltrack_jupyter.services import Services
from mltrack_jupyter.services.codec import WireRequest, digest_of
from mltrack_jupyter.services.dispatch import ACCEPTS_KEYS, KEY_HEADER, answer, find, refused
from mltrack_jupyter.store.progress import progress
from mltrack_jupyter.store.tls import hint, tls_context

if TYPE_CHECKING:
    import httpx

_CHUNK = 1024 * 1024
_SPOOL = 8 * 1024 * 1024
_CONNECT_S = 10.0


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
            found = answer(route, self._services, params, query, upload or request.body)
        except MltrackError as error:
            found = refused(error)
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
        self._knows_keys: bool | None = None
        self._client = httpx.Client(
            timeout=_timeout(),
            headers=_credentials(),
            auth=_basic(),
            verify=tls_context(),
            follow_redirects=False,  # credentials are for the server that was named
        )

    def send(
        self, request: WireRequest, *, upload: BinaryIO | None, download: bool, retry: bool
    ) -> WireAnswer:
        """Send a request, and once more where that is safe and may help (see ``patience``)."""
        import httpx

        from mltrack_jupyter.store.patience import Patience

        patience = Patience()
        start = upload.tell() if upload is not None and upload.seekable() else -1
        whole = upload is None or start >= 0  # what was read of a stream cannot be sent again
        key = {} if retry else {KEY_HEADER: uuid.uuid4().hex}
        while True:
            if upload is not None and start >= 0:
                upload.seek(start)
            try:
                answer, headers = self._send_once(request, upload, download, key)
            except httpx.RequestError as error:
                repeatable = whole and (retry or self._keys_are_known())
                if not (whole and patience.after_error(error, repeatable=repeatable)):
                    raise self._unreachable(error) from error
                continue
            repeatable = whole and (retry or bool(self._knows_keys))
            again = patience.after_answer(answer.status, headers, repeatable=repeatable)
            if not (whole and again):
                return answer

    def _unreachable(self, error: httpx.RequestError) -> ServerUnreachable:
        from mltrack_jupyter.store.patience import certainly_not_done

        place = _shown(self._url)
        if told := hint(error):
            return ServerUnreachable(f"No connection to the server at {place} ({error}).{told}")
        if not certainly_not_done(error):
            return ServerUnreachable(
                f"The answer of the tracking server at {place} was lost ({error}). It may or may not have "
                "done what it was asked."
            )
        return ServerUnreachable(
            f"No tracking server answers at {place} ({error}). Is it running? "
            "set_tracking_uri(...) or MLTRACK_TRACKING_URI choose another store."
        )

    def _keys_are_known(self) -> bool:
        """Tell whether the server does once what it is asked twice with one key."""
        import httpx

        if self._knows_keys is None:
            try:
                found = self._client.get(f"{self._url}/version", timeout=10.0)
            except httpx.RequestError:
                return False
            self._knows_keys = ACCEPTS_KEYS in found.headers
        return self._knows_keys

    def _send_once(
        self,
        request: WireRequest,
        upload: BinaryIO | None,
        download: bool,
        key: dict[str, str],
    ) -> tuple[WireAnswer, Mapping[str, str]]:
        import httpx

        content: bytes | Iterator[bytes] | None = request.body or None
        headers = {"Content-Type": "application/json"} if content else {}
        name = unquote(request.path).rsplit("/", 1)[-1]
        if upload is not None:
            size = _remaining(upload)
            content = _chunks(upload, name, size)
            headers = {"Content-Length": str(size)}
        if download:  # so that the length that is announced is that of the file
            headers["Accept-Encoding"] = "identity"
        with self._client.stream(
            request.method,
            self._url + request.path,
            params=httpx.QueryParams(tuple(request.query)) if request.query else None,
            content=content,
            headers=headers | key,
            timeout=_timeout(),
        ) as response:
            answer = _read(response, download, name)
            if self._knows_keys is None and response.status_code == 200:
                self._knows_keys = ACCEPTS_KEYS in response.headers
            return answer, response.headers

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _timeout() -> httpx.Timeout:
    """Return how long a server may be silent that is asked now."""
    import httpx

    from mltrack_jupyter.store.patience import timeout_s

    seconds = timeout_s()
    return httpx.Timeout(seconds, connect=min(seconds, _CONNECT_S))


def _credentials() -> dict[str, str]:
    token = setting("MLTRACK_TRACKING_TOKEN", "MLFLOW_TRACKING_TOKEN")
    return {"Authorization": f"Bearer {token}"} if token else {}


def _basic() -> tuple[str, str] | None:
    user, password = setting("MLFLOW_TRACKING_USERNAME"), setting("MLFLOW_TRACKING_PASSWORD")
    return (user, password) if user and password else None


def sign_in_settings() -> tuple[str, ...]:
    """Return the names of the settings with which this process signs in to a server; their values stay here."""
    if _credentials():
        return ("MLFLOW_TRACKING_TOKEN",)
    return ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD") if _basic() else ()


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


def _chunks(file: BinaryIO, name: str, size: int) -> Iterator[bytes]:
    with progress(f"Uploading {name}", size) as more:
        while chunk := file.read(_CHUNK):
            yield chunk
            more(len(chunk))


def _read(response: httpx.Response, download: bool, name: str) -> WireAnswer:
    if response.is_redirect or response.status_code in (401, 403):
        body = response.read()
        if _is_word(response, body):
            return WireAnswer(403, body)
        raise Unauthenticated(
            f"The server at {_shown(str(response.url))} refused the credentials (status "
            f"{response.status_code}): set MLTRACK_TRACKING_TOKEN (or MLFLOW_TRACKING_TOKEN) to its token. "
            "`mltrack server` prints its own when it starts; `jupyter server list` shows that of a Jupyter "
            "server."
        )
    if not download or response.status_code != 200:
        return WireAnswer(response.status_code, response.read())
    spool = cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=_SPOOL))  # noqa: SIM115
    try:
        _fetch(response, spool, name)
    except BaseException:
        spool.close()
        raise
    spool.seek(0)
    return WireAnswer(200, file=spool, sha256=digest_of(response.headers.get("Repr-Digest", "")))


def _is_word(response: httpx.Response, body: bytes) -> bool:
    """Tell whether a tracking server forbids what it was asked to somebody whom it knows.

    Whoever does not know them, or stands before the server, says how to be known, or has other words.
    """
    from mltrack_jupyter.services.error_codec import decode_error

    if response.status_code != 403 or "WWW-Authenticate" in response.headers:
        return False
    return type(decode_error(403, body)) is PermissionDenied and b'"error_code"' in body


def _fetch(response: httpx.Response, spool: BinaryIO, name: str) -> None:
    """Write a file that comes, and see that it came whole."""
    import httpx

    size = int(response.headers.get("Content-Length", 0))
    with progress(f"Downloading {name}", size) as more:
        for chunk in response.iter_bytes(_CHUNK):
            spool.write(chunk)
            more(len(chunk))
    if "Content-Length" in response.headers and spool.tell() != size:
        raise httpx.ReadError(f"{spool.tell()} of {size} bytes came", request=response.request)
