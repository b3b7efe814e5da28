"""The commit that a notebook or script stands on, asked of git itself."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_TIMEOUT = 2.0
MAX_DIFF = 1_000_000
# These would make git look at another repository than the one around the folder.
_ELSEWHERE = frozenset(
    f"GIT_{name}"
    for name in (
        "DIR", "WORK_TREE", "COMMON_DIR", "INDEX_FILE", "OBJECT_DIRECTORY", "NAMESPACE", "PREFIX",
        "ALTERNATE_OBJECT_DIRECTORIES", "IMPLICIT_WORK_TREE", "GRAFT_FILE", "SHALLOW_FILE",
    )
)  # fmt: skip
_QUERY = re.compile(r"[?#].*", re.DOTALL)
# git@host:path, as ssh has it; not a path of this machine, nor a drive of it.
_BESIDE = re.compile(r"[^/\\:]{2,}:")


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
    try:
        # As git sees it, which follows links before it goes upwards.
        folder = Path(os.path.realpath(folder))
    except OSError:  # a working directory that is gone
        return None
    root = find_root(folder)
    if root is None:
        return None
    text = _ask(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=no")
    return _parse(root, text, lambda branch: _remote(folder, branch))


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
            env=_surroundings(),
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


def _surroundings() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    return {**kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}


def _remote(folder: Path, branch: str) -> str:
    """Return the address of ``origin``, else of the branch's upstream, else of the only remote."""
    wanted = r"^(remote\..*\.url|branch\..*\.remote)$"
    addresses: dict[str, str] = {}
    upstream = ""
    for entry in _ask(folder, "config", "-z", "--get-regexp", wanted).split("\0"):
        key, _, value = entry.partition("\n")
        if key.startswith("remote."):
            # Of several addresses git fetches from the first.
            addresses.setdefault(key.removeprefix("remote.").removesuffix(".url"), value)
        elif key == f"branch.{branch}.remote":
            upstream = value
    only = next(iter(addresses), "") if len(addresses) == 1 else ""
    return next((addresses[name] for name in ("origin", upstream, only) if name in addresses), "")


def _parse(root: Path, text: str, remote: Callable[[str], str]) -> GitState | None:
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
    return GitState(root, commit, name, dirty, _without_credentials(remote(name).strip()))


def _without_credentials(address: str) -> str:
    scheme, mark, rest = address.partition("://")
    if mark:
        # A name that ssh logs in with is part of the address; what stands there for https is not.
        user, place = _split_user(rest)
        shown = f"{user}@" if user and "ssh" in scheme else ""
        return f"{scheme}://{shown}{_QUERY.sub('', place)}"
    if not _BESIDE.match(address):
        return address
    user, at, place = address.partition("@")
    if at and ":" in user and "/" not in user:
        user, place = user.partition(":")[0], address.rpartition("@")[2]
    return _QUERY.sub("", f"{user}{at}{place}")


def _split_user(rest: str) -> tuple[str, str]:
    """Return the user, without a password, and what is behind it in an address."""
    place, slash, path = rest.partition("/")
    user, at, host = place.rpartition("@")
    if at:
        return user.partition(":")[0], f"{host}{slash}{path}"
    name, colon, port = place.partition(":")
    if colon and "@" in path and not port.isdecimal():
        # No port, so it is a password, and it has a slash.
        return name, path.partition("@")[2]
    return "", rest


def find_root(folder: Path) -> Path | None:
    """Return the nearest folder upwards that holds ``.git``; found without running git."""
    for place in (folder, *folder.parents):
        if (place / ".git").exists():
            return place
    return None
