"""``mltrack trash`` and ``mltrack gc``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from mltrack_jupyter.cli.output import ask, complain, say, size, table, when
from mltrack_jupyter.cli.parsing import add_store, ids, seconds
from mltrack_jupyter.cli.stores import open_existing
from mltrack_jupyter.entities import TrashItem
from mltrack_jupyter.services import Services


def add_arguments(parser: argparse.ArgumentParser, name: str) -> None:
    """Declare the options."""
    add_store(parser)
    add = parser.add_argument
    add("--older-than", type=seconds, metavar="30d", help="only what was deleted longer ago")
    add("--experiment-ids", type=ids, metavar="1,2", help="only these experiments and their runs")
    if name == "trash":
        parser.set_defaults(run=run_trash, run_ids=None)
        return
    add("--run-ids", type=ids, metavar="ID,ID", help="only these runs")
    add("--dry-run", action="store_true", help="say what would be deleted, and delete nothing")
    add("--yes", "-y", action="store_true", help="do not ask")
    parser.set_defaults(run=run_gc)


def run_trash(arguments: argparse.Namespace) -> int:
    """Show what is in the trash."""
    services = open_existing(arguments.store)
    try:
        found = _found(services, arguments)
    finally:
        services.close()
    say(*_lines(found))
    return 0


def run_gc(arguments: argparse.Namespace) -> int:
    """Delete for good what is in the trash; exit code 1 if something had to stay."""
    services = open_existing(arguments.store)
    try:
        found = _found(services, arguments)
        say(*_lines(found))
        going = [item for item in found if not item.kept_because]
        if arguments.dry_run:
            return 0
        # Ends what an interrupted one left, and collects files that runs shared.
        services.workspace.purge()
        if not going:
            return 0
        if not arguments.yes and sys.stdin.isatty() and not _agreed(going):
            return 1
        done = _purge(services, going)
    finally:
        services.close()
    gone = [item for item in done if not item.kept_because]
    say(f"deleted for good: {_summary(gone)}")
    left = [item for item in done if item.kept_because]
    complain(*(f"left: {item.entity} {item.entity_id}: {item.kept_because}" for item in left))
    return 1 if left else 0


def _found(services: Services, arguments: argparse.Namespace) -> list[TrashItem]:
    age = arguments.older_than
    limit = None if age is None else int((time.time() - age) * 1000)
    found = services.workspace.trash(limit, arguments.experiment_ids).items
    wanted = arguments.run_ids
    if wanted is not None:
        unknown = set(wanted) - {item.entity_id for item in found if item.entity == "run"}
        complain(*(f"not in the trash: run {run_id}" for run_id in sorted(unknown)))
        found = [item for item in found if item.entity == "run" and item.entity_id in wanted]
    return found


def _purge(services: Services, items: Sequence[TrashItem]) -> list[TrashItem]:
    done: list[TrashItem] = []
    for item in items:  # one by one: an interruption leaves whole runs
        if item.entity == "run":
            done += services.workspace.purge(run_ids=[item.entity_id]).items
        elif item.entity == "logged_model":
            done += services.workspace.purge(model_ids=[item.entity_id]).items
    for item in items:
        if item.entity == "experiment":
            done += services.workspace.purge(experiment_ids=[item.entity_id]).items
    return done


def _agreed(items: Sequence[TrashItem]) -> bool:
    return ask(f"Delete {_summary(items)} for good?")


def _summary(items: Sequence[TrashItem]) -> str:
    kinds = {"run": "runs", "logged_model": "logged models", "experiment": "experiments"}
    counts = [
        f"{sum(item.entity == kind for item in items)} {name}"
        for kind, name in kinds.items()
        if kind != "logged_model" or any(item.entity == kind for item in items)
    ]
    files, total = sum(item.files for item in items), sum(item.size for item in items)
    return f"{', '.join(counts)}, {files} files ({size(total)})"


def _lines(items: Sequence[TrashItem]) -> list[str]:
    if not items:
        return ["The trash is empty."]
    rows = [
        [
            item.entity,
            item.entity_id,
            item.name,
            item.experiment_id,
            when(item.deleted_time) or "unknown",
            str(item.files),
            size(item.size),
            item.kept_because and f"stays: {item.kept_because}",
        ]
        for item in items
    ]
    header = ["what", "id", "name", "experiment", "deleted", "files", "size", ""]
    return [*table(header, rows, right="files size"), f"in all: {_summary(items)}"]
