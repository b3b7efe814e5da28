"""A repository for git to look at, without anything that could name a program.

What a repository says in its configuration, and that may be anybody's, runs programs: filters, hooks,
monitors, what shows a difference. To switch them off by name would be a list that is never complete, and a
race with whoever changes the configuration. So git is given a git directory of our own, new and empty, with
a configuration that we wrote, and from the repository only its objects, its index and its files.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mltrack_jupyter.tracking.programs import find_program

_TIMEOUT = 2.0
MOST = 4_000_000
"""How much of an answer of git is read, in bytes."""
_SMALL = 1_000_000
_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
# What says how files of a work tree are compared with the index; none of it names a program.
_DECLARED = frozenset((
    "core.autocrlf", "core.bigfilethreshold", "core.checkstat", "core.eol", "core.filemode",
    "core.ignorecase", "core.precomposeunicode", "core.sparsecheckout", "core.sparsecheckoutcone",
    "core.symlinks", "core.trustctime", "extensions.objectformat", "index.sparse",
))  # fmt: skip
_WORD = re.compile(r"[A-Za-z0-9]{0,20}")
# With another one, a repository may be of a shape that we do not know.
_EXTENSIONS = frozenset((
    "noop", "noop-v1", "objectformat", "compatobjectformat", "partialclone", "preciousobjects",
    "relativeworktrees", "worktreeconfig",
))  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What git printed; ``whole`` tells that it came to its end by itself."""

    text: str
    whole: bool


