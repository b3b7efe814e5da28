"""Who holds the locks of an SQLite file, so that whoever waits in vain can be told which process it is."""

from __future__ import annotations

import os
from pathlib import Path

from mltrack_jupyter.errors import Unavailable

TURN = ".turn"
"""What the name of the file ends in at which writers queue."""
_LOCKS = Path("/proc/locks")
_WAL_WRITER = 120
"""Which byte of the shared memory of a write-ahead log is locked by whoever writes."""
_STOPPED = ("T", "t")


def locked(path: str) -> Unavailable:
    """Return what is said when nobody could write to a file in the time that there was."""
    return Unavailable(
        f"{path} could not be written: {who_writes(path)} holds its lock, and did so for all the time that "
        "there was to wait. Nothing was written; try again."
    )


def who_writes(path: str) -> str:
    """Return which process keeps others from writing to an SQLite file, in words for a message.

    ``another process`` is all that can be said where the system does not tell who holds a lock.
    """
    found = writers(path)
    if not found:
        return "another process"
    pid = found[0]
    if pid == os.getpid():
        return f"another thread of this process (pid {pid})"
    if is_stopped(pid):
        return f"another process (pid {pid}, which is stopped: continue it, or end it)"
    return f"another process (pid {pid})"


def writers(path: str) -> list[int]:
    """Return the numbers of the processes that hold a lock for writing: the turn, or SQLite's own."""
    if not path:
        return []
    files = {_inode(path + TURN): 0, _inode(path + "-shm"): _WAL_WRITER, _inode(path): 0}
    files.pop(-1, None)
    try:
        lines = _LOCKS.read_text().splitlines() if files else []
    except OSError:
        return []
    held = [(pid, files.get(inode), span) for pid, inode, span in map(_held, lines)]
    return [
        pid
        for pid, byte, span in held
        if pid > 0 and byte is not None and (not byte or byte in span)
    ]


def is_stopped(pid: int) -> bool:
    """Tell whether a process was stopped by a signal, and does nothing until it is continued."""
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes().decode("latin-1")
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] in _STOPPED


def _inode(path: str) -> int:
    try:
        return Path(path).stat().st_ino
    except OSError:
        return -1


def _held(line: str) -> tuple[int, int, range]:
    """Return who holds a lock for writing on which inode and bytes; (0, -1, ...) for any other line."""
    # 1: POSIX  ADVISORY  WRITE 8223 fe:00:2255151 120 120
    fields = line.split()
    try:
        if fields[1] != "->" and fields[3] == "WRITE":
            first, last = int(fields[6]), fields[7]
            end = 2**63 if last == "EOF" else int(last) + 1
            return int(fields[4]), int(fields[5].rpartition(":")[2]), range(first, end)
    except (IndexError, ValueError):
        pass
    return 0, -1, range(0)
