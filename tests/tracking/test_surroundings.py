"""What a run stands on: commit, changes, environment; recorded beside it, from where its code is."""

import json
import os
import subprocess
import sys
import threading

import pytest

from mltrack_jupyter.store.sql.run_artifacts import SqlRunArtifacts
from mltrack_jupyter.tracking import environment as packages_of
from mltrack_jupyter.tracking import session, surroundings
from mltrack_jupyter.tracking.git import read_diff, read_git
from mltrack_jupyter.tracking.surroundings import Moment


def git(folder, *words):
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    command = ["git", *identity, "-C", str(folder), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(autouse=True)
def recorded(environment):
    environment.setenv("MLTRACK_RECORD_ENVIRONMENT", "1")
    environment.setattr(surroundings, "_texts_known", None)


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "trunk")
    (folder / "train.py").write_text("depth = 3\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    git(folder, "remote", "add", "origin", "https://ada:s3cret@example.org/ada/models.git")
    return folder


@pytest.fixture
def standing(monkeypatch):
    def stand(folder, what="here"):
        monkeypatch.setattr(session.host(), "moment", lambda: Moment(folder, what))
        monkeypatch.setattr(surroundings, "_known", None)

    return stand


def text_of(mltrack, run_id, path):
    with open(mltrack.download_artifacts(run_id=run_id, artifact_path=path)) as file:
        return file.read()


def test_a_run_knows_its_commit_and_what_was_changed_since(mltrack, repository, standing):
    (repository / "train.py").write_text('depth = 4\napi_key = "abcdefghijkl"\n')
    standing(repository)
    with mltrack.start_run() as run:
        pass
    tags = mltrack.get_run(run.info.run_id).data.tags
    assert tags["mlflow.source.git.commit"] == git(repository, "rev-parse", "HEAD")
    assert tags["mlflow.source.git.branch"] == "trunk"
    assert tags["mlflow.source.git.repoURL"] == "https://example.org/ada/models.git"
    assert tags["mltrack.git.root"] == str(repository)
    assert tags["mltrack.git.dirty"] == "true"
    diff = text_of(mltrack, run.info.run_id, surroundings.DIFF)
    assert "-depth = 3\n+depth = 4\n" in diff
    assert "abcdefghijkl" not in diff


def test_without_changes_there_is_no_diff_and_without_a_repository_no_commit(
    mltrack, repository, standing, tmp_path
):
    for folder, expected in ((repository, "false"), (tmp_path, None)):
        standing(folder)
        with mltrack.start_run() as run:
            pass
        assert mltrack.get_run(run.info.run_id).data.tags.get("mltrack.git.dirty") == expected
        names = [item.path for item in mltrack.Client().list_artifacts(run.info.run_id)]
        assert names == ["environment"]


def test_a_run_knows_its_environment_and_its_children_do_not_repeat_it(mltrack):
    with mltrack.start_run() as run, mltrack.start_run() as child:
        pass
    lock = text_of(mltrack, run.info.run_id, surroundings.LOCK).splitlines()
    assert any(line.startswith("sqlalchemy==2.") for line in lock)
    names = [line.partition("==")[0] for line in lock]
    assert names == sorted(set(names))
    described = json.loads(text_of(mltrack, run.info.run_id, surroundings.ENVIRONMENT))
    assert described["python"] == sys.version.split()[0]
    assert described["cores"] == os.cpu_count()
    assert described["memory"] > 10**8
    assert described["gpus"] == []
    assert mltrack.Client().list_artifacts(child.info.run_id) == []


def test_each_run_has_the_files_and_the_store_has_them_once(
    mltrack, repository, standing, monkeypatch
):
    (repository / "train.py").write_text("depth = 4\n")
    standing(repository)
    brought, put = [], SqlRunArtifacts.put_shared

    def noted(self, sha256, body):
        brought.append(sha256)
        put(self, sha256, body)

    monkeypatch.setattr(SqlRunArtifacts, "put_shared", noted)  # before the store is opened
    services, runs = session.services(), []
    for _ in range(3):
        with mltrack.start_run() as run:
            runs.append(run.info.run_id)
    assert len(brought) == 3
    paths = (surroundings.LOCK, surroundings.ENVIRONMENT, surroundings.DIFF)
    texts = [[text_of(mltrack, run_id, path) for path in paths] for run_id in runs]
    assert texts[0] == texts[1] == texts[2]
    # The first one goes for good, with all that is its own.
    mltrack.delete_run(runs[0])
    assert services.workspace.purge([runs[0]]).items[0].kept_because == ""
    assert [text_of(mltrack, runs[1], path) for path in paths] == texts[0]
    (repository / "train.py").write_text("depth = 5\n")
    standing(repository, "later")
    with mltrack.start_run() as run:
        pass
    assert "+depth = 5" in text_of(mltrack, run.info.run_id, surroundings.DIFF)
    assert "+depth = 4" in text_of(mltrack, runs[1], surroundings.DIFF)
    assert len(brought) == 4


def test_a_cell_that_finds_the_same_asks_the_store_for_nothing(mltrack, tmp_path, monkeypatch):
    share, asked, runs = SqlRunArtifacts.share, [], []

    def noted(self, run_id, files):
        asked.append(run_id)
        return share(self, run_id, files)

    monkeypatch.setattr(SqlRunArtifacts, "share", noted)
    for what in ("cell 1", "cell 2", "cell 3"):
        monkeypatch.setattr(session.host(), "moment", lambda what=what: Moment(tmp_path, what))
        with mltrack.start_run() as run:
            runs.append(run.info.run_id)
    assert set(asked) == {runs[0]}
    lock = text_of(mltrack, runs[0], surroundings.LOCK)
    assert [text_of(mltrack, run_id, surroundings.LOCK) for run_id in runs[1:]] == [lock] * 2


def test_a_run_that_keeps_its_files_elsewhere_has_them_there(mltrack, tmp_path):
    experiment = mltrack.create_experiment("own", artifact_location=str(tmp_path / "own"))
    with mltrack.start_run(experiment_id=experiment) as run:
        pass
    assert (tmp_path / "own" / run.info.run_id / "artifacts" / surroundings.LOCK).is_file()
    assert "sqlalchemy" in text_of(mltrack, run.info.run_id, surroundings.LOCK)


def test_they_are_in_an_export_and_come_back(mltrack, tmp_path):
    with mltrack.start_run() as run:
        pass
    out, other = str(tmp_path / "out.zip"), str(tmp_path / "other")
    for words in (["export", mltrack.get_tracking_uri(), out], ["import", out, "--into", other]):
        command = [sys.executable, "-m", "mltrack_jupyter.cli", *words]
        subprocess.run(command, capture_output=True, check=True, stdin=subprocess.DEVNULL)
    before = text_of(mltrack, run.info.run_id, surroundings.LOCK)
    mltrack.set_tracking_uri(other)
    assert text_of(mltrack, run.info.run_id, surroundings.LOCK) == before


def test_the_lock_is_what_importlib_knows():
    from importlib import metadata

    for name in ("sqlalchemy", "msgspec", "jupyter-server"):
        assert f"{name}=={metadata.version(name)}" in packages_of.packages()


def test_starting_a_run_does_not_wait_for_git_but_its_end_does(
    mltrack, repository, standing, monkeypatch
):
    answer = threading.Event()

    def slow(folder):
        assert answer.wait(60)
        return read_git(folder)

    standing(repository)
    monkeypatch.setattr("mltrack_jupyter.tracking.git.read_git", slow)
    monkeypatch.setattr(surroundings, "_SECONDS", 60)
    run = mltrack.start_run()
    assert "mlflow.source.git.commit" not in mltrack.get_run(run.info.run_id).data.tags
    threading.Timer(0.2, answer.set).start()
    mltrack.end_run()
    assert "mlflow.source.git.commit" in mltrack.get_run(run.info.run_id).data.tags


def test_the_repository_is_asked_once_for_each_moment(mltrack, repository, standing, monkeypatch):
    asked = []
    monkeypatch.setattr("mltrack_jupyter.tracking.git.read_git", asked.append)
    for what in ("cell 1", "cell 2"):
        monkeypatch.setattr(session.host(), "moment", lambda what=what: Moment(repository, what))
        for _ in range(3):
            with mltrack.start_run():
                pass
    assert len(asked) == 2


def test_a_diff_runs_nothing_that_a_repository_names(repository, tmp_path):
    mark = tmp_path / "ran"
    hook = tmp_path / "hook.sh"
    hook.write_text(f"#!/bin/sh\ntouch {mark}\ncat $1\n")
    hook.chmod(0o755)
    (repository / ".gitattributes").write_text("*.py diff=own\n")
    for key in ("diff.external", "diff.own.textconv", "diff.own.command", "core.fsmonitor"):
        git(repository, "config", key, str(hook))
    (repository / "train.py").write_text("depth = 5\n")
    assert "+depth = 5" in read_diff(repository)
    assert read_git(repository).dirty
    assert not mark.exists()


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://token@example.org/a.git", "https://example.org/a.git"),
        ("https://example.org/a@b.git", "https://example.org/a@b.git"),
        ("git@example.org:ada/models.git", "git@example.org:ada/models.git"),
        ("ssh://git@example.org/ada/models.git", "ssh://git@example.org/ada/models.git"),
        ("ssh://ada:s3cret@example.org:22/o/r.git", "ssh://ada@example.org:22/o/r.git"),
        ("https://ada:s3@cret@example.org/o/r.git", "https://example.org/o/r.git"),
        ("https://ada:s3/cr?et@example.org/o/r.git", "https://example.org/o/r.git"),
        ("https://example.org/o/r.git?private_token=s3cret", "https://example.org/o/r.git"),
        ("https://ada:s3cret@example.org/o/r.git?a=b@c#d", "https://example.org/o/r.git"),
        ("https://example.org:8443/o@b/r.git", "https://example.org:8443/o@b/r.git"),
        ("git@example.org:o/r.git?private_token=s3cret", "git@example.org:o/r.git"),
        ("ada:s3cret@example.org:o/r.git", "ada@example.org:o/r.git"),
        ("ada:s3@cret@example.org:o/r.git", "ada@example.org:o/r.git"),
        ("git@example.org:o@b/r.git", "git@example.org:o@b/r.git"),
        ("example.org:o/r.git?private_token=s3cret", "example.org:o/r.git"),
        ("../models@2.git", "../models@2.git"),
        ("/srv/what?/models.git", "/srv/what?/models.git"),
    ],
)
def test_the_address_of_the_remote_has_no_credentials(repository, address, shown):
    git(repository, "remote", "set-url", "origin", address)
    assert read_git(repository).remote == shown


