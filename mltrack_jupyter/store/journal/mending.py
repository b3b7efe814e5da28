"""A file that somebody else wrote to, or cut short, while its process logs: noticed, and written anew."""

from __future__ import annotations

import logging
import os
import time

from mltrack_jupyter.errors import StoreUnwritable
from mltrack_jupyter.store.journal.positioned import reserve
from mltrack_jupyter.store.journal.segment import Segment

log = logging.getLogger("mltrack_jupyter")
_WHOLE = 1.0
"""How often all of a file is compared with what was written, in seconds; the newest part is each time."""


class Mending:
    """Compares the file of a journal with what its process wrote, which is in memory as long as it grows."""

    def __init__(self) -> None:
        self._compared = 0.0

    def is_needed(self, segment: Segment, *, whole: bool = False) -> bool:
        """Tell whether the file has something else. One that was deleted is not written anew."""
        if not segment.is_remembered or segment.is_unlinked:
            return False
        recent, begin = segment.recent, segment.mark[0]
        if whole or time.monotonic() > self._compared + _WHOLE:
            self._compared, begin = time.monotonic(), 0
        try:
            return (
                os.fstat(segment.handle).st_size < segment.room
                or segment.stored(0, segment.begin) != recent[: segment.begin]
                or segment.stored(begin, len(recent)) != recent[begin:]
            )
        except OSError:
            return True

    def mend(self, segment: Segment) -> None:
        """Write the file anew, and say so. While nobody appends."""
        if not self.is_needed(segment, whole=True):
            return
        try:
            os.ftruncate(segment.handle, len(segment.recent))
            reserve(segment.handle, segment.room)
            segment.write(bytes(segment.recent), 0)
        except (OSError, StoreUnwritable) as error:
            log.warning(
                "mltrack: what somebody wrote over %s is there still: %s", segment.path, error
            )
            return
        log.warning(
            "mltrack: somebody wrote to %s, or cut it short, while it was in use; what was logged is in it "
            "again. Put a backup back while nothing logs to the store.",
            segment.path,
        )
