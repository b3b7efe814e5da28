"""``mltrack doctor``: one line a thing, each with ok or what to type."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from mltrack_jupyter import config
from mltrack_jupyter.cli.output import say
from mltrack_jupyter.cli.parsing import add_store, store_of
from mltrack_jupyter.errors import MltrackError

_STARTUP = "startup"


def add_arguments(parser: argparse.ArgumentParser, _name: str) -> None:
    """Declare the option."""
    add_store(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the state of everything; exit code 1 if something is to be done."""
    checks: list[tuple[str, Callable[[], str]]] = [
        ("python", _python),
        ("server extension", _server_extension),
        ("lab extension", _lab_extension),
        ("magics in kernels", _startup_file),
    ]
    results = list(_store(store_of(arguments.store)))
    results += [(name, check()) for name, check in checks]
    for name, advice in results:
        mark = "ok  " if advice.startswith("ok") else "DO  "
        say(f"{mark}{name:<20}{advice.removeprefix('ok').lstrip(': ')}")
    return 0 if all(advice.startswith("ok") for _, advice in results) else 1


def _store(uri: str) -> Iterator[tuple[str, str]]:
    from mltrack_jupyter.store import StoreUri, normalise_uri, open_store
    from mltrack_jupyter.store.read_only import reason_of

    try:
        store = StoreUri.of(normalise_uri(uri))
    except MltrackError as error:
        yield "store", str(error)
        return
    path = store.file
    if path is not None and not path.exists():
        folder = next(item for item in path.parents if item.exists())
        writable = os.access(folder, os.W_OK)
        yield "store", f"ok: {path} will be created by the first run"
        yield "writable", "ok" if writable else f"chmod u+w {folder}, or set MLTRACK_TRACKING_URI"
        return
    try:
        services = open_store(store.text)
        try:
            info = services.workspace.info()
        finally:
            services.close()
    except MltrackError as error:
        yield "store", str(error)
        return
    yield "store", f"ok: {store.place} ({info.store})"
    yield "schema", f"ok: {info.schema_version}"
    if path is not None:
        reason = reason_of(str(path))
        yield "writable", f"set MLTRACK_TRACKING_URI to record: {reason}" if reason else "ok"


def _python() -> str:
    return f"ok: {sys.version.split()[0]}, mltrack-jupyter {config.package_version()}"


def _server_extension() -> str:
    if importlib.util.find_spec("jupyter_server") is None:
        return f"{sys.executable} -m pip install jupyter_server"
    from jupyter_core.paths import jupyter_config_path
    from jupyter_server.extension.config import ExtensionConfigManager

    manager = ExtensionConfigManager(read_config_path=jupyter_config_path())
    if manager.get_jpserver_extensions().get("mltrack_jupyter"):
        return "ok: enabled"
    return "jupyter server extension enable mltrack_jupyter"


def _lab_extension() -> str:
    from jupyter_core.paths import jupyter_path

    for folder in jupyter_path("labextensions"):
        place = Path(folder) / "mltrack-jupyter" / "package.json"
        if place.exists():
            return f"ok: {place.parent}"
    return f"{sys.executable} -m pip install --force-reinstall --no-deps mltrack-jupyter"


def _startup_file() -> str:
    folders = [Path(sys.prefix) / "etc" / "ipython", Path("/usr/local/etc/ipython")]
    for folder in folders:
        for place in sorted((folder / _STARTUP).glob("*.py")):
            if "mltrack" in place.read_text("utf-8", errors="replace"):
                return f"ok: {place}"
    return "%load_ext mltrack_jupyter (in a notebook), or reinstall mltrack-jupyter"
