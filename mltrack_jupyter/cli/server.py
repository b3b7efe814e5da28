"""``mltrack server``."""

from __future__ import annotations

import argparse
import errno
import ipaddress
import secrets
import socket
import sys
from typing import Any

from mltrack_jupyter.cli.output import complain, say
from mltrack_jupyter.cli.parsing import store_of
from mltrack_jupyter.errors import InvalidParameter


def add_arguments(parser: argparse.ArgumentParser, _name: str) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen at (default: only this machine)")
    add("--port", type=int, default=5000, help="port (default: 5000; 0 takes any free one)")
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


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def free_port(host: str, port: int) -> int:
    """Return the port if it is free, any free one for 0. Raises ``InvalidParameter``."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            taken = getattr(error, "errno", 0) == errno.EADDRINUSE
            reason = "is in use by another program" if taken else f"cannot be used ({error})"
            raise InvalidParameter(
                f"The port {port} at {host} {reason}. Choose another one with --port, or --port 0 for any."
            ) from error
        found: int = probe.getsockname()[1]
        return found


def _check_store(settings: dict[str, Any]) -> None:
    """Open the store once before anything listens, so that a wrong one is an error here and now."""
    from mltrack_jupyter.store import artifacts_of, normalise_uri, open_store

    uri = normalise_uri(settings["backend_store_uri"])
    if uri.startswith(("http://", "https://")):
        raise InvalidParameter(
            f"{uri} is a server itself; name a folder, a .db file or a database URL with "
            "--backend-store-uri."
        )
    if not (settings["serve_artifacts"] or settings["default_artifact_root"]):
        # As MLflow has it: clients of this machine write where the server keeps its own.
        settings["default_artifact_root"] = str(artifacts_of(uri))
    open_store(
        uri,
        artifact_root=settings["artifacts_destination"] or None,
        default_artifact_root=settings["default_artifact_root"],
    ).close()
    settings["backend_store_uri"] = uri


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
