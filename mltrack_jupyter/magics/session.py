"""What a shell is doing: the cells that run now, which of them are tracked, and what they show."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mltrack_jupyter.capture import Options, TrackedCell
    from mltrack_jupyter.magics.cards import CardSlot

_TRACKING = "mltrack_jupyter.tracking.scope"


@dataclass
class Frame:
    """A cell that runs now; cells can run cells, so that there may be several."""

    info: Any
    tracked: TrackedCell | None = None
    slot: CardSlot | None = None


class Session:
    """Connects a shell's events with tracking. What it does for an untracked cell costs microseconds."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self._local = threading.local()
        self._told = False

    @property
    def _frames(self) -> list[Frame]:
        # Subshells run cells in threads of their own.
        if not hasattr(self._local, "frames"):
            self._local.frames = []
        frames: list[Frame] = self._local.frames
        return frames

    def pre_run_cell(self, info: Any = None, *_: Any) -> None:
        """Note that a cell begins."""
        self._frames.append(Frame(info))
        if not self._told and ("mltrack" in str(info.raw_cell) or _TRACKING in sys.modules):
            self._tell_context()

    def _tell_context(self) -> None:
        """Make runs that are started by hand know the notebook they are started in."""
        from mltrack_jupyter.capture import here
        from mltrack_jupyter.tracking import session

        self._told = True
        session.set_host(here)

    def begin(self, options: Options) -> None:
        """Track the cell that runs now. Nothing happens in a silent one, which has no output.

        Raises ``UsageError`` for an option that cannot be right, before the cell's own code runs.
        """
        frame = self._frames[-1] if self._frames else None
        if frame is None or frame.tracked is not None:
            return
        from mltrack_jupyter.capture.border import guarded

        guarded("beginning a tracked cell", lambda: self._begin(frame, options), None)
        if frame.tracked is not None and frame.tracked.refused:
            from IPython.core.error import UsageError

            refused, frame.tracked = frame.tracked.refused, None
            raise UsageError(f"%%track: {refused}")

    def _begin(self, frame: Frame, options: Options) -> None:
        from mltrack_jupyter.capture import Source, TrackedCell
        from mltrack_jupyter.capture.code import will_compile
        from mltrack_jupyter.magics.cards import CardSlot

        if not self._told:
            self._tell_context()
        raw = frame.info.raw_cell
        python = getattr(frame.info, "transformed_cell", None) or self.shell.transform_cell(raw)
        if not will_compile(python, self.shell.compile.flags):
            return
        tracked = TrackedCell(self.shell, options, Source(raw, python))
        frame.slot = CardSlot(self.shell, quiet=options.quiet)
        frame.tracked = tracked
        tracked.begin(frame.info)
        if not tracked.refused:
            frame.slot.begun(tracked)

    def post_run_cell(self, result: Any = None, *_: Any) -> None:
        """End what was tracked of a cell that has ended."""
        frame = self._leave(result)
        if frame is None:
            return
        tracked, slot = frame.tracked, frame.slot
        if tracked is not None and slot is not None:
            from mltrack_jupyter.capture.border import guarded

            guarded("ending a tracked cell", lambda: self._finish(tracked, slot, result), None)
        if not self._frames and _TRACKING in sys.modules:
            self._end_implicit(result)

    def _leave(self, result: Any) -> Frame | None:
        frames = self._frames
        if not frames:
            return None
        # IPython reports the end of a blank cell without having reported its beginning.
        info = getattr(result, "info", frames[-1].info)
        same = info is frames[-1].info or info.raw_cell == frames[-1].info.raw_cell
        return frames.pop() if same else None

    def _finish(self, tracked: TrackedCell, slot: CardSlot, result: Any) -> None:
        from mltrack_jupyter.capture import outcome_of

        outcome = outcome_of(error_of(result), self.shell.user_ns)
        report = tracked.finish(outcome, getattr(result, "result", None))
        slot.ended(tracked, report)

    def _end_implicit(self, result: Any) -> None:
        from mltrack_jupyter.capture import outcome_of
        from mltrack_jupyter.capture.border import guarded
        from mltrack_jupyter.tracking import fluent

        outcome = outcome_of(error_of(result), self.shell.user_ns)
        end = lambda: fluent.end_implicit(outcome.status.value, outcome.tags)  # noqa: E731
        guarded("ending a run", end, None)

    def forget(self) -> None:
        """Undo what was told to the tracking room."""
        if self._told:
            from mltrack_jupyter.tracking import session

            session.set_host(None)

    def hooks(self) -> dict[str, Callable[..., None]]:
        """Return the events that are listened to."""
        return {"pre_run_cell": self.pre_run_cell, "post_run_cell": self.post_run_cell}


def error_of(result: Any) -> BaseException | None:
    """Return what ended a cell; without a result it was cancelled before it could say."""
    if result is None:
        return KeyboardInterrupt()
    before: BaseException | None = result.error_before_exec
    error: BaseException | None = result.error_in_exec
    return before if before is not None else error
