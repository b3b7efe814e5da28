"""``mltrack …``: thin commands over the services. Each is imported when it is used."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from mltrack_jupyter import config
from mltrack_jupyter.cli.output import complain
from mltrack_jupyter.cli.parsing import Parser
from mltrack_jupyter.errors import MltrackError

__all__ = ["COMMANDS", "main"]

COMMANDS = {
    "server": "serve a store to MLflow clients and to mltrack, without JupyterLab",
    "experiments": "list experiments; make, rename, delete and restore one, or write its runs as CSV",
    "runs": "list runs, or show one; make, delete and restore one",
    "artifacts": "list, fetch and send files of runs",
    "models": "list registered models",
    "import": "bring in runs and models from MLflow, an export, another store, or a CSV",
    "export": "write everything of a store to a folder or a zip, or copy it into another store",
    "sync": "hand over what was logged while the store was away, or by processes that died",
    "trash": "show what is in the trash",
    "gc": "delete for good what is in the trash",
    "db": "check, back up or upgrade a database",
    "doctor": "see whether everything is in place, and what to type if not",
}
_INSTEAD = {
    "ui": "Right would be `jupyter lab`, whose sidebar shows runs and models, or `mltrack server` for clients.",
    "run": "MLproject folders are not run here: start the program itself, and what it logs is tracked. Runs are "
    "listed by `mltrack runs list`.",
    "lab": "Right would be `jupyter lab`.",
    "deployments": "Deploying is left out; `mlflow models serve` serves models from `mltrack server`.",
    "sagemaker": "Deploying is left out; `mlflow models serve` serves models from `mltrack server`.",
    "status": "Right would be `mltrack doctor`.",
    "init": "Nothing has to be prepared: the first run makes the store.",
    "login": "There is no account; a server asks for its own token, in MLFLOW_TRACKING_TOKEN.",
    "list": "Right would be `mltrack runs list`.",
    "ls": "Right would be `mltrack runs list`.",
    "search": "Right would be `mltrack runs list --filter ...`.",
    "compare": "Right would be `%mltrack compare` in a notebook.",
    "track": "Right would be %%track in the first line of a cell; a program calls mltrack.start_run().",
    "start": "Right would be `jupyter lab`, or `mltrack server` for clients.",
    "gateway": "It is left out: this package tracks runs of machine learning.",
}
"""Commands of MLflow, and what is right instead."""
_MODULES = {"import": "importing", "export": "exporting", "trash": "gc", "db": "database"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 not (all) done, 2 not understood."""
    given = list(sys.argv[1:] if argv is None else argv)
    name = next((word for word in given if not word.startswith("-")), "")
    parser = _parser(name)
    arguments = parser.parse_args(given)
    if not hasattr(arguments, "run"):
        parser.print_help()
        return 2 if given else 0
    try:
        code: int = arguments.run(arguments)
    except MltrackError as error:
        complain(f"mltrack: {error}")
        return 1
    except KeyboardInterrupt:
        complain("", "mltrack: interrupted")
        return 130
    except BrokenPipeError:  # the reader of our output has gone
        sys.stderr.close()
        return 1
    except OSError as error:  # a file that a user named
        place = f"{error.filename}: " if error.filename else ""
        complain(f"mltrack: {place}{error.strerror or error}")
        return 1
    return code


def _parser(name: str) -> Parser:
    parser = Parser(
        prog="mltrack",
        description="Experiment tracking inside Jupyter, wire-compatible with MLflow.",
        epilog="Where no store is named, it is MLTRACK_TRACKING_URI, else the nearest .mltrack folder.",
    )
    parser.instead = _INSTEAD
    parser.add_argument("--version", action="version", version=config.package_version())
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    for command, summary in COMMANDS.items():
        child = commands.add_parser(command, help=summary, description=f"{summary}.")
        if command == name:  # the others are not imported
            module = import_module(f"mltrack_jupyter.cli.{_MODULES.get(command, command)}")
            module.add_arguments(child, command)
    return parser
