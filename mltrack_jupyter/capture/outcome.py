"""How a cell ended: the status its run deserves, and the traceback as it is stored."""

from __future__ import annotations

import asyncio
import sys
import traceback
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from mltrack_jupyter.entities import ERROR, REASON, RunStatus
from mltrack_jupyter.hosted import kernel_id
from mltrack_jupyter.tracking import reasons


@dataclass(frozen=True)
class Outcome:
    """The status of a cell, its error (if any) and the line of the cell that raised it."""

    status: RunStatus
    error: BaseException | None = None
    line: int | None = None
    text: str = ""

    @property
    def tags(self) -> dict[str, str]:
        """The tags that say why the run ended so."""
        if self.error is None:
            return {}
        return {REASON: reasons.sentence_of(self.error), ERROR: self.text}


def outcome_of(error: BaseException | None, namespace: dict[str, Any]) -> Outcome:
    """Return how a cell ended that raised ``error`` (``None``: it did not)."""
    if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
        return Outcome(RunStatus.FINISHED)
    interrupted = isinstance(error, KeyboardInterrupt | asyncio.CancelledError)
    status = RunStatus.KILLED if interrupted else RunStatus.FAILED
    own = _own_part(error.__traceback__, namespace)
    line = own.tb_lineno if own is not None else 0
    return Outcome(status, error, line, _text(error, own))


def _own_part(trace: TracebackType | None, namespace: dict[str, Any]) -> TracebackType | None:
    """Return the traceback from the cell's own frame on, without IPython's frames above it."""
    while trace is not None:
        if trace.tb_frame.f_globals is namespace:
            return trace
        trace = trace.tb_next
    return None


def _text(error: BaseException, own: TracebackType | None) -> str:
    lines = traceback.format_exception(type(error), error, own or error.__traceback__)
    return reasons.shown_traceback("".join(lines).rstrip())


def outcome_of_session(shell: Any) -> tuple[RunStatus, dict[str, str]]:
    """Return the status, and its reason as tags, of runs that were left open when their kernel was shut down.

    A kernel without an id was started to execute a notebook and not by a server: it ends when that does.
    """
    error = _last_error(shell)
    if not kernel_id():
        ended = outcome_of(error, shell.user_ns)
        return ended.status, ended.tags
    action = "restarted" if _is_restarting() else "shut down"
    reason = f"The kernel was {action} while the run was open"
    if error is None or isinstance(error, KeyboardInterrupt):
        return RunStatus.KILLED, {REASON: f"{reason}."}
    failed = outcome_of(error, shell.user_ns)
    if failed.status is not RunStatus.FAILED:
        return RunStatus.KILLED, {REASON: f"{reason}."}
    sentence = f"{reason}; its last cell had failed: {reasons.sentence_of(error)}"
    return RunStatus.FAILED, {**failed.tags, REASON: sentence}


def _last_error(shell: Any) -> BaseException | None:
    last = getattr(shell, "last_execution_result", None)
    before: BaseException | None = getattr(last, "error_before_exec", None)
    return before if before is not None else getattr(last, "error_in_exec", None)


def _is_restarting() -> bool:
    """Tell whether this kernel was asked to make room for its successor."""
    module = sys.modules.get("ipykernel.kernelapp")
    kernel = module.IPKernelApp.instance().kernel if module else None
    message = getattr(kernel, "_shutdown_message", None) or {}
    return bool((message.get("content") or {}).get("restart"))
