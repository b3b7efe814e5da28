"""``mltrack server``."""

from __future__ import annotations

import argparse
import errno
import secrets
import socket
import sys
from pathlib import Path
from typing import Any

from mltrack_jupyter.cli.output import complain, say
from mltrack_jupyter.cli.parsing import Parser, store_of, whole_number
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.hosted import is_loopback

_WORKERS = "One process serves everybody; several servers may stand before one PostgreSQL database."
_INSTEAD = {
    "--ip": "Right would be --host.",
    "--no-browser": "None is opened unless you say --open.",
    "--allow-root": "It is allowed: this server starts no programs.",
    "--ServerApp.port": "Right would be --port.",
    "--ServerApp.ip": "Right would be --host.",
    "--IdentityProvider.token": "Right would be --token.",
    "--default-store": "Right would be --backend-store-uri.",
    "--file-store": "Right would be --backend-store-uri.",
    "--store": "Right would be --backend-store-uri.",
    "--registry-store-uri": "The registry is in the store that --backend-store-uri names.",
    "--app-name": "Whoever has the --token may come in; for users of their own, use JupyterHub.",
    "--static-prefix": "Everything is below /mltrack, too, which a proxy can lead to.",
    "--workers": _WORKERS,
    "--gunicorn-opts": _WORKERS,
    "--waitress-opts": _WORKERS,
    "--uvicorn-opts": _WORKERS,
    "--expose-prometheus": "/metrics is there without an option.",
    "--dev": "Leave it out.",
}
"""Options of MLflow's server and of Jupyter's, and what is right here."""


def add_arguments(parser: Parser, _name: str) -> None:
    """Declare the options."""
    parser.instead = _INSTEAD
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen at (default: only this machine)")
    add("--port", type=_port, default=5000, help="port (default: 5000; 0 takes any free one)")
    add("--backend-store-uri", metavar="STORE", help="folder, .db file or database URL")
    add(
        "--artifacts-destination",
        metavar="URI",
        default="",
        help="where this server keeps artifacts: a folder, or such as s3://bucket/folder (default: "
        "'artifacts' beside an SQLite store)",
    )
    add(
        "--default-artifact-root",
        metavar="URI",
        default="",
        help="where artifacts of new experiments go, if clients reach it themselves (default: through "
        "this server)",
    )
    add(
        "--serve-artifacts",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="let clients send and fetch artifacts through this server",
    )
    access = parser.add_mutually_exclusive_group()
    access.add_argument("--token", help="the token that clients send (default: a new random one)")
    access.add_argument(
        "--no-auth", action="store_true", help="ask for no token; only for this machine's own use"
    )
    add("--open", action="store_true", help="open a page in the browser that says how to connect")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal ends it."""
    local = is_loopback(arguments.host)
    if arguments.no_auth and not local:
        raise InvalidParameter(
            f"--no-auth is refused with --host {arguments.host}: anyone who reaches that address could "
            "read and change everything. Leave --no-auth out, or listen at 127.0.0.1."
        )
    if arguments.token is not None and len(arguments.token) < 8:
        raise InvalidParameter(
            "--token needs 8 characters at least; leave it out for a random one."
        )
    port = free_port(arguments.host, arguments.port)
    token = "" if arguments.no_auth else arguments.token or secrets.token_urlsafe(24)
    settings = {
        "host": arguments.host,
        "port": port,
        "token": token,
        "open": arguments.open,
        "backend_store_uri": store_of(arguments.backend_store_uri),
        "artifacts_destination": arguments.artifacts_destination,
        "default_artifact_root": arguments.default_artifact_root,
        "serve_artifacts": arguments.serve_artifacts,
    }
    _check_store(settings)
    from mltrack_jupyter.server.standalone import serve

    serve(settings, lambda: _announce(arguments, settings, local=local))
    complain("mltrack: stopped")
    return 0


def _port(text: str) -> int:
    found = whole_number(text)
    if not 0 <= found <= 65535:
        raise argparse.ArgumentTypeError(
            f"{found} is no port; right would be 1 to 65535, or 0 for any"
        )
    return found


def free_port(host: str, port: int) -> int:
    """Return the port if it is free, any free one for 0. Raises ``InvalidParameter``."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise InvalidParameter(_refused(host, port, error)) from error
        found: int = probe.getsockname()[1]
        return found


def _refused(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"The port {port} at {host} is in use by another program. Choose another one with --port, or "
            "--port 0 for any."
        )
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return (
            f"--host {host} is no address of this machine. Right would be 127.0.0.1, or 0.0.0.0 for all of its "
            "addresses."
        )
    return (
        f"The port {port} at {host} cannot be used ({error.strerror}). Choose another one with --port, or "
        "--port 0 for any."
    )


def _check_store(settings: dict[str, Any]) -> None:
    """Open the store once before anything listens, so that a wrong one is an error here and now."""
    from mltrack_jupyter.store import StoreUri, artifacts_of, normalise_uri, open_store

    uri = normalise_uri(settings["backend_store_uri"])
    if StoreUri.of(uri).is_server:
        raise InvalidParameter(
            f"{uri} is a server itself; name a folder, a .db file or a database URL with "
            "--backend-store-uri."
        )
    if not (settings["serve_artifacts"] or settings["default_artifact_root"]):
        # As MLflow has it: clients of this machine write where the server keeps its own.
        settings["default_artifact_root"] = str(artifacts_of(uri))
    _check_place("--artifacts-destination", settings["artifacts_destination"] or artifacts_of(uri))
    _check_place("--default-artifact-root", artifacts_of(uri), settings["default_artifact_root"])
    open_store(
        uri,
        artifact_root=settings["artifacts_destination"] or None,
        default_artifact_root=settings["default_artifact_root"],
    ).close()
    settings["backend_store_uri"] = uri


def _check_place(option: str, root: str | Path, default_root: str = "") -> None:
    from mltrack_jupyter.store.artifacts import Locations

    try:
        Locations(root, local_paths=False, default_root=default_root)
    except InvalidParameter as error:
        raise InvalidParameter(f"{option}: {error}") from error


def _announce(arguments: argparse.Namespace, settings: dict[str, Any], *, local: bool) -> None:
    host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
    address = f"http://{host}:{settings['port']}"
    say(f"mltrack server at {address}", f"  export MLFLOW_TRACKING_URI={address}")
    if settings["token"] and not arguments.token:
        say(f"  export MLFLOW_TRACKING_TOKEN={settings['token']}")
    elif not settings["token"]:
        say("  no token: every program of every user on this machine can read and change the store")
    if not local:
        complain(
            f"mltrack: {arguments.host} is reachable from other machines, without encryption: whoever "
            "reads the network reads the token. Put a reverse proxy with TLS before it."
        )
    sys.stdout.flush()
