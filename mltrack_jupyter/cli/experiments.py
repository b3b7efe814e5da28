"""``mltrack experiments list``."""

from __future__ import annotations

import argparse

from mltrack_jupyter.cli.output import say, table, when
from mltrack_jupyter.cli.parsing import add_store
from mltrack_jupyter.cli.stores import open_existing
from mltrack_jupyter.entities import ViewType


def add_arguments(parser: argparse.ArgumentParser, _name: str) -> None:
    """Declare the command."""
    commands = parser.add_subparsers(metavar="list", required=True)
    listing = commands.add_parser("list", help="list experiments, newest first")
    add_store(listing)
    listing.add_argument("--all", action="store_true", help="show deleted ones too")
    listing.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the experiments."""
    view = ViewType.ALL if arguments.all else ViewType.ACTIVE_ONLY
    services = open_existing(arguments.store)
    try:
        found = services.experiments.search(1000, view_type=view)
    finally:
        services.close()
    rows = [
        [item.experiment_id, item.name, when(item.last_update_time), item.lifecycle_stage]
        for item in found
    ]
    say(*table(["id", "name", "changed", "stage"], rows))
    if found.next_page_token:
        say("(only the newest 1,000)")
    return 0
