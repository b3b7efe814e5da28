"""``mltrack sync``: hand over what was logged while a store was away, or by processes that died."""

from __future__ import annotations

import argparse

from mltrack_jupyter import config
from mltrack_jupyter.cli.output import say
from mltrack_jupyter.store import normalise_uri, open_store
from mltrack_jupyter.store.journal import journal_folders, others_log, recover_all
from mltrack_jupyter.store.read_only import check_writable


def add_arguments(parser: argparse.ArgumentParser, _command: str) -> None:
    """Describe the command."""
    parser.add_argument(
        "store", nargs="?", default="", help="the store; its journals are handed over"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Hand over the journals of processes that are gone. Raises ``MltrackError`` if the store is away."""
    uri = normalise_uri(arguments.store or config.tracking_uri())
    check_writable(uri)
    services = open_store(uri)
    try:
        done = recover_all(uri, lambda: services)
    finally:
        services.close()
    torn = sum(item.torn for item in done)
    say(f"{len(done)} journals were handed over" + (f", {torn} with a torn end." if torn else "."))
    for folder in journal_folders(uri):
        if others_log(folder):
            say(
                f"In {folder} there are more: of processes that still run, of other stores, or damaged."
            )
        for path in sorted(folder.glob("*.refused.jsonl")):
            say(f"Refused by the store, and kept to be looked at: {path}")
    return 0