def test_the_remote_is_origin_else_the_upstream_else_the_only_one(repository):
    def remote():
        return read_git(repository).remote.rpartition("/")[2]

    git(repository, "remote", "add", "fork", "https://example.org/fork.git")
    git(repository, "config", "branch.trunk.remote", "fork")
    assert remote() == "models.git"
    git(repository, "remote", "rename", "origin", "my.store")
    assert remote() == "fork.git"
    git(repository, "config", "--unset", "branch.trunk.remote")
    assert remote() == ""
    git(repository, "remote", "remove", "fork")
    assert remote() == "models.git"
    git(repository, "checkout", "-q", "--detach")
    assert remote() == "models.git"
    git(repository, "remote", "remove", "my.store")
    assert remote() == ""


def test_the_repository_is_the_one_around_the_folder_whatever_the_environment_says(
    repository, tmp_path, monkeypatch
):
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q", "-b", "else")
    git(other, "commit", "-qm", "other", "--allow-empty")
    (repository / "train.py").write_text("depth = 6\n")
    expected = read_git(repository)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    assert read_git(repository) == expected
    assert (expected.branch, expected.dirty) == ("trunk", True)
    assert "+depth = 6" in read_diff(repository)


def test_the_root_is_normal_however_the_folder_is_written(repository, tmp_path):
    deep = repository / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "link").symlink_to(deep)
    for folder in (deep, deep / ".." / "..", deep / "..", tmp_path / "link" / ".."):
        assert read_git(folder).root == repository
        assert read_git(folder).tags["mltrack.git.root"] == str(repository)
    assert read_git(repository / ".." / "repository" / "..") is None


def test_a_script_is_where_its_file_is_and_may_lose_its_folder(run_script, repository):
    code = """
import os, sys, tempfile, mltrack_jupyter as mltrack
if len(sys.argv) > 1:
    gone = tempfile.mkdtemp(); os.chdir(gone); os.rmdir(gone)
with mltrack.start_run() as run:
    pass
tags = mltrack.get_run(run.info.run_id).data.tags
print(tags.get("mlflow.source.git.branch"), tags["mltrack.trigger"])
"""
    assert run_script(code).stdout.split() == ["None", "script"]
    assert run_script(code, "gone", MLTRACK_TRIGGER="schedule").stdout.split() == [
        "None",
        "schedule",
    ]
    (repository / "own.py").write_text(code)
    environment = os.environ | {"MLTRACK_TRACKING_URI": str(run_script.store)}
    done = subprocess.run(
        [sys.executable, repository / "own.py"], capture_output=True, text=True, cwd="/", check=True,
        env=environment,
    )  # fmt: skip
    assert done.stdout.split() == ["trunk", "script"]
