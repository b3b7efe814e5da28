"""How a cell ended: the status its run deserves, and the traceback as it is stored."""

from __future__ import annotations

import asyncio
import traceback
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from mltrack_jupyter.capture.redact import redact
from mltrack_jupyter.entities import RunStatus

_MAX_TRACEBACK = 20_000


@dataclass(frozen=True)
class Outcome:
    """The status of a cell, its error (if any) and the line of the cell that raised it."""

    status: RunStatus
    error: BaseException | None = None
    line: int | None = None
    text: str = ""


def outcome_of(error: BaseException | None, namespace: dict[str, Any]) -> Outcome:
    """Return how a cell ended that raised ``error`` (``None``: it did not)."""
    if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
        return Outcome(RunStatus.FINISHED)
    interrupted = isinstance(error, KeyboardInterrupt | asyncio.CancelledError)
    status = RunStatus.KILLED if interrupted else RunStatus.FAILED
    own = _own_part(error.__traceback__, namespace)
    line = own.tb_lineno if own is not None else 0
    return Outcome(status, error, line, redact(_text(error, own)))


def _own_part(trace: TracebackType | None, namespace: dict[str, Any]) -> TracebackType | None:
    """Return the traceback from the cell's own frame on, without IPython's frames above it."""
    while trace is not None:
        if trace.tb_frame.f_globals is namespace:
            return trace
        trace = trace.tb_next
    return None


def _text(error: BaseException, own: TracebackType | None) -> str:
    lines = traceback.format_exception(type(error), error, own or error.__traceback__)
    text = "".join(lines).rstrip()
    return text if len(text) <= _MAX_TRACEBACK else "…" + text[-_MAX_TRACEBACK:]
