"""The kernel that this process is, or was started by, and the Jupyter server that started that kernel.

Such a kernel points ``MLFLOW_TRACKING_URI`` at the server, so that code that uses MLflow logs to its store. The
kernel does so itself, and not the server: only where this package is installed can MLflow sign in.
"""

from __future__ import annotations

import os
import re
import stat
import sys

from mltrack_jupyter.inheritance import OFFERED, said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KERNEL = "MLTRACK_KERNEL_ID"
"""The variable that tells the processes that a kernel starts which kernel that was."""
SERVER = "MLTRACK_JUPYTER_SERVER"
"""The variable that tells the kernels of a Jupyter server (its process id) that MLflow may log to it."""
PLUGIN = "mltrack-jupyter"
"""What ``MLFLOW_TRACKING_AUTH`` calls the plug-in with which MLflow signs in."""
_URI, _SIGN_IN = "MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_AUTH"
_PROXIES = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")
_FILE = re.compile(r"kernel-(?:v\d+-?)?([0-9a-fA-F\-]{32,})\.json\Z")
_LONGEST = 100_000
_ANY = ("0.0.0.0", "::", "")  # noqa: S104 - compared, never bound


def is_kernel() -> bool:
    """Tell whether this process is a Jupyter kernel."""
    module = sys.modules.get("ipykernel.kernelapp")
    return module is not None and bool(module.IPKernelApp.initialized())


def kernel_id() -> str:
    """Return the id of this kernel, ``""`` outside of one, and of one that no Jupyter server started."""
    if not is_kernel():
        return ""
    kernel = sys.modules["ipykernel.kernelapp"].IPKernelApp.instance()
    match = _FILE.search(str(kernel.connection_file))
    return match[1] if match else ""


def nearest_kernel_id() -> str:
    """Return the id of the kernel whose notebook this process belongs to: its own, or that which started it."""
    return os.environ.get(KERNEL) or kernel_id()


def hand_down_kernel() -> None:
    """Let the processes that this kernel starts know it: what they log is of its notebook.

    A kernel that no server started, but a program that executes a notebook, belongs to the notebook, if any, in which
    that program runs.
    """
    if (found := kernel_id()) and _info_of(os.environ.get("JPY_PARENT_PID", "")) is not None:
        os.environ[KERNEL] = found


def server_info() -> dict[str, Any] | None:
    """Return what the Jupyter server of this kernel wrote about itself: port, token, root.

    ``None`` where it is not one on the loopback of this machine: its token goes nowhere else.
    """
    info = _info_of(os.environ.get("JPY_PARENT_PID", "")) or _info_of(os.environ.get(SERVER, ""))
    if info is None or not isinstance(info.get("port"), int) or info.get("sock"):
        return None
    return info if is_loopback(host_of(info)) else None


def _info_of(pid: str) -> dict[str, Any] | None:
    if not pid.isdigit():
        return None
    import json
    from pathlib import Path

    from jupyter_core.paths import jupyter_runtime_dir

    file_name = Path(jupyter_runtime_dir()) / f"jpserver-{pid}.json"
    try:
        with open(file_name, "rb", opener=_opened) as file:
            info = json.loads(file.read(_LONGEST)) if _is_ours(os.fstat(file.fileno())) else None
    except (OSError, ValueError, RecursionError):
        return None
    return info if isinstance(info, dict) else None


def _opened(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))  # a pipe must keep nobody waiting


def _is_ours(file: os.stat_result) -> bool:
    """Tell whether a file is one that nobody but this user, or the system's, can have written.

    Where somebody else may write, they would choose to which port our runs go, and with which token.
    """
    if not stat.S_ISREG(file.st_mode):
        return False
    if not hasattr(os, "geteuid"):
        return True
    # Some disks know of no rights; who says so to Jupyter says so to us.
    shared = file.st_mode & 0o022 and not os.environ.get("JUPYTER_ALLOW_INSECURE_WRITES")
    return file.st_uid in (os.geteuid(), 0) and not shared


def host_of(info: dict[str, Any]) -> str:
    """Return the host at which a server is reached from its own machine."""
    host = str(info.get("hostname", ""))
    return "127.0.0.1" if host in _ANY else host


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a host."""
    if host == "localhost":
        return True
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def tracking_address(info: dict[str, Any]) -> str:
    """Return the URL below which a Jupyter server answers MLflow."""
    host = host_of(info)
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{info['port']}{info.get('base_url') or '/'}mltrack"


def offer_to_mlflow() -> None:
    """Point ``MLFLOW_TRACKING_URI`` at the Jupyter server of this kernel, if it may and nobody set it."""
    if not is_kernel() or said(_URI):
        return
    found = _offered()
    if found and os.environ.setdefault(_SIGN_IN, PLUGIN) == PLUGIN:
        os.environ[_URI] = os.environ[OFFERED] = found
    elif os.environ.pop(OFFERED, ""):  # of the kernel in which this server was started
        os.environ.pop(_URI, None)


def _offered() -> str:
    server = os.environ.get(SERVER)
    info = server_info() if server else None
    if info is None or str(info.get("pid")) != server or not _has_plugin():
        return ""
    if info.get("secure"):  # its certificate is hardly one for the loopback
        return ""
    return "" if _is_behind_proxy(host_of(info)) else tracking_address(info)


def _is_behind_proxy(host: str) -> bool:
    # Elsewhere than on Linux the system may know of one that no variable names.
    if sys.platform == "linux" and not any(os.environ.get(name) for name in _PROXIES):
        return False
    from urllib.request import getproxies, proxy_bypass

    known = getproxies()
    return bool(known.get("http") or known.get("all")) and not proxy_bypass(host)


def _has_plugin() -> bool:
    """Tell whether MLflow finds the plug-in, which it does where the package is installed, and not only on the path."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        known = distribution("mltrack-jupyter").entry_points
    except PackageNotFoundError:
        return False
    return any(entry.name == PLUGIN for entry in known)
