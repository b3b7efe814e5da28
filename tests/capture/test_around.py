"""Figures, outcomes and git: the parts around a cell."""

import base64
import subprocess

from mltrack_jupyter.capture.figures import MAX_FIGURES, Figures, Tap
from mltrack_jupyter.capture.outcome import outcome_of
from mltrack_jupyter.tracking.git import read_git


def png(number):
    return {"image/png": base64.b64encode(b"png%d" % number).decode(), "text/plain": "x"}


def test_each_figure_once_and_not_too_many():
    figures = Figures()
    for number in [1, 1, *range(2, MAX_FIGURES + 3)]:
        figures.see(png(number))
    assert len(figures.files()) == MAX_FIGURES
    assert figures.files()["figures/figure-1.png"] == b"png1"
    assert figures.notes() == ["2 more figures were not stored: 20 a cell is the limit"]
    figures = Figures()
    figures.see({"image/png": b"x" * 5_000_001})
    assert figures.files() == {}
    assert "5 MB" in figures.notes()[0]


def test_what_is_updated_or_cleared_is_gone():
    figures = Figures()
    figures.see(png(1), "id")
    figures.see(png(2), "id")
    assert list(figures.files().values()) == [b"png2"]
    figures.clear(wait=True)
    assert len(figures.files()) == 1
    figures.see(png(3))
    assert list(figures.files().values()) == [b"png3"]
    figures.clear(wait=False)
    assert figures.files() == {}


def test_other_outputs_are_no_figures():
    figures = Figures()
    for bundle in (
        {"text/html": "<b>"},
        {"image/png": 3},
        {"image/png": "not base64!"},
        {**png(1), "application/vnd.mltrack.view+json": {}},
    ):
        figures.see(bundle)
    figures.see({"application/vnd.plotly.v1+json": {"data": []}})
    figures.see({"image/svg+xml": "<svg/>"})
    assert figures.files() == {
        "figures/figure-1.plotly.json": b'{"data": []}',
        "figures/figure-2.svg": b"<svg/>",
    }


class Owner:
    def say(self, text):
        return text.upper()


def test_a_tap_puts_back_what_it_found():
    owner, heard = Owner(), []
    tap = Tap(owner, "say", heard.append)
    assert owner.say("a") == "A"
    assert heard == ["a"]
    tap.remove()
    assert vars(owner) == {}
    assert owner.say("b") == "B"
    assert heard == ["a"]
    mine = owner.say = lambda text: text * 2
    tap = Tap(owner, "say", lambda text: 1 / 0)
    assert owner.say("a") == "aa"
    tap.remove()
    assert owner.say is mine


def test_a_tap_below_another_falls_silent():
    owner, heard = Owner(), []
    tap = Tap(owner, "say", heard.append)
    under = owner.say
    owner.say = lambda text: under(text) + "!"
    tap.remove()
    assert owner.say("a") == "A!"
    assert heard == []


def test_outcomes():
    space = {}
    try:
        exec(compile("x = 1\nraise KeyError('token=\"abcdefgh\"')", "<cell>", "exec"), space)
    except KeyError as error:
        failed = outcome_of(error, space)
    assert failed.status.value == "FAILED"
    assert failed.line == 2
    assert "abcdefgh" not in failed.text
    assert failed.text.startswith("Traceback")
    assert "test_around" not in failed.text
    assert outcome_of(None, space).status.value == "FINISHED"
    assert outcome_of(KeyboardInterrupt(), space).status.value == "KILLED"
    assert outcome_of(SystemExit(), space).status.value == "FINISHED"
    assert outcome_of(SystemExit("why"), space).status.value == "FAILED"


def test_git_without_a_repository_or_a_commit(tmp_path, monkeypatch):
    assert read_git(tmp_path) is None
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    assert read_git(tmp_path) is None
    monkeypatch.setenv("PATH", "")
    assert read_git(tmp_path) is None


def test_git_does_not_run_what_a_repository_names(tmp_path):
    mark = tmp_path / "ran"
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    (tmp_path / "a").write_text("1")
    subprocess.run([*git, "add", "a"], check=True)
    subprocess.run([*git, "commit", "-qm", "x"], check=True)
    hook = tmp_path / "hook.sh"
    hook.write_text(f"#!/bin/sh\ntouch {mark}\n")
    hook.chmod(0o755)
    subprocess.run([*git, "config", "core.fsmonitor", str(hook)], check=True)
    assert read_git(tmp_path) is not None
    assert not mark.exists()
