"""The kernel that this process is, or was started by, and the Jupyter server that started that kernel."""

from __future__ import annotations

import os
import re
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KERNEL = "MLTRACK_KERNEL_ID"
"""The variable that tells the processes that a kernel starts which kernel that was."""
_FILE = re.compile(r"kernel-(?:v\d+-?)?([0-9a-fA-F\-]{32,})\.json\Z")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
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
    """Return the id of this kernel, or of the one in which this process was started, else ``""``."""
    return kernel_id() or os.environ.get(KERNEL, "")


def hand_down_kernel() -> None:
    """Let the processes that this kernel starts know it: what they log is of its notebook."""
    if found := kernel_id():
        os.environ[KERNEL] = found


def server_info() -> dict[str, Any] | None:
    """Return what the Jupyter server of this kernel wrote about itself: port, token, root.

    ``None`` where it is not one on the loopback of this machine: its token goes nowhere else.
    """
    parent = os.environ.get("JPY_PARENT_PID", "")
    if not parent.isdigit():
        return None
    import json
    from pathlib import Path

    from jupyter_core.paths import jupyter_runtime_dir

    try:
        info = json.loads((Path(jupyter_runtime_dir()) / f"jpserver-{parent}.json").read_text())
    except (OSError, ValueError):
        return None
    if not isinstance(info, dict) or not isinstance(info.get("port"), int) or info.get("sock"):
        return None
    return info if is_loopback(host_of(info)) else None


def host_of(info: dict[str, Any]) -> str:
    """Return the host at which a server is reached from its own machine."""
    host = str(info.get("hostname", ""))
    return "127.0.0.1" if host in _ANY else host


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, whatever else its network knows."""
    return host in _LOOPBACK or host.startswith("127.")
