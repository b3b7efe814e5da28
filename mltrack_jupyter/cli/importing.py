"""``mltrack import``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from mltrack_jupyter.cli.output import complain, plain, say, size, table
from mltrack_jupyter.cli.parsing import store_of
from mltrack_jupyter.errors import InvalidParameter, MltrackError
from mltrack_jupyter.shown import hide_password
from mltrack_jupyter.store import StoreUri, normalise_uri, open_store
from mltrack_jupyter.transfer import Report, copy_source, is_store, open_source
from mltrack_jupyter.transfer.report import Progress

_SHOWN = 50


def add_arguments(parser: argparse.ArgumentParser, _name: str) -> None:
    """Declare the options."""
    add = parser.add_argument
    add(
        "source",
        metavar="SOURCE",
        help="an mlruns folder, an MLflow or mltrack database (.db), a server (http://…), an export, "
        "or a .csv with one run a row",
    )
    add("--into", metavar="STORE", help="the store to import into (default: the project's store)")
    add_artifacts(parser)
    add("--experiment", default="", metavar="NAME", help="experiment of a CSV's rows")
    parser.set_defaults(run=run)


def add_artifacts(parser: argparse.ArgumentParser) -> None:
    """Declare the option that says where artifacts may be read."""
    parser.add_argument(
        "--artifacts",
        "--artifact-root",
        action="append",
        type=Path,
        metavar="FOLDER",
        help="a folder from which the artifacts of a database may be read, if they are not beside it; "
        "may be given several times",
    )


def run(arguments: argparse.Namespace) -> int:
    """Copy a source into a store; exit code 1 if not everything is there in the end."""
    into = store_of(arguments.into)
    return transfer(arguments.source, into, arguments.artifacts or [], arguments.experiment)


def transfer(source: str, target: str, artifacts: Sequence[Path], experiment: str = "") -> int:
    """Copy a source into a store, and print what was found and what is there now."""
    if is_store(source) and StoreUri.named(source).text == normalise_uri(target):
        raise InvalidParameter(
            f"{hide_password(source)} is the store to import into; name another with --into."
        )
    report = Report()
    opened = open_source(source, artifacts=artifacts, experiment=experiment)
    try:
        services = open_store(target)
        try:
            copy_source(opened, services, report, Progress(report))
        except MltrackError:
            complain("mltrack: stopped; run the same command again to go on from here")
            raise
        finally:
            services.close()
    finally:
        opened.close()
        show(report, "in the source", "in the store")
    return 0 if report.matches else 1


def show(report: Report, before: str, after: str) -> None:
    """Print the counts of a transfer, its notes and its problems."""
    rows: list[Sequence[str]] = []
    for kind, found in report.found.items():
        there = report.there[kind]
        if found or there:
            shown = (size(found), size(there)) if kind == "bytes" else (f"{found:,}", f"{there:,}")
            rows.append((kind, *shown, "" if found == there else "differs"))
    if rows:
        say(*table(("", before, after, " "), rows))
    if report.skipped:
        say(f"{report.skipped:,} runs were there already and are not counted again in detail")
    for title, lines in (
        ("note", report.notes),
        ("left out", [f"{item.what}: {item.reason}" for item in report.problems]),
    ):
        complain(*(f"{title}: {plain(line)}" for line in lines[:_SHOWN]))
        if len(lines) > _SHOWN:
            complain(f"{title}: {len(lines) - _SHOWN:,} more")