class Repository:
    """The repository of a work tree, for as long as :func:`opened` has it open."""

    def __init__(self, root: Path, own: Path, program: str, private: Path) -> None:
        self.root = root
        self._own = own
        common = _read(own / "commondir").strip()
        self._common = Path(os.path.abspath(own / common)) if common else own
        self._program = program
        self._private = private
        self.commit = ""
        """Where HEAD stands, ``""`` before the first commit."""
        self.branch = ""
        """The branch of HEAD, ``""`` where it is detached."""
        self.settings: Mapping[str, list[str]] = {}
        """What the configuration of the repository says, without files that it includes."""

    def ask(self, *words: str, fed: str = "") -> Answer:
        """Return what git answers of the work tree; ``fed`` is its standard input."""
        return self._run(self._surroundings(), *words, fed=fed)

    def prepare(self) -> bool:
        """Make the git directory that git is given; ``False`` if this is nothing that we can read."""
        (self._private / "HEAD").write_text("ref: refs/heads/none\n")
        for name in ("refs", "objects", "info"):
            (self._private / name).mkdir()
        self.settings = self._listed("--file", str(self._common / "config"), "--no-includes")
        if self.settings.get("extensions.worktreeconfig", [""])[-1].lower() == "true":
            own = self._listed("--file", str(self._own / "config.worktree"), "--no-includes")
            self.settings = {**self.settings, **own}
        names = {key.partition(".")[2] for key in self.settings if key.startswith("extensions.")}
        if not names <= _EXTENSIONS:
            return False
        self._find_head()
        (self._private / "HEAD").write_text(f"{self.commit or 'ref: refs/heads/none'}\n")
        for name, folder in (("attributes", self._common), ("sparse-checkout", self._own)):
            text = _read(folder / "info" / name)
            (self._private / "info" / name).write_text(text, errors="surrogateescape")
        for shared in self._own.glob("sharedindex.*"):
            (self._private / shared.name).symlink_to(shared)
        (self._private / "config").write_text(self._configuration())
        return True

    def _configuration(self) -> str:
        # How the user's own system compares files, in the user's own configuration.
        users = self._listed("--includes", home=os.path.expanduser("~"))
        chosen: dict[str, str] = {}
        for listed in (users, self.settings):
            chosen |= {key: values[-1] for key, values in listed.items() if key in _DECLARED}
        lines = ["[core]", "\tbare = false"]
        lines.append(f"\trepositoryFormatVersion = {int('extensions.objectformat' in chosen)}")
        attributes = users.get("core.attributesfile", ["~/.config/git/attributes"])[-1]
        lines.append(f"\tattributesFile = {_quoted(os.path.expanduser(attributes))}")
        for key, value in chosen.items():
            section, _, name = key.partition(".")
            if _WORD.fullmatch(value):
                lines += [f"[{section}]", f"\t{name} = {value}"]
        return "\n".join([*lines, ""])

    def _find_head(self) -> None:
        name = _read(self._own / "HEAD").strip()
        for _ in range(5):
            if _HASH.fullmatch(name):
                self.commit = name
                return
            name = name.removeprefix("ref: ").strip()
            if not name.startswith("refs/") or ".." in name or "\0" in name:
                return
            self.branch = name.removeprefix("refs/heads/")
            name = _read(self._common / name).strip() or self._packed(name)

    def _packed(self, name: str) -> str:
        if not _is_file(self._common / "packed-refs"):
            return ""
        with (self._common / "packed-refs").open(errors="replace") as file:
            for line in file:
                commit, _, of = line.rstrip("\n").partition(" ")
                if of == name:
                    return commit
        return ""

    def _listed(self, *words: str, home: str = "") -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        if "--file" in words and not _is_file(Path(words[1])):
            return found
        surroundings = self._surroundings()
        if home:
            usual = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
            surroundings |= {"HOME": home, "XDG_CONFIG_HOME": usual}
            del surroundings["GIT_CONFIG_NOSYSTEM"], surroundings["GIT_CONFIG_GLOBAL"]
        for entry in self._run(surroundings, "config", "-z", "--list", *words).text.split("\0"):
            key, _, value = entry.partition("\n")
            found.setdefault(key, []).append(value)
        return found

    def _surroundings(self) -> dict[str, str]:
        # Of the variables of git none stays: they name programs, other repositories, and files to write.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        return {
            **kept,
            "HOME": str(self._private),
            "XDG_CONFIG_HOME": str(self._private),
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_DIR": str(self._private),
            "GIT_WORK_TREE": str(self.root),
            "GIT_INDEX_FILE": str(self._own / "index"),
            "GIT_OBJECT_DIRECTORY": str(self._common / "objects"),
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_TERMINAL_PROMPT": "0",
        }

    def _run(self, surroundings: Mapping[str, str], *words: str, fed: str = "") -> Answer:
        given = self._private / "input"
        given.write_text(fed, errors="surrogateescape")
        try:
            with given.open("rb") as file:
                process = subprocess.Popen(
                    [self._program, *words],
                    stdin=file,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    cwd=self._private,
                    env=surroundings,
                )
        except OSError:
            return Answer("", whole=False)
        # Also a git that waits for something, or writes without end, is ended.
        clock = threading.Timer(_TIMEOUT, process.kill)
        clock.start()
        with process:
            assert process.stdout is not None
            text = process.stdout.read(MOST).decode(errors="surrogateescape")
            process.stdout.close()
        clock.cancel()
        return Answer(text, whole=process.returncode == 0)


@contextmanager
def opened(root: Path) -> Iterator[Repository | None]:
    """Open the repository of a work tree; ``None`` if there is no git, or nothing that it could read."""
    own = git_folder(root)
    program = find_program("git", root)
    if own is None or not program:
        yield None
        return
    try:
        private = Path(tempfile.mkdtemp(prefix="mltrack-git-"))
    except OSError:
        yield None
        return
    try:
        repository = Repository(root, own, program, private)
        yield repository if _prepared(repository) else None
    finally:
        shutil.rmtree(private, ignore_errors=True)


def git_folder(root: Path) -> Path | None:
    """Return the git directory of a work tree, which a file may name."""
    place = root / ".git"
    if place.is_dir():
        return place
    mark, _, name = _read(place).strip().partition(":")
    return Path(os.path.abspath(root / name.strip())) if mark == "gitdir" and name else None


def _prepared(repository: Repository) -> bool:
    try:
        return repository.prepare()
    except (OSError, ValueError):  # links that may not be made, a name that no path can have
        return False


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def _read(path: Path) -> str:
    """Return the text of a small file, ``""`` of anything else: a pipe would let us wait."""
    if not _is_file(path):
        return ""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            return file.read(_SMALL).decode(errors="surrogateescape")
    except OSError:
        return ""


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "").replace("\0", "")
    return f'"{escaped}"'
