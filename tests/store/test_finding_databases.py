"""A machine without database servers: they are installed by apt, or the tests say what to type."""

import os

import databases
import pytest


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A machine whose apt-get installs a file, and whose finder finds it."""
    place = tmp_path / "server"
    apt = tmp_path / "apt-get"
    apt.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n[ "$1" = install ] && touch {place}\nexit 0\n'
    )
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setitem(databases._FINDERS, "postgresql", lambda: place.exists() or None)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path


def test_root_installs_it(bare):
    databases._require("postgresql")
    calls = (bare / "calls").read_text().splitlines()
    assert calls == ["update -qq", "install -y -qq postgresql"]
    databases._require("postgresql")  # and does not a second time
    assert (bare / "calls").read_text().splitlines() == calls


@pytest.mark.parametrize("reason", ["not root", "no apt", "nothing comes of it"])
@pytest.mark.parametrize("ci", [False, True])
def test_otherwise_it_is_told(bare, monkeypatch, reason, ci):
    if reason == "not root":
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
    elif reason == "no apt":
        monkeypatch.setenv("PATH", str(bare / "empty"))
    else:
        (bare / "apt-get").write_text("#!/bin/sh\nexit 100\n")
    if ci:
        monkeypatch.setenv("CI", "1")
    stop = pytest.fail.Exception if ci else pytest.skip.Exception
    with pytest.raises(stop, match="apt-get install -y postgresql"):
        databases._require("postgresql")
