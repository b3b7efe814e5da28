"""What is to be done when a transaction has ended: files follow the rows that name them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection

from mltrack_jupyter.errors import MltrackError

_log = logging.getLogger(__name__)
_KEY = "mltrack_endings"


class Endings:
    """What was asked for in one transaction."""

    def __init__(self) -> None:
        self.committed: list[Callable[[], None]] = []
        self.taken_back: list[Callable[[], None]] = []

    def run(self) -> None:
        """Do what was to be done after the commit; the transaction has its effect, whatever becomes of this."""
        _all(self.committed)

    @contextmanager
    def noted(self, connection: Connection) -> Iterator[None]:
        """Take what is asked for within; an exception that leaves it means that nothing was written."""
        connection.info[_KEY] = self
        try:
            yield
        except BaseException:
            _all(self.taken_back[::-1])
            raise
        finally:
            connection.info.pop(_KEY, None)


def after_commit(connection: Connection, call: Callable[[], None]) -> None:
    """Call when the transaction that is open was committed, and its locks are given back."""
    connection.info[_KEY].committed.append(call)


def on_rollback(connection: Connection, call: Callable[[], None]) -> None:
    """Call if nothing of the transaction that is open stays."""
    connection.info[_KEY].taken_back.append(call)


def _all(calls: Sequence[Callable[[], None]]) -> None:
    for call in calls:
        try:
            call()
        except (MltrackError, OSError) as error:
            _log.warning("mltrack: %s (It is tried again by the next mltrack gc.)", error)
