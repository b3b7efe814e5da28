"""The present process as others may look for it, and whether one that was described still lives."""

from __future__ import annotations

import os
import sys
import uuid
from functools import lru_cache
from pathlib import Path

from mltrack_jupyter.entities import Process
from mltrack_jupyter.hosted import kernel_id

_ENDED = ("Z", "X", "x")  # a zombie only waits for its parent to ask how it ended
_STATE, _STARTED = 0, 19  # counted from the field after the name, see proc(5)


def present() -> Process:
    """Return a description of this process; the same each time, but another one after a fork."""
    return _present(os.getpid(), kernel_id())


@lru_cache(maxsize=4)
def _present(pid: int, kernel: str) -> Process:
    found = _look(pid)
    return Process(
        process_id=uuid.uuid4().hex,
        host=_host()[:256],
        boot_id=_boot_id(),
        pid=pid,
        started=found or 0,
        kernel_id=kernel,
    )


def _host() -> str:
    if hasattr(os, "uname"):
        return os.uname().nodename
    import socket

    return socket.gethostname()


def is_alive(process: Process) -> bool | None:
    """Tell whether a process lives; ``None`` if that cannot be known from here.

    Known is what runs on this machine, in this boot and (on Linux) among the same process numbers: it
    lives if its number is in use by a process that began when it did. A stopped one lives.
    """
    here = present()
    if not process.boot_id or (process.host, process.boot_id) != (here.host, here.boot_id):
        return None
    found = _look(process.pid)
    if found is None or process.started == 0:
        return None if found is not None else False
    return found == process.started


def _look(pid: int) -> int | None:
    """Return when the process of this number began (0: not known), ``None`` if there is none."""
    if not 0 < pid < 2**31:
        return None
    if not sys.platform.startswith("linux"):
        return _ask_psutil(pid)
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes().decode("latin-1")
    except (FileNotFoundError, ProcessLookupError):
        return None
    except OSError:
        return 0
    # The name of a program may hold blanks and brackets.
    fields = text.rpartition(")")[2].split()
    return None if fields[_STATE] in _ENDED else int(fields[_STARTED])


def _ask_psutil(pid: int) -> int | None:
    try:
        import psutil
    except ImportError:
        return 0
    try:
        found = psutil.Process(pid)
        ended = found.status() == psutil.STATUS_ZOMBIE
        return None if ended else int(found.create_time() * 1000)
    except psutil.NoSuchProcess:
        return None
    except psutil.Error:
        return 0


@lru_cache(maxsize=1)
def _boot_id() -> str:
    """Return which boot of which machine this is, with the name space of process numbers."""
    if not sys.platform.startswith("linux"):
        try:
            import psutil
        except ImportError:
            return ""
        return f"{uuid.getnode():x}:{int(psutil.boot_time())}"
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""
