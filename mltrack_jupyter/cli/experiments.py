"""``mltrack experiments``: listed, made, renamed, deleted and restored, with MLflow's options."""

from __future__ import annotations

import argparse
from typing import Any

from mltrack_jupyter.cli.csv_files import write_runs
from mltrack_jupyter.cli.output import say, say_json, table, when
from mltrack_jupyter.cli.parsing import add_store
from mltrack_jupyter.cli.stores import existing, open_existing, open_new
from mltrack_jupyter.entities import Experiment, ViewType
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.services import Services

_VIEWS = ("active_only", "deleted_only", "all")


def add_arguments(parser: argparse.ArgumentParser, _name: str) -> None:
    """Declare the commands."""
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, summary in (
        ("list", "list experiments, newest first"),
        ("search", "the same, by MLflow's name"),
    ):
        listing = commands.add_parser(name, help=summary)
        add_store(listing)
        listing.add_argument("--all", action="store_true", help="show deleted ones too")
        add_view(listing)
        listing.set_defaults(run=run)
    for name, summary, act in (
        ("get", "show one experiment", show),
        ("create", "make an experiment", create),
        ("rename", "give an experiment another name", rename),
        ("delete", "put an experiment and its runs into the trash", delete),
        ("restore", "take an experiment and its runs out of the trash", restore),
        ("csv", "write the runs of an experiment as CSV", write_csv),
    ):
        command = commands.add_parser(name, help=summary)
        _add_options(command, name)
        add_store(command)
        command.set_defaults(run=act)


def add_view(parser: argparse.ArgumentParser) -> None:
    """Add the option that says whether what is in the trash is shown."""
    parser.add_argument("--view", "-v", choices=_VIEWS, help="which of them (default: active_only)")


def view_of(arguments: argparse.Namespace) -> ViewType:
    """Return what the options say of the trash."""
    if arguments.view:
        return ViewType.from_string(arguments.view)
    return ViewType.ALL if getattr(arguments, "all", False) else ViewType.ACTIVE_ONLY


def _add_options(command: argparse.ArgumentParser, name: str) -> None:
    add = command.add_argument
    if name in ("create", "get"):
        needed = name == "create"
        add("--experiment-name", "-n", required=needed, metavar="NAME", help="its name")
    if name == "create":
        add("--artifact-location", "-l", default="", metavar="URI", help="where its artifacts go")
        return
    add("--experiment-id", "-x", required=name != "get", metavar="ID", help="its id")
    if name == "rename":
        add("--new-name", required=True, metavar="NAME", help="the name it gets")
    if name == "csv":
        add("--filename", "-o", metavar="FILE", help="the file (default: standard output)")
    if name == "get":
        add("--output", choices=("table", "json"), default="table", help="as what to print it")


def run(arguments: argparse.Namespace) -> int:
    """Print the experiments."""
    services = open_existing(arguments.store)
    try:
        found = services.experiments.search(1000, view_type=view_of(arguments))
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


def show(arguments: argparse.Namespace) -> int:
    """Print one experiment."""
    if (arguments.experiment_id is None) == (arguments.experiment_name is None):
        raise InvalidParameter("Name the experiment by --experiment-id or by --experiment-name.")
    with existing(arguments.store, experiment_id=arguments.experiment_id) as services:
        found = _find(services, arguments)
    about: dict[str, Any] = {
        "experiment_id": found.experiment_id,
        "name": found.name,
        "artifact_location": found.artifact_location,
        "lifecycle_stage": found.lifecycle_stage,
        "creation_time": found.creation_time,
        "last_update_time": found.last_update_time,
        "tags": found.tags,
    }
    if arguments.output == "json":
        say_json(about)
        return 0
    about |= {key: when(about[key]) for key in ("creation_time", "last_update_time")}
    about["tags"] = ", ".join(f"{key}={value}" for key, value in sorted(found.tags.items()))
    say(*(f"{key.replace('_', ' '):<18}{text}" for key, text in about.items() if text))
    return 0


def _find(services: Services, arguments: argparse.Namespace) -> Experiment:
    if arguments.experiment_id is None:
        return services.experiments.get_by_name(arguments.experiment_name)
    return services.experiments.get(arguments.experiment_id)


def create(arguments: argparse.Namespace) -> int:
    """Make an experiment; the default store too, if it is not there yet."""
    name = arguments.experiment_name
    with open_new(arguments.store) as services:
        number = services.experiments.create(name, arguments.artifact_location)
    say(f"Created experiment {name!r} with id {number}")
    return 0


def rename(arguments: argparse.Namespace) -> int:
    """Give an experiment another name."""
    number, name = arguments.experiment_id, arguments.new_name
    with existing(arguments.store, experiment_id=arguments.experiment_id) as services:
        services.experiments.update(number, name)
    say(f"Experiment with id {number} has been renamed to {name!r}.")
    return 0


def delete(arguments: argparse.Namespace) -> int:
    """Put an experiment into the trash."""
    with existing(arguments.store, experiment_id=arguments.experiment_id) as services:
        services.experiments.delete(arguments.experiment_id)
    say(f"Experiment with id {arguments.experiment_id} is in the trash; `restore` brings it back.")
    return 0


def restore(arguments: argparse.Namespace) -> int:
    """Take an experiment out of the trash."""
    with existing(arguments.store, experiment_id=arguments.experiment_id) as services:
        services.experiments.restore(arguments.experiment_id)
    say(f"Experiment with id {arguments.experiment_id} has been restored.")
    return 0


def write_csv(arguments: argparse.Namespace) -> int:
    """Write the runs of an experiment as CSV, in the columns of ``search_runs``."""
    with existing(arguments.store, experiment_id=arguments.experiment_id) as services:
        services.experiments.get(arguments.experiment_id)
        write_runs(services, arguments.experiment_id, arguments.filename)
    if arguments.filename:
        say(f"Experiment with id {arguments.experiment_id} is in the file {arguments.filename}.")
    return 0
