"""Which notebook a kernel belongs to, and what its experiment is called."""

import json
import os
from pathlib import Path

import pytest

from mltrack_jupyter.tracking import notebook as notebooks
from mltrack_jupyter.tracking.notebook import UNKNOWN, Notebook, NotebookFinder, source_name


def test_source_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "nb" / "a.ipynb"
    assert source_name(Notebook(), None) == UNKNOWN
    assert source_name(Notebook("srv/nb/a.ipynb", file), None) == "srv/nb/a.ipynb"
    assert source_name(Notebook("srv/nb/a.ipynb", file), tmp_path) == "nb/a.ipynb"
    assert source_name(Notebook(str(file), file), None) == "nb/a.ipynb"
    assert source_name(Notebook("/else/b.ipynb", Path("/else/b.ipynb")), None) == "b.ipynb"


def test_the_environment_is_asked_last(monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", "not-a-notebook")
    found = NotebookFinder().find({"__vsc_ipynb_file__": "/w/c.ipynb"})
    assert found.path == "/w/c.ipynb"
    assert found.file is None
    monkeypatch.setenv("JPY_SESSION_NAME", "/w/d.ipynb")
    assert NotebookFinder().find({}).path == "/w/d.ipynb"
    monkeypatch.delenv("JPY_SESSION_NAME")
    assert NotebookFinder().find({}).path == ""


def test_the_token_stays_on_this_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("JPY_PARENT_PID", str(os.getpid()))
    monkeypatch.setattr(notebooks, "nearest_kernel_id", lambda: "k")
    asked = []
    monkeypatch.setattr(notebooks, "_sessions", lambda info: asked.append(info) or [])
    runtime = tmp_path / f"jpserver-{os.getpid()}.json"
    for host, count in (("10.0.0.5", 0), ("example.org", 0), ("localhost", 1), ("127.0.0.1", 2)):
        runtime.write_text(json.dumps({"port": 1, "hostname": host, "token": "t"}))
        NotebookFinder().find({})
        assert len(asked) == count
    runtime.write_text("broken")
    assert NotebookFinder().find({}).path == ""


def test_a_silent_server_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "nearest_kernel_id", lambda: "k")
    monkeypatch.setenv("JPY_PARENT_PID", "1")
    monkeypatch.setattr(notebooks, "server_info", lambda: {"port": 1})
    asked = []

    def silent(info):
        asked.append(info)
        raise TimeoutError

    monkeypatch.setattr(notebooks, "_sessions", silent)
    finder = NotebookFinder()
    finder.find({})
    finder.find({})
    assert len(asked) == 1


@pytest.mark.parametrize("hostile", ["../../etc", "a\nb"])
def test_a_session_without_a_notebook_is_none(hostile):
    assert notebooks._located(hostile, "/root") is None


def test_a_console_beside_the_notebook_does_not_hide_it(monkeypatch):
    monkeypatch.setattr(notebooks, "nearest_kernel_id", lambda: "k")
    monkeypatch.setattr(notebooks, "server_info", lambda: {"port": 1})
    paths = ["console-1-of-it", "nb/train.ipynb"]
    sessions = [{"path": path, "kernel": {"id": "k"}} for path in paths]
    others = [{"path": "other.ipynb", "kernel": {"id": "o"}}, {"path": "x.ipynb"}, "nonsense"]
    monkeypatch.setattr(notebooks, "_sessions", lambda info: [*others, *sessions])
    assert NotebookFinder().find({}).path == "nb/train.ipynb"


def test_a_server_that_is_too_busy_to_answer_changes_no_name(tmp_path, monkeypatch):
    file = tmp_path / "nb" / "train.ipynb"
    file.parent.mkdir()
    file.write_text("{}")

    def busy(info):
        raise TimeoutError

    monkeypatch.setattr(notebooks, "nearest_kernel_id", lambda: "k")
    monkeypatch.setattr(notebooks, "server_info", lambda: {"port": 1, "root_dir": str(tmp_path)})
    monkeypatch.setattr(notebooks, "_sessions", busy)
    monkeypatch.setenv("JPY_SESSION_NAME", str(file))
    monkeypatch.chdir(file.parent)
    found = NotebookFinder().find({})
    assert (found.path, found.file) == ("nb/train.ipynb", file)
    assert notebooks.experiment_of(found) == "nb/train.ipynb"
    assert notebooks.experiment_of(Notebook()) == ""
