"""Runs as CSV: a run a row, in the columns of ``search_runs``."""

from __future__ import annotations

import csv
import io
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mltrack_jupyter.cli.output import say
from mltrack_jupyter.entities import Run
from mltrack_jupyter.services import Services

_PAGE = 1000
_FIXED = ("run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time")


def write_runs(services: Services, experiment_id: str, file_name: str | None) -> None:
    """Write the active runs of an experiment to a file, whole or not at all, or to standard output."""
    rows = [_row(run) for run in _runs(services, experiment_id)]
    names = dict.fromkeys([*_FIXED, *_grouped(rows)])
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    if file_name:
        fresh = Path(f"{file_name}.{os.getpid()}.part")
        try:
            fresh.write_text(text.getvalue(), encoding="utf-8")
            fresh.replace(file_name)
        finally:
            fresh.unlink(missing_ok=True)
    elif sys.stdout.isatty():
        say(*text.getvalue().splitlines())
    else:  # for a program, byte by byte
        sys.stdout.write(text.getvalue())


def _runs(services: Services, experiment_id: str) -> list[Run]:
    found: list[Run] = []
    token = ""
    while True:
        page = services.runs.search([experiment_id], max_results=_PAGE, page_token=token)
        found += page.items
        token = page.next_page_token
        if not token:
            return found


def _row(run: Run) -> dict[str, Any]:
    about: dict[str, Any] = {name: getattr(run.info, name) for name in _FIXED}
    about["status"] = run.info.status.value
    for name in ("start_time", "end_time"):
        about[name] = _time(about[name])
    for kind in ("metrics", "params", "tags"):
        about |= {f"{kind}.{key}": value for key, value in getattr(run.data, kind).items()}
    return about


def _grouped(rows: list[dict[str, Any]]) -> list[str]:
    """Return the names of the columns that are not in every table: metrics, then params, then tags."""
    names = {name for row in rows for name in row} - set(_FIXED)
    return sorted(names, key=lambda name: (name.split(".", 1)[0], name))


def _time(milliseconds: int | None) -> str:
    if not milliseconds:
        return ""
    try:
        found = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return str(milliseconds)
    return found.isoformat(" ", "milliseconds")
