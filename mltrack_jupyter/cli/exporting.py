"""``mltrack export``."""

from __future__ import annotations

import argparse
from pathlib import Path

from mltrack_jupyter.cli.importing import add_artifacts, show, transfer
from mltrack_jupyter.cli.output import say
from mltrack_jupyter.transfer import Report, is_store, open_source, write_archive
from mltrack_jupyter.transfer.report import Progress


def add_arguments(parser: argparse.ArgumentParser, _name: str) -> None:
    """Declare the options."""
    parser.add_argument("source", metavar="FROM", help="a store, or anything that can be imported")
    parser.add_argument(
        "target", metavar="TO", help="a .zip file or a new folder; or a store, to copy into it"
    )
    add_artifacts(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write everything of a source; exit code 1 if something had to be left out."""
    artifacts = arguments.artifacts or []
    if is_store(arguments.target):
        return transfer(arguments.source, arguments.target, artifacts)
    report = Report()
    source = open_source(arguments.source, artifacts=artifacts)
    try:
        write_archive(source, Path(arguments.target), report, Progress(report))
    finally:
        source.close()
    show(report, "in the source", "in the export")
    say(f"written: {arguments.target}")
    return 0 if report.matches else 1
