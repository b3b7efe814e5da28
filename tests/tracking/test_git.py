"""A repository is read right, although git sees nothing of its configuration but what compares files."""

import os

import pytest
from traps import Trap, commit, git

from mltrack_jupyter.tracking.git import read_diff, read_git


@pytest.fixture
def trap(tmp_path):
    (tmp_path / "inner").mkdir()
    return Trap(tmp_path)


def test_what_only_a_filter_could_tell_is_not_known(trap):
    trap.attributes("*.txt filter=evil")
    trap.set("filter.evil.clean")
    commit(trap.root)
    assert read_git(trap.root).dirty is False
    trap.change()
    state, diff = trap.look()
    assert (state.dirty, state.tags["mltrack.git.dirty"]) == (None, "unknown")
    assert "two" not in diff
    assert "'f.txt' goes through a filter" in diff
    (trap.root / "g.py").write_text("depth = 1\n")
    git(trap.root, "add", "g.py")
    state, diff = trap.look()
    assert state.dirty is True
    assert "+depth = 1" in diff
    assert "two" not in diff


def test_a_work_tree_beside_it_and_refs_in_one_file(trap, tmp_path):
    git(trap.root, "worktree", "add", "-q", "-b", "side", tmp_path / "side")
    (tmp_path / "side" / "f.txt").write_text("beside\n")
    git(trap.root, "pack-refs", "--all")
    for folder, branch, dirty in ((trap.root, "trunk", False), (tmp_path / "side", "side", True)):
        state = read_git(folder)
        assert (state.root, state.branch, state.dirty) == (folder, branch, dirty)
        assert state.commit == git(trap.root, "rev-parse", "HEAD")
    assert "+beside" in read_diff(tmp_path / "side")


@pytest.mark.parametrize(
    "steps",
    [
        [("update-index", "--index-version", "4")],
        [("update-index", "--split-index")],
        [("sparse-checkout", "set", "--cone", "--sparse-index", "a")],
        [("config", "core.autocrlf", "true"), ("rm", "-q", "--cached", "-r", "."), ("reset", "-q", "--hard")],
    ],
    ids=["version 4", "split", "sparse", "line ends"],
)  # fmt: skip
def test_an_index_of_another_kind(trap, steps):
    for name in ("a", "b"):
        (trap.root / name).mkdir()
        (trap.root / name / "g.txt").write_text("one\ntwo\n")
    commit(trap.root)
    for step in steps:
        git(trap.root, *step)
    os.utime(trap.root / "f.txt", (1, 1))
    assert read_git(trap.root).dirty is False
    assert read_diff(trap.root) == ""
    (trap.root / "a" / "g.txt").write_text("one\nthree\n")
    assert read_git(trap.root).dirty is True
    assert "+three" in read_diff(trap.root)


def test_sha256(tmp_path):
    git(tmp_path, "init", "-q", "--object-format=sha256")
    (tmp_path / "f.txt").write_text("one\n")
    commit(tmp_path)
    (tmp_path / "f.txt").write_text("two\n")
    state = read_git(tmp_path)
    assert (len(state.commit), state.dirty) == (64, True)
    assert "+two" in read_diff(tmp_path)


def test_a_file_that_is_touched_only_is_the_same(trap):
    os.utime(trap.root / "f.txt", (1, 1))
    before = (trap.root / ".git" / "index").read_bytes()
    assert read_git(trap.root).dirty is False
    assert (trap.root / ".git" / "index").read_bytes() == before


def test_a_submodule_at_another_commit_is_a_change(trap):
    inner = Trap(trap.root.parent / "inner")
    git(trap.root, "-c", "protocol.file.allow=always", "submodule", "add", "-q", inner.root, "sub")
    commit(trap.root)
    assert read_git(trap.root).dirty is False
    git(trap.root / "sub", "commit", "-q", "--allow-empty", "-m", "more")
    assert read_git(trap.root).dirty is True
    assert read_git(trap.root / "sub").branch == "trunk"
