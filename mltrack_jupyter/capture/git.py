"""The commit that a notebook stands on, asked of git itself."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_TIMEOUT = 2.0


@dataclass(frozen=True)
class GitState:
    """A repository at one moment; ``branch`` is empty where HEAD is detached."""

    root: Path
    commit: str
    branch: str
    dirty: bool


def read_git(folder: Path) -> GitState | None:
    """Return the state of the repository around ``folder``; ``None`` without git or a repository.

    One call of ``git status`` answers everything, so that nothing stale is ever told. It takes some
    milliseconds, more in a large repository, at most two seconds.
    """
    root = find_root(folder)
    if root is None:
        return None
    # fsmonitor is a program that a repository's configuration may name: a look must not run it.
    command = ["git", "--no-optional-locks", "-c", "core.fsmonitor=false", "-C", str(folder)]
    command += ["status", "--porcelain=v2", "--branch", "--untracked-files=no"]
    try:
        answer = subprocess.run(
            command,
            capture_output=True,
            timeout=_TIMEOUT,
            check=True,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return _parse(root, answer.stdout.decode(errors="replace"))


def _parse(root: Path, text: str) -> GitState | None:
    heads: dict[str, str] = {}
    dirty = False
    for line in text.splitlines():
        if line.startswith("# "):
            key, _, value = line[2:].partition(" ")
            heads[key] = value
        else:
            dirty = True
    commit, branch = heads.get("branch.oid", ""), heads.get("branch.head", "")
    if not commit or commit == "(initial)":
        return None
    return GitState(root, commit, "" if branch == "(detached)" else branch, dirty)


def find_root(folder: Path) -> Path | None:
    """Return the nearest folder upwards that holds ``.git``; found without running git."""
    for place in (folder, *folder.parents):
        if (place / ".git").exists():
            return place
    return None
