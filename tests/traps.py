"""Repositories with programs that leave a mark when somebody runs them."""

import subprocess

from mltrack_jupyter.tracking.git import read_diff, read_git


def git(folder, *words, check=True):
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    command = ["git", *identity, "-C", str(folder), *words]
    return subprocess.run(command, check=check, capture_output=True, text=True).stdout.strip()


def commit(folder, **files):
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")


class Trap:
    """A repository with a changed file, and programs that leave a mark."""

    def __init__(self, folder):
        self.mark = folder / "MARK"
        self.program = folder / "program"
        self.program.write_text(f"#!/bin/sh\ntouch '{self.mark}'\ncat 2>/dev/null\n")
        self.program.chmod(0o755)
        self.root = folder / "repository"
        self.root.mkdir()
        git(self.root, "init", "-q", "-b", "trunk")
        (self.root / "f.txt").write_text("one\n")
        commit(self.root)

    def change(self):
        (self.root / "f.txt").write_text("two, and more\n")

    def set(self, key, value=None, *where):
        git(self.root, "config", *where, key, str(value or self.program))

    def attributes(self, line, place=".gitattributes"):
        target = self.root / place
        target.parent.mkdir(exist_ok=True)
        target.write_text(f"{line}\n")

    def look(self):
        self.mark.unlink(missing_ok=True)
        state = read_git(self.root)
        return state, read_diff(self.root)
