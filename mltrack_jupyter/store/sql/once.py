"""Doing what a request asks once, however often it comes.

A client whose answer was lost cannot know whether its request was carried out. So it sends a random key
with the request, and the same key when it sends it again. The key, the effect and the answer are written
in one transaction: after a crash there are all three of them or none. Of two that come at the same time
the second waits, for the lock of the database (SQLite) or for the row of the key (elsewhere), and finds the
answer of the first.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import delete, insert, select, update

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store.sql.database import Database, now_ms
from mltrack_jupyter.store.sql.retries import retried
from mltrack_jupyter.store.sql.tables import request_keys

KEPT_MS = 24 * 3600 * 1000
"""How long an answer is kept."""
MAX_KEY = 128
_EVERY_S = 3600


class Once:
    """The answers of a database to requests with a key; may be called from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pruned = -float(_EVERY_S)

    def __call__(self, key: str, request: str, call: Callable[[], bytes]) -> bytes:
        """Return the answer of a request, from ``call`` if the key is new.

        ``request`` tells one request from another (64 characters at most). What raises has had no
        effect, and is tried again if it comes again. Raises ``InvalidParameter`` for a key that came
        with another request.
        """
        if not 1 <= len(key) <= MAX_KEY or not key.isascii() or not key.isprintable():
            raise InvalidParameter(
                f"The Idempotency-Key must have from 1 to {MAX_KEY} ASCII characters, such as a UUID."
            )
        self._prune()
        return retried(self._once)(key, request, call)

    def _once(self, key: str, request: str, call: Callable[[], bytes]) -> bytes:
        mine = request_keys.c.key == key
        with self._database.together() as connection:
            known = connection.execute(select(request_keys).where(mine)).first()
            if known is not None:
                if known.request != request:
                    raise InvalidParameter(
                        "This Idempotency-Key came with another request before: take a new one for each."
                    )
                return str(known.answer).encode()
            row = {"key": key, "request": request, "answer": "", "created": now_ms()}
            connection.execute(insert(request_keys), row)
            answer = call()
            connection.execute(update(request_keys).where(mine).values(answer=answer.decode()))
            return answer

    def _prune(self) -> None:
        if time.monotonic() - self._pruned < _EVERY_S:
            return
        self._pruned = time.monotonic()
        with self._database.write() as connection:
            old = request_keys.c.created < now_ms() - KEPT_MS
            connection.execute(delete(request_keys).where(old))
