"""The commit that a notebook or script stands on, asked of git itself."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mltrack_jupyter.tracking.repository import Repository

MAX_DIFF = 1_000_000
# More than these are no list to give to git.
_MOST_FILTERED = 500
_LINE = "\n"
_DIRTY = {True: "true", False: "false", None: "unknown"}
_QUERY = re.compile(r"[?#].*", re.DOTALL)
# git@host:path, as ssh has it; not a path of this machine, nor a drive of it.
_BESIDE = re.compile(r"[^/\\:]{2,}:")


@dataclass(frozen=True)
class GitState:
    """A repository at one moment; ``branch`` is empty where HEAD is detached.

    ``dirty`` is ``None`` where only a program of the repository could tell, which is not run.
    """

    root: Path
    commit: str
    branch: str
    dirty: bool | None
    remote: str = ""

    @property
    def tags(self) -> dict[str, str]:
        """The tags of a run that was started here."""
        tags = {
            "mlflow.source.git.commit": self.commit,
            "mlflow.source.git.branch": self.branch,
            "mlflow.source.git.repoURL": self.remote,
            "mltrack.git.root": str(self.root),
            "mltrack.git.dirty": _DIRTY[self.dirty],
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
    with _opened(root) as repository:
        if repository is None or not repository.commit:
            return None
        remote = _without_credentials(_remote(repository).strip())
        return GitState(root, repository.commit, repository.branch, _is_dirty(repository), remote)


def read_diff(root: Path) -> str:
    """Return what a working tree changed in tracked files, as far as git says it in time.

    What goes through a filter, a program that the repository names, is told by its name only.
    """
    with _opened(root) as repository:
        if repository is None or not repository.commit:
            return ""
        hidden = _changes(repository)[1]
        if len(hidden) > _MOST_FILTERED:
            return f"# … {len(hidden)} files that go through a filter were changed; not shown\n"
        options = ("--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=dirty")
        others = [f":(top,exclude,literal){path}" for path in hidden]
        answer = repository.ask("diff", *options, "HEAD", "--", ":(top)", *others)
    text = answer.text.encode(errors="surrogateescape").decode(errors="replace")
    # A part of a line may be a part of a secret, which nobody would know again.
    kept = text if answer.whole else f"{text.rpartition(_LINE)[0]}\n# … not all that was changed\n"
    notes = [f"# {path!r} goes through a filter and may be changed; not shown\n" for path in hidden]
    return "".join([*notes, kept])


def _opened(root: Path) -> AbstractContextManager[Repository | None]:
    # Where there is no repository, which is often, nothing is loaded for it.
    from mltrack_jupyter.tracking.repository import opened

    return opened(root)


def _is_dirty(repository: Repository) -> bool | None:
    dirty, hidden = _changes(repository)
    return None if hidden and not dirty else dirty


def _changes(repository: Repository) -> tuple[bool | None, Sequence[str]]:
    """Tell whether tracked files were surely changed, and of which only their filter could tell it."""
    answer = repository.ask(
        "status", "--porcelain=v2", "-z", "--untracked-files=no", "--no-renames",
        "--ignore-submodules=dirty",
    )  # fmt: skip
    surely, touched = False, []
    for line in answer.text.split("\0"):
        kind, _, rest = line.partition(" ")
        if kind == "1" and rest.count(" ") >= 7:
            # 1 <XY> <sub> <modes of HEAD, index, file> <objects of HEAD, index> <path>
            state, _, _, indexed, there, _, _, path = rest.split(" ", 7)
            if state == ".M" and indexed == there:
                touched.append(path)
            else:
                surely = True
        elif kind == "u":
            surely = True
    hidden = _filtered(repository, touched)
    if surely or len(hidden) < len(touched):
        return True, hidden
    return (False if answer.whole else None), hidden


def _filtered(repository: Repository, paths: Sequence[str]) -> Sequence[str]:
    if not paths:
        return []
    fed = "".join(f"{path}\0" for path in paths)
    told = repository.ask("check-attr", "--stdin", "-z", "filter", fed=fed).text.split("\0")
    given = zip(told[0::3], told[2::3], strict=False)
    return [path for path, value in given if value not in ("unspecified", "unset")]


def _remote(repository: Repository) -> str:
    """Return the address of ``origin``, else of the branch's upstream, else of the only remote."""
    addresses: dict[str, str] = {}
    for key, values in repository.settings.items():
        if key.startswith("remote.") and key.endswith(".url"):
            # Of several addresses git fetches from the first.
            addresses[key.removeprefix("remote.").removesuffix(".url")] = values[0]
    upstream = repository.settings.get(f"branch.{repository.branch}.remote", [""])[-1]
    only = next(iter(addresses), "") if len(addresses) == 1 else ""
    return next((addresses[name] for name in ("origin", upstream, only) if name in addresses), "")


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
