"""Who may read what is written: its user alone, whatever the umask, or a group whose folder says so."""

import os
import stat
import subprocess
import sys

import pytest

from mltrack_jupyter import cli
from mltrack_jupyter.store import open_store

WRITES = """
import os, sys
os.umask(int(sys.argv[1], 8))
import mltrack_jupyter as mltrack
mltrack.set_tracking_uri(".mltrack")
with mltrack.start_run():
    mltrack.log_text("secret", "folder/a.txt")
    mltrack.log_metric("m", 1)
mltrack.set_tracking_uri("http://127.0.0.1:9")  # away: what is logged waits
with mltrack.start_run():
    mltrack.log_text("secret", "folder/a.txt")
    mltrack.log_param("p", "x")
from mltrack_jupyter.cli import main
assert main(["export", ".mltrack", "out/x.zip"]) == 0
assert main(["export", ".mltrack", "xf"]) == 0
assert main(["db", "backup", ".mltrack"]) == 0
import sqlite3
connection = sqlite3.connect(".mltrack/mltrack.db")
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE experiments SET name = name")
beside = {name: oct(os.stat(".mltrack/" + name).st_mode & 0o777) for name in os.listdir(".mltrack") if "-" in name}
print(beside, flush=True)
os._exit(0)  # or it would wait for the server that is away
"""


def write_everything(folder, umask):
    """Let a process write everything that this package writes; return its output and the paths made."""
    before = set(folder.rglob("*"))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WRITES, umask],
        cwd=folder,
        env={**os.environ, "MLTRACK_STATE_DIR": str(folder / "state" / "deep")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, sorted(set(folder.rglob("*")) - before)


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
@pytest.mark.parametrize("umask", ["000", "022", "277"])
def test_nobody_else_may_read_what_is_written(tmp_path, environment, umask):
    printed, made = write_everything(tmp_path, umask)
    wrong = {
        str(path.relative_to(tmp_path)): oct(mode_of(path))
        for path in made
        if mode_of(path) != (0o700 if path.is_dir() else 0o600)
    }
    assert wrong == {}
    names = {path.name for path in made}
    assert {
        "mltrack.db",
        "mltrack.db.turn",
        "artifacts",
        "journals",
        "x.zip",
        "xf",
        "a.txt",
    } <= names
    assert any(name.endswith(".journal") for name in names)
    assert "-wal" in printed
    assert "0o6" in printed
    assert "0o64" not in printed


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
@pytest.mark.parametrize(
    ("mode", "shared"),
    [(0o2775, True), (0o777, False), (0o2755, False)],
)
def test_a_folder_is_shared_by_chmod_g_ws(tmp_path, environment, mode, shared):
    (tmp_path / ".mltrack").mkdir()
    (tmp_path / ".mltrack").chmod(mode)
    printed, made = write_everything(tmp_path, "022")
    journals = tmp_path / ".mltrack" / "journals"
    inside = [
        path
        for path in made
        if (tmp_path / ".mltrack") in path.parents and not path.is_relative_to(journals)
    ]
    rights = {mode_of(path) & 0o777 for path in inside if path.is_file()}
    folders = {mode_of(path) & 0o2777 for path in inside if path.is_dir()}
    assert rights == ({0o660} if shared else {0o600})
    assert f"'mltrack.db-wal': '0o{'660' if shared else '600'}'" in printed
    assert folders == ({0o2770} if shared else {0o2700 if mode & 0o2000 else 0o700})
    assert mode_of(tmp_path / ".mltrack") == mode  # what the user said stays
    # Each user has journals of their own, also where the store is shared.
    assert mode_of(journals) & 0o777 == 0o700
    assert {mode_of(path) for path in journals.rglob("*") if path.is_file()} <= {0o600}


def test_an_export_follows_no_link(tmp_path, environment):
    """Whoever may write to the folder could have put one where the file is to be made."""
    services = open_store(tmp_path / ".mltrack")
    services.close()
    victim = tmp_path / "victim"
    victim.write_text("mine")
    out = tmp_path / "out"
    out.mkdir()
    (out / ".x.zip.new").symlink_to(victim)
    assert cli.main(["export", str(tmp_path / ".mltrack"), str(out / "x.zip")]) == 0
    assert victim.read_text() == "mine"
    assert not (out / "x.zip").is_symlink()
