"""The commands, called as a user calls them."""

import contextlib
import json
import os
import sqlite3
import subprocess
import sys

import pytest

from mltrack_jupyter.cli import COMMANDS, main
from mltrack_jupyter.cli.parsing import seconds
from mltrack_jupyter.entities import RunStatus
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.sql import migrations, schema


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store with two runs, one of them in the trash; it is the default one."""
    place = tmp_path / ".mltrack"
    monkeypatch.setenv("MLTRACK_TRACKING_URI", str(place))
    monkeypatch.setenv("COLUMNS", "120")  # whoever runs the tests may have a narrow terminal
    services = open_store(place)
    for name in ("first", "second"):
        run = services.runs.create("0", run_name=name, start_time=1_700_000_000_000)
        services.runs.log_metric(run.info.run_id, "acc", 0.5, 1)
    services.runs.delete(run.info.run_id)
    services.close()
    return place


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from mltrack_jupyter.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "import json; print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    loaded = set(json.loads(done.stderr))
    assert all(f"    {name}" in done.stdout for name in COMMANDS)
    assert not loaded & {"sqlalchemy", "tornado", "traitlets", "httpx", "msgspec", "yaml"}


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["srver"], "'server'"),
        (["runs", "lst"], "'list'"),
        (["server", "--prt", "1"], "'--port'"),
        (["gc", "--dry-rn"], "'--dry-run'"),
    ],
)
def test_a_wrong_word_is_answered_with_the_right_one(given, meant, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(given)
    assert stopped.value.code == 2
    assert f"Did you mean {meant}?" in capsys.readouterr().err


def test_a_run_says_why_it_has_its_status(store, capsys):
    assert main(["runs", "list"]) == 0
    assert "why" not in capsys.readouterr().out
    services = open_store(store)
    (run,) = services.runs.search(["0"])
    services.runs.set_tag(run.info.run_id, "mltrack.status_reason", "The kernel died.")
    services.runs.update(run.info.run_id, status=RunStatus.KILLED)
    services.close()
    assert main(["runs", "list"]) == 0
    header, line = capsys.readouterr().out.strip().splitlines()
    assert header.split()[-1] == "why"
    assert line.endswith("The kernel died.")
    assert main(["runs", "show", run.info.run_id]) == 0
    assert "why         The kernel died." in capsys.readouterr().out


def test_lists(store, capsys):
    assert main(["runs", "list", "--columns", "metrics.acc"]) == 0
    out = capsys.readouterr().out
    assert "first" in out
    assert "second" not in out
    assert "0.5" in out
    run_id = out.splitlines()[1].split()[0]
    assert main(["runs", "show", run_id]) == 0
    assert "acc" in capsys.readouterr().out
    assert main(["experiments", "list"]) == 0
    assert "Default" in capsys.readouterr().out
    assert main(["models", "list", str(store)]) == 0


def test_an_error_is_one_line(store, capsys):
    assert main(["runs", "show", "none"]) == 1
    assert capsys.readouterr().err == "mltrack: Run with id=none not found.\n"


def test_a_name_cannot_steer_the_terminal(store, capsys):
    services = open_store(store)
    services.runs.create("0", run_name="evil\x1b[2J\nname")
    services.close()
    main(["runs", "list"])
    assert "\x1b" not in capsys.readouterr().out


def test_trash_and_gc(store, capsys):
    assert main(["trash"]) == 0
    assert "second" in capsys.readouterr().out
    assert main(["gc", "--older-than", "30d"]) == 0
    assert "empty" in capsys.readouterr().out
    assert main(["gc", "--dry-run"]) == 0
    capsys.readouterr()
    assert main(["gc", "--yes"]) == 0
    assert "deleted for good: 1 runs" in capsys.readouterr().out
    assert main(["trash"]) == 0
    assert "empty" in capsys.readouterr().out


def test_lengths_of_time():
    assert (seconds("30d"), seconds("12h"), seconds("2w")) == (2592000, 43200, 1209600)
    with pytest.raises(Exception, match="right would be 30d"):
        seconds("soon")


def test_db_check_backup_upgrade(store, capsys, tmp_path):
    assert main(["db", "check"]) == 0
    assert main(["db", "upgrade"]) == 0
    assert main(["db", "backup", "--to", str(tmp_path / "copy" / "b.db")]) == 0
    capsys.readouterr()
    assert main(["runs", "list", str(tmp_path / "copy" / "b.db")]) == 0
    assert "first" in capsys.readouterr().out
    assert main(["db", "backup", "--to", str(tmp_path / "copy" / "b.db")]) == 1
    assert main(["db", "check", str(tmp_path / "none")]) == 1
    assert not (tmp_path / "none").exists()


def test_db_check_sees_damage(store, capsys):
    place = store / "mltrack.db"
    main(["db", "backup", "--to", str(store / "b.db")])
    content = bytearray((store / "b.db").read_bytes())
    content[4096 * 3 : 4096 * 6] = b"\x55" * (4096 * 3)
    (store / "broken.db").write_bytes(content)
    assert main(["db", "check", str(store / "broken.db")]) == 1
    assert "problem" in capsys.readouterr().out
    (store / "junk.db").write_bytes(b"not a database at all, but long enough to be read" * 100)
    assert main(["db", "check", str(store / "junk.db")]) == 1
    assert place.exists()


@pytest.mark.parametrize(
    "command",
    ["runs list", "runs show x", "experiments list", "models list", "trash", "gc", "db check", "db backup", "db upgrade"],
)  # fmt: skip
def test_what_looks_at_a_store_makes_none(command, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MLTRACK_TRACKING_URI", str(tmp_path / "none"))
    assert main(command.split()) == 1
    assert "There is no store at" in capsys.readouterr().err
    assert main([*command.split(), str(tmp_path / "other")]) == 1
    assert str(tmp_path / "other") in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "there are no tables yet"),
        (b"not a database " * 500, "cannot be read"),
    ],
)
def test_db_check_says_what_is_no_store(tmp_path, capsys, content, said):
    (tmp_path / "x.db").write_bytes(content)
    assert main(["db", "check", str(tmp_path / "x.db")]) == 1
    out = capsys.readouterr().out
    assert said in out
    assert "1 problem(s)" in out


def test_db_and_a_newer_schema(store, capsys):
    with contextlib.closing(sqlite3.connect(store / "mltrack.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    for command, stream in (("check", "out"), ("upgrade", "err")):
        assert main(["db", command]) == 1
        assert "pip install --upgrade" in getattr(capsys.readouterr(), stream)
    assert main(["runs", "list"]) == 0
    assert main(["gc", "--yes"]) == 1
    assert main(["db", "backup"]) == 0


def test_db_upgrade_says_where_the_copy_is(store, capsys, monkeypatch, tmp_path):
    (tmp_path / "next.py").write_text(
        f"revision, down_revision = 'next', {schema.HEAD!r}\ndef upgrade():\n    pass\n"
    )
    monkeypatch.setattr(migrations, "LOCATIONS", [*migrations.LOCATIONS, tmp_path])
    monkeypatch.setattr(schema, "VERSIONS", (*schema.VERSIONS, "next"))
    monkeypatch.setattr(schema, "HEAD", "next")
    assert main(["db", "check"]) == 1
    assert "mltrack db upgrade" in capsys.readouterr().out
    assert main(["db", "upgrade"]) == 0
    (copy,) = store.glob("mltrack.db.before-*")
    assert str(copy) in capsys.readouterr().out
    assert main(["db", "check"]) == 0


def test_an_export_overwrites_only_an_export(store, capsys, tmp_path):
    (tmp_path / "thesis.zip").write_text("x")
    assert main(["export", str(store), str(tmp_path / "thesis.zip")]) == 1
    assert "choose another name" in capsys.readouterr().err
    assert main(["export", str(store), str(tmp_path / "thesis.zip" / "x")]) == 1
    assert "cannot be written: Not a directory" in capsys.readouterr().err
    for _ in range(2):
        assert main(["export", str(store), str(tmp_path / "o.zip")]) == 0
    assert (tmp_path / "thesis.zip").read_text() == "x"


def test_export_and_import(store, capsys, tmp_path):
    out = tmp_path / "all.zip"
    assert main(["export", str(store), str(out)]) == 0
    assert main(["import", str(out), "--into", str(tmp_path / "b" / ".mltrack")]) == 0
    counts = capsys.readouterr().out
    assert "runs" in counts
    assert main(["import", str(out), "--into", str(tmp_path / "b" / ".mltrack")]) == 0
    assert "2 runs were there already" in capsys.readouterr().out
    assert main(["import", str(store)]) == 1
    assert "is the store to import into" in capsys.readouterr().err


def test_doctor_says_ok_or_what_to_type(store, capsys):
    main(["doctor"])
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith(("ok  ", "DO  ")) for line in lines)
    assert any("schema" in line for line in lines)
