"""MLflow's own files named as a store: told what to do instead, and nothing is written into or beside them."""

import gc
import os
import sqlite3
from pathlib import Path

import pytest

from mltrack_jupyter.cli import main
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store import normalise_uri, open_store


def filestore(folder: Path) -> Path:
    place = folder / "mlruns"
    (place / "0").mkdir(parents=True)
    (place / "0" / "meta.yaml").write_text("experiment_id: '0'\nname: Default\n")
    return place


def only_trash(folder: Path) -> Path:
    place = folder / "mlruns"
    (place / ".trash" / "7").mkdir(parents=True)
    (place / ".trash" / "7" / "meta.yaml").write_text("experiment_id: '7'\nname: gone\n")
    return place


def database(folder: Path, name: str = "mlflow.db") -> Path:
    place = folder / name
    with sqlite3.connect(place) as connection:
        for table in ("alembic_version", "experiments", "runs", "metrics", "tags"):
            connection.execute(f"CREATE TABLE {table} (id TEXT)")
    connection.close()
    return place


def database_of_our_name(folder: Path) -> Path:
    return database(folder, "mltrack.db")


MAKERS = [filestore, only_trash, database, database_of_our_name]
SPELLED = [
    str,
    Path,
    lambda place: f"file://{place}",
    os.path.relpath,
    lambda place: f"{place}/" if place.is_dir() else f"sqlite:///{place}",
]


def contents(folder: Path) -> list[tuple[str, bytes]]:
    return [
        (str(path.relative_to(folder)), path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    ]


@pytest.mark.parametrize("spell", SPELLED)
@pytest.mark.parametrize("make", MAKERS)
def test_every_spelling_is_refused_and_nothing_is_written(make, spell, tmp_path, run_script):
    place = make(tmp_path)
    before = contents(tmp_path)
    for use in (normalise_uri, open_store):
        with pytest.raises(InvalidParameter, match=f"mltrack import {place}"):
            use(spell(place))
    assert contents(tmp_path) == before


SCRIPT = """
import os
import mltrack_jupyter as mltrack
for call in (mltrack.start_run, lambda: mltrack.log_metric("a", 1), mltrack.search_runs, mltrack.Client):
    try:
        call()
    except mltrack.MltrackError as error:
        assert "mltrack import" in str(error), error
    else:
        raise SystemExit(f"{call} went through")
"""


@pytest.mark.parametrize("variable", ["MLFLOW_TRACKING_URI", "MLTRACK_TRACKING_URI"])
@pytest.mark.parametrize("make", [filestore, database])
def test_the_environment_of_an_mlflow_user(make, variable, tmp_path, run_script):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    place = make(theirs)
    before = contents(theirs)
    run_script(SCRIPT, **{"MLTRACK_TRACKING_URI": "", variable: str(place)})
    assert contents(theirs) == before


@pytest.mark.parametrize("make", [filestore, database])
def test_commands_refuse_it_and_import_takes_it(make, tmp_path, capsys):
    place = str(make(tmp_path))
    before = contents(tmp_path)
    for command in (["runs", "list"], ["experiments", "list"], ["models", "list"], ["trash"], ["sync"],
                    ["db", "check"], ["db", "upgrade"], ["gc", "--yes"], ["server", "--backend-store-uri"]):  # fmt: skip
        assert main([*command, place]) == 1, command
        assert f"mltrack import {place}" in capsys.readouterr().err
    assert contents(tmp_path) == before


def test_ours_and_new_places_are_taken(tmp_path):
    open_store(tmp_path / "new").close()
    (tmp_path / "empty" / "mlruns").mkdir(parents=True)
    open_store(tmp_path / "empty" / "mlruns").close()
    # Whatever lies beside it, a store that is there stays one.
    filestore(tmp_path / "new")
    (tmp_path / "new" / "0").mkdir()
    (tmp_path / "new" / "0" / "meta.yaml").write_text("name: x\n")
    open_store(tmp_path / "new").close()


@pytest.mark.skipif(not os.path.exists("/proc/locks"), reason="needs Linux to tell of locks")
def test_looking_gives_up_no_lock_of_a_store_that_is_open(tmp_path):
    """Else the next process that closes the database would delete the log that this one writes to."""
    services = open_store(tmp_path / "store")
    services.experiments.create("held open")
    database = tmp_path / "store" / "mltrack.db"

    def is_locked():
        inode = str(database.stat().st_ino)
        held = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
        return any(
            str(os.getpid()) in line and line[-3].rpartition(":")[2] == inode for line in held
        )

    assert is_locked()
    normalise_uri(tmp_path / "store")
    gc.collect()
    assert is_locked()
    services.close()
