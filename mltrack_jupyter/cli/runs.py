"""``mltrack runs list|show``, and what changes runs."""

from __future__ import annotations

import argparse
import re

from mltrack_jupyter.cli.output import complain, duration, say, table, when
from mltrack_jupyter.cli.parsing import Parser, add_store, ids, whole_number
from mltrack_jupyter.cli.run_changes import add_changes
from mltrack_jupyter.cli.stores import open_existing
from mltrack_jupyter.entities import REASON, Column, Run, RunTable
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.services import Services

_VERBS = {
    "search": "Right would be `mltrack runs list --filter ...`.",
    "get": "Right would be `mltrack runs show RUN_ID`.",
    "compare": "Right would be `%mltrack compare` in a notebook.",
}
_OPTIONS = {
    **dict.fromkeys(("--limit", "-n", "--max-results", "--top"), "Right would be --max."),
    **dict.fromkeys(("--sort", "--sort-by"), "Right would be --order-by."),
    **dict.fromkeys(("--desc", "--asc"), 'Right would be --order-by "metrics.acc DESC".'),
    **dict.fromkeys(
        ("--json", "--format", "--output", "--csv"),
        "Right would be `mltrack experiments csv -x ID`, or mltrack.search_runs() in Python.",
    ),
    **dict.fromkeys(
        ("--experiment", "--experiment-name"),
        "Right would be --experiment-id; `mltrack experiments list` tells the ids.",
    ),
}
"""What suggests itself, and what is right here."""


def add_arguments(parser: Parser, _name: str) -> None:
    """Declare the commands."""
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    parser.instead = _VERBS
    listing = commands.add_parser("list", help="list runs, newest first")
    listing.instead = _OPTIONS
    add_store(listing)
    add = listing.add_argument
    add(
        "--experiment-ids",
        "--experiment-id",
        "-x",
        type=ids,
        metavar="1,2",
        help="only runs of these experiments",
    )
    add("--filter", default="", help="such as \"metrics.acc > 0.9 AND params.depth = '3'\"")
    add("--order-by", action="append", metavar="EXPR", help='such as "metrics.acc DESC"')
    add("--columns", type=ids, metavar="metrics.acc,params.depth", help="what to show of them")
    add("--max", type=whole_number, default=50, help="how many (default: 50)")
    listing.set_defaults(run=run_list)
    showing = commands.add_parser("show", help="show one run")
    showing.add_argument("run_id", metavar="RUN_ID")
    add_store(showing)
    showing.set_defaults(run=run_show)
    add_changes(commands)


def run_list(arguments: argparse.Namespace) -> int:
    """Print runs as a table."""
    from mltrack_jupyter.tracking import hints

    _check(arguments)
    services = open_existing(arguments.store)
    named = arguments.experiment_ids or []
    try:
        with hints.about_experiment(services, ",".join(named)):
            found = services.runs.table(
                experiment_ids=arguments.experiment_ids,
                filter=arguments.filter,
                order_by=arguments.order_by,
                max_results=arguments.max,
                columns=[*(arguments.columns or []), f"tags.{REASON}"],
            )
            if not found.run_ids:
                for number in named:
                    services.experiments.get(number)
        notes = _notes(services, arguments, found)
    finally:
        services.close()
    wanted = " ".join(arguments.columns or [])
    header = ["run", "name", "experiment", "status", "started", "took"]
    rows = _rows(found)
    for column in found.columns:
        if column.key == REASON and not (any(column.values) or REASON in wanted):
            continue
        header.append("why" if column.key == REASON else column.key)
        for row, text in zip(rows, _texts(column), strict=True):
            row.append(text)
    say(*table(header, rows))
    complain(*notes)
    if found.total is not None and found.total > len(rows):
        say(f"({len(rows)} of {found.total:,}; more with --max)")
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Check what can be checked without a store. Raises ``InvalidParameter``."""
    from mltrack_jupyter.tracking import hints

    hints.check_filter(arguments.filter)
    if not hints.compares(arguments.filter):
        raise InvalidParameter(
            f"{arguments.filter!r} compares nothing; in a shell a filter stands in quotes: "
            '--filter "metrics.acc > 0.9".'
        )
    for name in arguments.columns or []:
        if not re.match(r"(metric|param|parameter|tag)s?\.", name):
            raise InvalidParameter(
                f"{name!r} is no column; right would be metrics.{name}, params.{name} or tags.{name}."
            )


def _rows(found: RunTable) -> list[list[str]]:
    return [
        [run_id, name, experiment, status, when(start), duration(start, end)]
        for run_id, name, experiment, status, start, end in zip(
            found.run_ids,
            found.run_names,
            found.experiment_ids,
            found.statuses,
            found.start_times,
            found.end_times,
            strict=True,
        )
    ]


def _notes(services: Services, arguments: argparse.Namespace, found: RunTable) -> list[str]:
    """Return what the command names in vain: in its filter if nothing was found, else as order or column."""
    from mltrack_jupyter.tracking import hints

    asked = (services, arguments.experiment_ids)
    if not found.run_ids:
        return hints.about_names(*asked, arguments.filter, arguments.order_by)
    there = {
        (column.kind, column.key) for column in found.columns if any(map(_is_there, column.values))
    }
    empty = hints.lacks(arguments.columns or [], lambda kind, key: (kind, key) in there)
    return hints.about_names(*asked, order_by=arguments.order_by, columns=empty)


def _is_there(value: object) -> bool:
    return value is not None


def run_show(arguments: argparse.Namespace) -> int:
    """Print one run."""
    services = open_existing(arguments.store)
    from mltrack_jupyter.tracking import hints

    try:
        with hints.about_run(services, arguments.run_id):
            run = services.runs.get(arguments.run_id)
    finally:
        services.close()
    say(*_described(run))
    return 0


def _texts(column: Column) -> list[str]:
    return [
        "" if value is None else f"{value:.6g}" if isinstance(value, float) else value
        for value in column.values
    ]


def _described(run: Run) -> list[str]:
    info = run.info
    about = [
        ["run", info.run_id],
        ["name", info.run_name],
        ["experiment", info.experiment_id],
        ["status", info.status.value + (" (deleted)" if info.lifecycle_stage == "deleted" else "")],
        ["why", run.data.tags.get(REASON, "")],
        ["user", info.user_id],
        ["started", when(info.start_time)],
        ["took", duration(info.start_time, info.end_time)],
        ["artifacts", info.artifact_uri],
    ]
    lines = [f"{name:<12}{text}" for name, text in about if text]
    metrics = {key: f"{value:.6g}" for key, value in run.data.metrics.items()}
    for title, pairs in (
        ("params", run.data.params),
        ("metrics", metrics),
        ("tags", run.data.tags),
    ):
        if pairs:
            lines += ["", *table([title, ""], [[key, pairs[key]] for key in sorted(pairs)])]
    return lines
