"""Stores that may only be read, for the tests of several rooms."""

import io
import stat
import subprocess
from pathlib import Path

import pytest

from mltrack_jupyter.entities import RunStatus
from mltrack_jupyter.store import open_store, read_only_file
from mltrack_jupyter.testing.making import new_run


@pytest.fixture
def shared(tmp_path, monkeypatch):
    """A folder that everybody may enter, also where the folder of the tests is private."""
    monkeypatch.setattr(
        read_only_file, "_said", set()
    )  # what is said of a store is said once in a process
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & stat.S_IXOTH and folder.owner() == Path.home().owner():
            folder.chmod(folder.stat().st_mode | stat.S_IXOTH | stat.S_IROTH)
    return tmp_path / "course"


def fill(folder, value=0.5):
    """Make a store with a run that has everything; return the run's id."""
    services = open_store(folder)
    run_id = new_run(services, "0", params={"p": "1"}, metrics={"m": value}).info.run_id
    services.runs.update(run_id, RunStatus.FINISHED)
    services.artifact_files.upload(f"0/{run_id}/artifacts/f.txt", io.BytesIO(b"content"))
    services.registered_models.create("model")
    services.close()
    return run_id


def listing(folder):
    """Return everything below a folder, and when it was changed."""
    return {
        path: (path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def mounted(shared):
    """Return what mounts a folder read-only; root can, where it may."""
    done = []

    def mount(folder):
        for options in (["--bind", folder, folder], ["-o", "remount,ro,bind", folder]):
            made = subprocess.run(["mount", *options], capture_output=True, check=False)
            if made.returncode:
                pytest.skip("nothing can be mounted here")
            done.append(folder)

    yield mount
    for folder in set(done):
        subprocess.run(["umount", folder], check=False)
