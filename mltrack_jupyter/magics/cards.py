"""The one card that a tracked cell shows: RUNNING while it runs, then what came of it."""

from __future__ import annotations

import sys
import uuid
from typing import Any

from mltrack_jupyter.capture import Report, TrackedCell
from mltrack_jupyter.shown import shown
from mltrack_jupyter.widgets import Card, Notice


class CardSlot:
    """A place in the output of a cell. In a terminal, which cannot update, only the end is shown."""

    def __init__(self, shell: Any, *, quiet: bool) -> None:
        self._shell = shell
        self._quiet = quiet
        self._id = f"mltrack-{uuid.uuid4().hex}"
        self._shown = False

    def begun(self, tracked: TrackedCell) -> None:
        """Show that the cell is tracked, or why it is not."""
        if tracked.problem:
            self._problem(tracked.problem)
        elif tracked.run is not None and hasattr(self._shell, "kernel") and not self._quiet:
            self._show(Card(tracked.run, tracked.experiment).bundle())

    def _problem(self, text: str) -> None:
        if self._quiet:
            sys.stderr.write(f"mltrack: {shown(text)}\n")
        else:
            self._show(Notice(text).bundle())

    def ended(self, tracked: TrackedCell, report: Report) -> None:
        """Show what came of the cell."""
        if tracked.problem and report.run_id:
            self._problem(tracked.problem)
            return
        if not report.run_id:
            return
        if self._quiet:
            tracked.hand_over()
            return
        run = tracked.stored()
        if isinstance(run, str):
            self._problem("\n".join([run, *report.warnings]))
            return
        version = report.version
        name = f"{version.name} {version.version}" if version is not None else ""
        done = Card(run, tracked.experiment, name, report.warnings)
        # What the cell cleared away cannot be updated.
        self._show(done.bundle(), again=report.cleared)

    def _show(self, bundle: dict[str, Any], *, again: bool = False) -> None:
        update = self._shown and not again
        transient = {"display_id": self._id}
        self._shell.display_pub.publish(bundle, {}, transient=transient, update=update)
        self._shown = True
