"""Looking at a repository runs nothing of it, whatever its configuration, files and surroundings name.

Each case leads git to a program that leaves a mark. That it would is shown with git itself, for those that
a look at the work tree sets off.
"""

import os
import stat

import pytest
from traps import Trap, commit, git

from mltrack_jupyter.tracking import environment as environment_module
from mltrack_jupyter.tracking.git import read_diff, read_git
from mltrack_jupyter.tracking.programs import find_program, system_name


@pytest.fixture
def trap(tmp_path):
    return Trap(tmp_path)


def clean(trap):
    trap.attributes("*.txt filter=evil")
    trap.set("filter.evil.clean")


def process(trap):
    trap.attributes("*.txt filter=evil")
    trap.set("filter.evil.process")


def required(trap):
    clean(trap)
    trap.set("filter.evil.smudge")
    trap.set("filter.evil.required", "true")


def like_lfs(trap):
    trap.attributes("*.txt filter=lfs diff=lfs merge=lfs -text")
    for part in ("clean", "smudge", "process", "required"):
        trap.set(f"filter.lfs.{part}", "true" if part == "required" else None)
    trap.set("diff.lfs.textconv")


def in_info_attributes(trap):
    trap.attributes("*.txt filter=evil", ".git/info/attributes")
    trap.set("filter.evil.clean")


def in_a_file_of_attributes(trap):
    trap.attributes("*.txt filter=evil", "../attributes")
    trap.set("core.attributesFile", trap.root.parent / "attributes")
    trap.set("filter.evil.clean")


def included(trap):
    clean(trap)
    git(trap.root, "config", "--unset", "filter.evil.clean")
    more = trap.root.parent / "more"
    more.write_text(f'[filter "evil"]\n\tclean = {trap.program}\n')
    trap.set("include.path", more)


def included_for_a_branch(trap):
    clean(trap)
    git(trap.root, "config", "--unset", "filter.evil.clean")
    more = trap.root.parent / "more"
    more.write_text(f'[filter "evil"]\n\tclean = {trap.program}\n')
    trap.set("includeIf.onbranch:trunk.path", more)


def of_a_work_tree(trap):
    trap.attributes("*.txt filter=evil")
    trap.set("extensions.worktreeConfig", "true")
    trap.set("filter.evil.clean", None, "--worktree")


def monitor(trap):
    trap.set("core.fsmonitor")


def monitor_of_a_work_tree(trap):
    trap.set("extensions.worktreeConfig", "true")
    trap.set("core.fsmonitor", None, "--worktree")


def of_a_submodule(trap):
    inner = Trap(trap.root.parent / "inner")
    git(trap.root, "-c", "protocol.file.allow=always", "submodule", "add", "-q", inner.root, "sub")
    commit(trap.root)
    (trap.root / "sub" / ".gitattributes").write_text("*.txt filter=evil\n")
    git(trap.root / "sub", "config", "filter.evil.clean", str(trap.program))
    git(trap.root / "sub", "config", "core.fsmonitor", str(trap.program))
    (trap.root / "sub" / "f.txt").write_text("other than before\n")


STATUS = [
    clean, process, required, like_lfs, in_info_attributes, in_a_file_of_attributes, included,
    included_for_a_branch, of_a_work_tree, monitor, monitor_of_a_work_tree, of_a_submodule,
]  # fmt: skip


@pytest.fixture(autouse=True)
def inner_folder(tmp_path):
    (tmp_path / "inner").mkdir()


@pytest.mark.parametrize("set_up", STATUS, ids=lambda case: case.__name__)
def test_what_git_itself_would_run_at_a_look(trap, set_up):
    set_up(trap)
    trap.change()
    state = trap.look()[0]
    assert not trap.mark.exists()
    assert state.commit == git(trap.root, "rev-parse", "HEAD")
    assert state.dirty is not False
    trap.mark.unlink(missing_ok=True)
    git(trap.root, "diff", "--submodule=diff", check=False)
    assert trap.mark.exists(), "git runs it no longer: this case shows nothing"


