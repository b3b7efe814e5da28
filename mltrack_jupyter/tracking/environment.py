"""What a run ran in: the installed packages as a lock, Python, the system and its hardware."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from mltrack_jupyter.tracking.programs import find_program, system_name

_SUFFIX = ".dist-info"
_TIMEOUT = 3.0


def packages() -> list[str]:
    """Return the installed packages as ``name==version``, sorted; those that Python would import."""
    found: dict[str, str] = {}
    for place in sys.path:
        try:
            names = sorted(os.listdir(place or "."))
        except OSError:
            continue
        # The names of the folders say it all; to read two hundred files takes a second.
        for name, dash, version in (
            entry.removesuffix(_SUFFIX).partition("-") for entry in names if entry.endswith(_SUFFIX)
        ):
            if dash:
                found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), version)
    if not found:  # from an archive, where nothing can be listed
        found = {item.name.lower(): item.version for item in importlib.metadata.distributions()}
    return [f"{name}=={found[name]}" for name in sorted(found)]


def describe() -> dict[str, Any]:
    """Return Python, the system and the hardware of this process; memory in bytes."""
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "executable": sys.executable,
        "system": system_name(),
        "machine": platform.machine(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory": _memory(),
        "gpus": _gpus(),
    }


def _cpu() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(errors="replace")
    except OSError:
        return platform.machine()
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return match[1].strip() if match else platform.machine()


def _memory() -> int | None:
    import psutil

    return int(psutil.virtual_memory().total)


def _gpus() -> list[str]:
    # Not by its name alone, which may be found in the working directory.
    program = find_program("nvidia-smi")
    if not program:
        return []
    command = [
        program,
        "--query-gpu=name,memory.total,driver_version",
        "--format=csv,noheader",
    ]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in answer.stdout.splitlines() if line.strip()]
