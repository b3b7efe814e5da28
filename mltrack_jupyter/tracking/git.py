"""The commit that a notebook or script stands on, asked of git itself."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_TIMEOUT = 2.0
MAX_DIFF = 1_000_000


@dataclass(frozen=True)
class GitState:
    """A repository at one moment; ``branch`` is empty where HEAD is detached."""

    root: Path
    commit: str
    branch: str
    dirty: bool
    remote: str = ""

    @property
    def tags(self) -> dict[str, str]:
        """The tags of a run that was started here."""
        tags = {
            "mlflow.source.git.commit": self.commit,
            "mlflow.source.git.branch": self.branch,
            "mlflow.source.git.repoURL": self.remote,
            "mltrack.git.root": str(self.root),
            "mltrack.git.dirty": str(self.dirty).lower(),
        }
        return {key: value for key, value in tags.items() if value}


def read_git(folder: Path) -> GitState | None:
    """Return the state of the repository around ``folder``; ``None`` without git or a repository.

    It takes some milliseconds, more in a large repository, at most four seconds. Credentials in the
    address of the remote are left out.
    """
    root = find_root(folder)
    if root is None:
        return None
    text = _ask(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=no")
    return _parse(root, text, lambda: _ask(folder, "config", "--get", "remote.origin.url"))


def read_diff(root: Path) -> str:
    """Return what a working tree changed in tracked files, at most a million characters of it."""
    # Neither a program that the repository names for a diff, nor one that turns files into text, is run.
    options = ("--no-ext-diff", "--no-textconv", "--no-color")
    text = _ask(root, "diff", *options, "HEAD")
    return (
        text if len(text) <= MAX_DIFF else f"{text[:MAX_DIFF]}\n# … cut after {MAX_DIFF} characters"
    )


def _ask(folder: Path, *words: str) -> str:
    # fsmonitor is a program that a repository's configuration may name: a look must not run it.
    command = ["git", "--no-optional-locks", "-c", "core.fsmonitor=false", "-C", str(folder)]
    try:
        process = subprocess.Popen(
            [*command, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"},
        )
    except OSError:
        return ""
    # Also a git that waits for something, or writes without end, is ended.
    clock = threading.Timer(_TIMEOUT, process.kill)
    clock.start()
    with process:
        assert process.stdout is not None
        text = process.stdout.read(4 * MAX_DIFF).decode(errors="replace")
        process.stdout.close()
    clock.cancel()
    return text


def _parse(root: Path, text: str, remote: Callable[[], str]) -> GitState | None:
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
    name = "" if branch == "(detached)" else branch
    return GitState(root, commit, name, dirty, _without_credentials(remote().strip()))


def _without_credentials(address: str) -> str:
    # git@host:path has a user that is part of the address; https://user:token@host has not.
    scheme, mark, rest = address.partition("://")
    if not mark or scheme == "ssh":
        return address
    place, slash, path = rest.partition("/")
    return f"{scheme}://{place.rpartition('@')[2]}{slash}{path}"


def find_root(folder: Path) -> Path | None:
    """Return the nearest folder upwards that holds ``.git``; found without running git."""
    for place in (folder, *folder.parents):
        if (place / ".git").exists():
            return place
    return None
