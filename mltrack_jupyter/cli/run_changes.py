"""``mltrack runs create|describe|delete|restore``, with MLflow's options."""

from __future__ import annotations

import argparse
import time
from typing import Any

from mltrack_jupyter.cli.output import say, say_json
from mltrack_jupyter.cli.parsing import add_store
from mltrack_jupyter.cli.stores import existing, open_new
from mltrack_jupyter.entities import RunStatus, Tag
from mltrack_jupyter.errors import InvalidParameter, NotFound
from mltrack_jupyter.services import Services

_ENDED = [status.value for status in RunStatus if status.is_terminated()]


def add_changes(commands: Any) -> None:
    """Declare the commands beside those that only show runs."""
    for name, summary, act in (
        ("describe", "show one run, as JSON", describe),
        ("delete", "put a run into the trash", delete),
        ("restore", "take a run out of the trash", restore),
    ):
        command = commands.add_parser(name, help=summary)
        command.add_argument("--run-id", required=True, metavar="ID", help="the run")
        add_store(command)
        command.set_defaults(run=act)
    creating = commands.add_parser("create", help="make a run that has ended")
    add = creating.add_argument
    add("--experiment-id", "-x", metavar="ID", help="the experiment (default: Default)")
    add("--experiment-name", metavar="NAME", help="the same by its name, made if it is new")
    add("--run-name", default="", metavar="NAME", help="its name (default: an invented one)")
    add("--description", metavar="TEXT", help="a note on it")
    add("--tags", "-t", action="append", default=[], metavar="KEY=VALUE", help="may be repeated")
    add("--status", choices=_ENDED, default="FINISHED", help="how it ended (default: FINISHED)")
    add("--parent-run-id", metavar="ID", help="the run that it is a child of")
    add_store(creating)
    creating.set_defaults(run=create)


def describe(arguments: argparse.Namespace) -> int:
    """Print one run as JSON."""
    with existing(arguments.store, run_id=arguments.run_id) as services:
        found = services.runs.get(arguments.run_id)
    say_json(found.to_dictionary(), indent=4)
    return 0


def delete(arguments: argparse.Namespace) -> int:
    """Put a run into the trash."""
    with existing(arguments.store, run_id=arguments.run_id) as services:
        services.runs.delete(arguments.run_id)
    say(f"Run with id {arguments.run_id} is in the trash; `restore` brings it back.")
    return 0


def restore(arguments: argparse.Namespace) -> int:
    """Take a run out of the trash."""
    with existing(arguments.store, run_id=arguments.run_id) as services:
        services.runs.restore(arguments.run_id)
    say(f"Run with id {arguments.run_id} has been restored.")
    return 0


def create(arguments: argparse.Namespace) -> int:
    """Make a run that has ended; the default store too, if it is not there yet."""
    from mltrack_jupyter.config import user_name

    tags = [_tag(text) for text in arguments.tags]
    if arguments.description:
        tags.append(Tag("mlflow.note.content", arguments.description))
    if arguments.parent_run_id:
        tags.append(Tag("mlflow.parentRunId", arguments.parent_run_id))
    with open_new(arguments.store) as services:
        if arguments.parent_run_id:
            services.runs.get(arguments.parent_run_id)
        number, now = _experiment(services, arguments), int(time.time() * 1000)
        run = services.runs.create(number, user_name(), arguments.run_name, now, tags)
        services.runs.update(
            run.info.run_id, status=RunStatus(arguments.status), end_time=int(time.time() * 1000)
        )
    say_json({"run_id": run.info.run_id, "run_name": run.info.run_name})
    return 0


def _experiment(services: Services, arguments: argparse.Namespace) -> str:
    if arguments.experiment_id and arguments.experiment_name:
        raise InvalidParameter("Name the experiment by --experiment-id or by --experiment-name.")
    if not arguments.experiment_name:
        return arguments.experiment_id or "0"
    try:
        return services.experiments.get_by_name(arguments.experiment_name).experiment_id
    except NotFound:
        return services.experiments.create(arguments.experiment_name)


def _tag(text: str) -> Tag:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise InvalidParameter(f"--tags {text!r}: right would be KEY=VALUE.")
    return Tag(key, value)
