"""``mltrack artifacts list|download|upload``, with MLflow's options."""

from __future__ import annotations

import argparse
from pathlib import Path

from mltrack_jupyter.cli.output import say, say_json
from mltrack_jupyter.cli.parsing import add_store
from mltrack_jupyter.cli.stores import existing, existing_uri
from mltrack_jupyter.errors import InvalidParameter, NotFound

_IN_RUN = "a path among the artifacts of the run"


def add_arguments(parser: argparse.ArgumentParser, _name: str) -> None:
    """Declare the commands."""
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    listing = commands.add_parser("list", help="list files and folders of a run, as JSON")
    _add_run(listing, required=True)
    listing.add_argument("--artifact-path", "-a", default="", metavar="PATH", help=_IN_RUN)
    add_store(listing)
    listing.set_defaults(run=show)
    fetching = commands.add_parser("download", help="bring a file or folder onto this machine")
    _add_run(fetching, required=False)
    add = fetching.add_argument
    add("--artifact-path", "-a", metavar="PATH", help=_IN_RUN)
    add("--artifact-uri", "-u", metavar="URI", help="instead of a run: runs:/…, models:/…")
    add("--dst-path", "-d", metavar="FOLDER", help="where to (default: a new temporary folder)")
    add_store(fetching)
    fetching.set_defaults(run=download)
    for name, option, summary in (
        ("upload", ("--local-file", "--local-dir", "-l"), "log a file, or what is in a folder"),
        ("log-artifact", ("--local-file", "-l"), "the same of a file, by MLflow's name"),
        ("log-artifacts", ("--local-dir", "-l"), "the same of a folder, by MLflow's name"),
    ):
        sending = commands.add_parser(name, help=summary)
        sending.add_argument(
            *option, dest="local", required=True, type=Path, metavar="PATH", help="what to log"
        )
        _add_run(sending, required=True)
        sending.add_argument("--artifact-path", "-a", metavar="PATH", help="a folder of the run")
        add_store(sending)
        sending.set_defaults(run=upload)


def _add_run(parser: argparse.ArgumentParser, *, required: bool) -> None:
    parser.add_argument("--run-id", "-r", required=required, metavar="ID", help="the run")


def show(arguments: argparse.Namespace) -> int:
    """Print the files and folders below a path of a run."""
    with existing(arguments.store) as services:
        found = services.run_artifacts.list(arguments.run_id, arguments.artifact_path)
    items = [
        {"path": item.path, "is_dir": item.is_dir}
        | ({} if item.is_dir else {"file_size": item.file_size})
        for item in found.files
    ]
    say_json(items)
    return 0


def download(arguments: argparse.Namespace) -> int:
    """Copy artifacts, and print where to."""
    from mltrack_jupyter.tracking.downloads import download_artifacts

    if (arguments.run_id is None) == (arguments.artifact_uri is None):
        raise InvalidParameter("Give --run-id (with --artifact-path), or --artifact-uri.")
    place = download_artifacts(
        arguments.artifact_uri,
        arguments.run_id,
        arguments.artifact_path,
        arguments.dst_path,
        existing_uri(arguments.store),
    )
    say(place)
    return 0


def upload(arguments: argparse.Namespace) -> int:
    """Log a file, or what is in a folder, to a run."""
    from mltrack_jupyter.tracking.client import Client

    local: Path = arguments.local.expanduser()
    if not local.exists():
        raise NotFound(f"There is no file or folder {local}.")
    client = Client(existing_uri(arguments.store))
    log = client.log_artifacts if local.is_dir() else client.log_artifact
    log(arguments.run_id, str(local), arguments.artifact_path)
    place = f"{arguments.artifact_path or 'the root'} of the run {arguments.run_id}"
    say(f"Logged {local} to {place}.")
    return 0
