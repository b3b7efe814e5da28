"""Bodies of requests: none is read before it is known who sends it and whether they may, and none is too large.

Who may not is answered at once. What they send nevertheless is thrown away for a moment, so that the answer
is not lost in a connection that breaks, and then the connection is closed.
"""

from __future__ import annotations

import asyncio
import io
import socket
import ssl
import tempfile
from typing import Any, BinaryIO, cast

from tornado.iostream import IOStream, StreamClosedError
from tornado.web import RequestHandler

from mltrack_jupyter.errors import MltrackError, RequestTooLarge, StoreUnwritable
from mltrack_jupyter.server.lanes import Lanes
from mltrack_jupyter.services.error_codec import encode_error

RETRY_S = "2"
"""After how many seconds somebody may ask again for whom there was no place, or no turn."""
_UNLIMITED = 1 << 60
_PIECE = 1024 * 1024
"""How much of a file is in memory before it goes to the disk, or while it comes from there."""
_THROWN_AWAY = 16 * 1024 * 1024
_SILENCE_S = 2.0
_LINGER_S = 10.0


class StreamedBody(RequestHandler):
    """Reads the body of a request piece by piece, up to a limit, into memory or onto the disk.

    Handlers are decorated with ``tornado.web.stream_request_body``. In ``prepare`` they either call
    :meth:`admit` or :meth:`refuse`; later, :attr:`kept` is the body in memory and :meth:`file` the one on disk.
    """

    kept: bytearray
    _limit: int | None = 0
    _to_disk = False
    _spool: BinaryIO | None = None
    _refused = False
    _thrown_away = 0
    _in_use = False

    async def prepare(self) -> None:
        """Prepare as the handler does that this is a part of."""
        if (prepared := super().prepare()) is not None:
            await prepared

    @property
    def has_body(self) -> bool:
        """Whether the request says that a body follows."""
        headers = self.request.headers
        return headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in headers

    def admit(self, limit: int | None, *, to_disk: bool = False) -> None:
        """Read the body, of ``limit`` bytes at most. Raises ``RequestTooLarge`` if it says to have more."""
        self.kept = bytearray()
        self._limit, self._to_disk = limit, to_disk
        told = self.request.headers.get("Content-Length", "0")
        size = int(told[:18]) if told.isdecimal() else 0  # what is no number, Tornado refuses
        if limit is not None and (size > limit or (limit == 0 and self.has_body)):
            raise self._too_large(size)
        # Ours is the limit that counts: Jupyter's would end the connection without a word.
        cast(Any, self.request.connection).set_max_body_size(_UNLIMITED)

    def _too_large(self, size: int = 0) -> RequestTooLarge:
        told = f", {size:,} bytes," if size else ""
        return RequestTooLarge(
            f"The body of {self.request.method} {self.request.path[:200]}{told} is too large: it may have at most "
            f"{self._limit:,} bytes. Send it in parts; files go to mlflow-artifacts/artifacts/<path>."
        )

    async def refuse(self, error: MltrackError, status: int = 0) -> None:
        """Answer in :meth:`prepare`, before a body is read; the connection is of no use afterwards."""
        self.set_header("Connection", "close")
        self.answer_error(error, status)
        try:
            await self.flush()
        except StreamClosedError:
            pass
        self._log()
        await _throw_away(self.detach())

    def answer_error(self, error: MltrackError, status: int = 0) -> None:
        """Write an error in MLflow's format; ``status`` if it is another one than the error's."""
        body = encode_error(error)
        self.set_status(status or error.status)
        self.set_header("Content-Type", "application/json")
        self.set_header("Content-Length", str(len(body)))
        if self.get_status() == 503:
            self.set_header("Retry-After", RETRY_S)
        self.write(body)

    async def _refuse_late(self, error: MltrackError) -> None:
        """Answer while the body comes: it was longer than allowed, or there is no place for it."""
        self._refused = True
        self._drop()
        self.answer_error(error)
        try:
            await self.flush()
        except StreamClosedError:
            pass

    async def data_received(self, chunk: bytes) -> None:
        """Keep a piece of the body."""
        if self._refused:
            self._thrown_away += len(chunk)
            if self._thrown_away > _THROWN_AWAY:
                cast(Any, self.request.connection).stream.close()
            return
        if self._limit is not None and len(self.kept) + len(chunk) > self._limit:
            await self._refuse_late(self._too_large())
            return
        self.kept += chunk
        if self._to_disk and len(self.kept) >= _PIECE:
            try:
                await self._write()
            except OSError as error:
                await self._refuse_late(_no_place(error))

    async def _write(self) -> None:
        piece, self.kept = self.kept, bytearray()
        await self._lanes.of("uploads").run(self._write_piece, piece, patience=float("inf"))

    def _write_piece(self, piece: bytearray) -> None:
        if self._spool is None:
            self._spool = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - closed by _drop
        self._spool.write(piece)

    async def file(self) -> BinaryIO:
        """Return the body as a file that is read from its begin. Raises ``StoreUnwritable``."""
        self._in_use = True
        if self._spool is None:
            return io.BytesIO(self.kept)
        try:
            await self._write()
            await self._lanes.of("uploads").run(self._spool.seek, 0, patience=float("inf"))
        except OSError as error:
            raise _no_place(error) from error
        return self._spool

    @property
    def _lanes(self) -> Lanes:
        lanes: Lanes = self.settings["mltrack_lanes"]
        return lanes

    def on_connection_close(self) -> None:
        """Forget what came of a body that will not come to its end."""
        super().on_connection_close()
        if not self._in_use:
            self._drop()

    def on_finish(self) -> None:
        """Forget the body."""
        self._drop()
        super().on_finish()

    def _drop(self) -> None:
        self.kept = bytearray()
        if self._spool is not None:
            self._spool.close()
            self._spool = None


async def _throw_away(stream: IOStream) -> None:
    """Read what still comes, a little and for a moment, and close the connection.

    Closed at once, with something unread, it would be reset, and the client never see the answer.
    """
    try:
        if not isinstance(stream.socket, ssl.SSLSocket):
            stream.socket.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(_LINGER_S):
            left = _THROWN_AWAY
            while left > 0:
                async with asyncio.timeout(_SILENCE_S):
                    left -= len(await stream.read_bytes(64 * 1024, partial=True))
                await asyncio.sleep(0)  # what is there already is read without a pause for others
    except (TimeoutError, StreamClosedError, OSError):
        pass
    finally:
        stream.close()


def _no_place(error: OSError) -> StoreUnwritable:
    return StoreUnwritable(
        f"The file cannot be taken in: the server's folder for temporary files has no place ({error.strerror})."
    )
