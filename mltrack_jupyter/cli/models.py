"""``mltrack models list``."""

from __future__ import annotations

import argparse

from mltrack_jupyter.cli.output import say, table, when
from mltrack_jupyter.cli.parsing import Parser, add_store
from mltrack_jupyter.cli.stores import open_existing

_INSTEAD = {
    **dict.fromkeys(
        ("serve", "predict", "build-docker", "generate-dockerfile", "prepare-env"),
        "Serving is left out; `mlflow models serve` serves models from `mltrack server`.",
    ),
    "register": "Right would be mltrack.register_model(uri, name), or %mltrack register in a notebook.",
    **dict.fromkeys(("show", "ls", "search"), "Right would be `mltrack models list`."),
}
"""Commands of MLflow, and what suggests itself: what is right here."""


def add_arguments(parser: Parser, _name: str) -> None:
    """Declare the command."""
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    parser.instead = _INSTEAD
    listing = commands.add_parser("list", help="list registered models")
    add_store(listing)
    listing.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the registered models."""
    services = open_existing(arguments.store)
    try:
        found = services.registered_models.search(max_results=1000)
    finally:
        services.close()
    rows = []
    for model in found:
        versions = [item.version for item in model.latest_versions]
        stages = {
            item.current_stage: item.version
            for item in model.latest_versions
            if item.current_stage != "None"
        }
        named = [f"{alias}={version}" for alias, version in {**stages, **model.aliases}.items()]
        newest = max(versions, key=int, default="")
        rows.append([model.name, newest, ", ".join(named), when(model.last_updated_timestamp)])
    say(*table(["name", "newest", "stages and aliases", "changed"], rows, right="newest"))
    return 0