KEYS = [
    "diff.external", "diff.evil.textconv", "diff.evil.command", "core.pager", "pager.status", "pager.diff",
    "core.alternateRefsCommand", "core.sshCommand", "core.gitProxy", "core.editor", "core.askPass",
    "credential.helper", "gpg.program", "gpg.ssh.program", "interactive.diffFilter", "merge.evil.driver",
    "uploadpack.packObjectsHook", "remote.origin.uploadpack", "remote.origin.vcs", "sequence.editor",
    "submodule.f.update", "alias.status", "alias.diff", "alias.config", "trace2.eventTarget",
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_a_program_in_the_configuration(trap, key):
    trap.attributes("*.txt diff=evil merge=evil")
    trap.set(key, f"!{trap.program}" if key.startswith(("alias", "submodule")) else None)
    trap.change()
    state, diff = trap.look()
    assert not trap.mark.exists()
    assert state.dirty is True
    assert "+two, and more" in diff


@pytest.mark.parametrize("hook", ["post-index-change", "pre-commit", "fsmonitor-watchman"])
@pytest.mark.parametrize("place", [".git/hooks", "elsewhere"])
def test_a_hook(trap, hook, place):
    if place == "elsewhere":
        trap.set("core.hooksPath", trap.root / place)
    (trap.root / place).mkdir(exist_ok=True)
    (trap.root / place / hook).write_bytes(trap.program.read_bytes())
    (trap.root / place / hook).chmod(0o755)
    os.utime(trap.root / "f.txt", (1, 1))  # git would write the index anew
    assert trap.look()[0].dirty is False
    assert not trap.mark.exists()


VARIABLES = [
    "GIT_EXTERNAL_DIFF", "GIT_PAGER", "GIT_SSH_COMMAND", "GIT_SSH", "GIT_ASKPASS", "GIT_EDITOR",
    "GIT_PROXY_COMMAND", "GIT_TRACE", "GIT_TRACE2_EVENT",
]  # fmt: skip


@pytest.mark.parametrize("name", VARIABLES)
def test_a_program_in_the_environment(trap, monkeypatch, name):
    monkeypatch.setenv(name, str(trap.mark if "TRACE" in name else trap.program))
    trap.change()
    state, diff = trap.look()
    assert not trap.mark.exists()
    assert (state.dirty, "+two, and more" in diff) == (True, True)


def test_a_configuration_in_the_environment(trap, monkeypatch):
    trap.attributes("*.txt filter=evil")
    trap.change()
    for name, value in {
        "COUNT": "1", "KEY_0": "filter.evil.clean", "VALUE_0": str(trap.program),
        "PARAMETERS": f"'core.fsmonitor={trap.program}'", "GLOBAL": str(trap.root / "evil"),
    }.items():  # fmt: skip
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    (trap.root / "evil").write_text(f'[filter "evil"]\n\tclean = {trap.program}\n')
    trap.look()
    assert not trap.mark.exists()


def test_the_repository_changes_its_mind_while_it_is_looked_at(trap, monkeypatch):
    # The moment between reading a configuration and using it: there is none, nothing of it is used.
    from mltrack_jupyter.tracking.repository import Repository

    trap.attributes("*.txt filter=evil")
    trap.change()
    ask = Repository.ask

    def late(self, *words, **options):
        trap.set("filter.evil.clean")
        trap.set("core.fsmonitor")
        return ask(self, *words, **options)

    monkeypatch.setattr(Repository, "ask", late)
    trap.look()
    assert not trap.mark.exists()


def test_a_git_in_the_working_directory_or_in_the_repository(trap, monkeypatch):
    (trap.root / "bin").mkdir()
    for place in (trap.root, trap.root / "bin"):
        for name in ("git", "nvidia-smi", "uname"):
            (place / name).write_bytes(trap.program.read_bytes())
            (place / name).chmod(0o755)
    link = trap.root.parent / "link"
    link.symlink_to(trap.root / "bin")
    monkeypatch.chdir(trap.root)
    usual = os.environ["PATH"]
    here = [".", "", "bin", str(trap.root), f"{trap.root}/bin", str(link)]
    monkeypatch.setenv("PATH", os.pathsep.join([*here, usual]))
    assert trap.look()[0].commit
    assert not trap.mark.exists()
    assert find_program("git", trap.root).endswith("/git")
    monkeypatch.setenv("PATH", os.pathsep.join(here[:3]))
    environment_module.describe()
    assert system_name()
    assert read_git(trap.root) is None
    assert not trap.mark.exists()


def test_a_bare_repository_in_a_folder_is_none(tmp_path):
    trap = Trap(tmp_path)
    bare = trap.root / "data" / "bare"
    git(trap.root, "clone", "-q", "--bare", ".", bare)
    for key in ("core.fsmonitor", "core.pager"):
        git(bare, "config", key, str(trap.program))
    git(bare, "config", "core.bare", "false")
    git(bare, "config", "core.worktree", str(trap.root))
    assert read_git(bare).root == trap.root
    read_diff(bare)
    assert not trap.mark.exists()


def test_a_file_that_leads_to_another_repository(trap, tmp_path):
    place = tmp_path / "elsewhere"
    place.mkdir()
    (place / ".git").write_text(f"gitdir: {trap.root / '.git'}\n")
    (place / "f.txt").write_text("mine\n")
    clean(trap)
    (place / ".gitattributes").write_text("*.txt filter=evil\n")
    trap.set("core.fsmonitor")
    trap.set("core.worktree", str(place))
    state = read_git(place)
    assert (state.root, state.commit) == (place, git(tmp_path / "repository", "rev-parse", "HEAD"))
    read_diff(place)
    assert not trap.mark.exists()


@pytest.mark.parametrize(
    "text", ["", "gitdir:", "gitdir: /nowhere", "x", "gitdir: \0", "gitdir: ."]
)
def test_a_file_that_leads_nowhere(tmp_path, text):
    (tmp_path / ".git").write_text(text)
    assert read_git(tmp_path) is None
    assert read_diff(tmp_path) == ""


@pytest.mark.parametrize(
    "name", ["HEAD", "config", "index", "packed-refs", "commondir", "info/attributes"]
)
def test_a_pipe_in_its_place_lets_nobody_wait(trap, name):
    trap.change()
    place = trap.root / ".git" / name
    place.parent.mkdir(exist_ok=True)
    place.unlink(missing_ok=True)
    os.mkfifo(place)
    trap.look()
    assert stat.S_ISFIFO(place.stat().st_mode)


@pytest.mark.parametrize(
    "head",
    ["ref: ../../f", "ref: refs/../../f", "ref: HEAD", "ref: refs/\0", "é", "ref: refs/heads"],
)
def test_a_head_that_leads_astray(trap, head):
    (trap.root / ".git" / "HEAD").write_text(head)
    assert read_git(trap.root) is None


def test_an_extension_that_nobody_knows(trap):
    trap.set("extensions.another", "1")
    assert read_git(trap.root) is None


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="another uid takes root"
)
def test_a_repository_of_somebody_else(trap):
    clean(trap)
    trap.change()
    for folder, _, names in os.walk(trap.root):
        for name in [folder, *(os.path.join(folder, name) for name in names)]:
            os.chown(name, 65534, 65534)
    state, _ = trap.look()
    assert state.commit
    assert not trap.mark.exists()
