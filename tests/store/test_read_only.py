"""A store that may only be read: it opens, shows what is in it, and says once that nothing will be recorded."""

import io
import os
import shutil
import sqlite3
import traceback
from pathlib import Path

import pytest
from rights import fill, listing
from sqlalchemy import text

from mltrack_jupyter.entities import Metric, Param, RunEntry
from mltrack_jupyter.errors import NotFound, StoreReadOnly, StoreUnreadable, StoreUnwritable
from mltrack_jupyter.store import open_store, read_only
from mltrack_jupyter.store.journal import Journal, recover
from mltrack_jupyter.store.remote import connect
from mltrack_jupyter.store.sql.database import Database
from mltrack_jupyter.store.sql.migrations import upgrade
from mltrack_jupyter.store.transport import LocalTransport
from mltrack_jupyter.store.watch import Watcher

NOBODY = 65534
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
pytestmark = pytest.mark.skipif(os.name == "nt", reason="rights and mounts of POSIX")


def lock_away(folder, *, folders=0o555, files=0o444):
    """Take the right to write from everybody but root, who never needs it."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(folders if path.is_dir() else files)


def as_another(work):
    """Do some work as a user who may not write what is only to be read; raise what it raises."""
    if not IS_ROOT:
        work()
        return
    told = os.pipe()
    child = os.fork()
    if not child:
        said = ""
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            work()
        except BaseException:
            said = traceback.format_exc()
        os.write(told[1], said.encode()[-8000:])
        os._exit(0)
    os.close(told[1])
    os.waitpid(child, 0)
    with os.fdopen(told[0]) as answer:
        said = answer.read()
    assert not said, said


def check_reading(folder, run_id, value=0.5):
    services = open_store(folder)
    try:
        run = services.runs.get(run_id)
        assert run.data.metrics == {"m": value}
        found = services.runs.search(["0"], "metrics.m > 0").items
        assert [item.info.run_id for item in found] == [run_id]
        assert services.runs.table(run_ids=[run_id]).run_ids == [run_id]
        assert len(services.metrics.history(run_id, "m")) == 1
        assert services.experiments.get("0").name == "Default"
        assert services.registered_models.get("model").name == "model"
        with services.run_artifacts.read(run_id, "f.txt").file as file:
            assert file.read() == b"content"
        assert services.leases.reap() == []
        assert services.leases.end_kernel("k", "over") == []
        watcher = Watcher(services)
        assert watcher.poll() is None
        watcher.close()
    finally:
        services.close()


WRITES = {
    "a run": lambda services, run_id: services.runs.create("0"),
    "a metric": lambda services, run_id: services.runs.log_metric(run_id, "n", 1.0, 0),
    "a batch": lambda services, run_id: services.runs.log_batch(
        run_id, [Metric("n", 1.0, 1)], [Param("q", "1")]
    ),
    "an experiment": lambda services, run_id: services.experiments.create("new"),
    "a model": lambda services, run_id: services.registered_models.create("other"),
    "a file": lambda services, run_id: services.artifact_files.upload(
        f"0/{run_id}/artifacts/g.txt", io.BytesIO(b"x")
    ),
    "a file less": lambda services, run_id: services.artifact_files.delete(
        f"0/{run_id}/artifacts/f.txt"
    ),
    "a shared file": lambda services, _: services.run_artifacts.put_shared("0" * 64, io.BytesIO()),
    "a journal": lambda services, run_id: services.journals.append(
        "0" * 32, 0, 1, [RunEntry(run_id=run_id, params=[Param("q", "1")])]
    ),
    "a purge": lambda services, run_id: services.workspace.purge(run_ids=[run_id]),
    "a run in the trash": lambda services, run_id: services.runs.delete(run_id),
}


def check_writing(folder, run_id):
    services = open_store(folder)
    try:
        for what, write in WRITES.items():
            with pytest.raises(StoreReadOnly, match="nothing will be recorded there") as caught:
                write(services, run_id)
            assert "set_tracking_uri" in str(caught.value), what
    finally:
        services.close()


def check_both(folder, run_id):
    check_reading(folder, run_id)
    check_writing(folder, run_id)


def test_a_file_system_that_is_mounted_read_only(shared, mounted):
    run_id = fill(shared)
    mounted(shared)
    before = listing(shared)
    check_both(shared, run_id)
    assert listing(shared) == before
    assert "mounted read-only" in read_only.reason_of(str(shared / "mltrack.db"))


def test_a_store_of_another_user(shared):
    run_id = fill(shared)
    check_reading(shared, run_id)  # what is imported for it, a user without rights may not read
    check = lambda: check_both(shared, run_id)  # noqa: E731
    lock_away(shared)
    before = listing(shared)
    as_another(check)
    assert listing(shared) == before


@pytest.mark.skipif(not IS_ROOT, reason="one's own file in one's own folder can be written")
def test_a_file_of_another_user_in_a_folder_for_all(shared):
    """SQLite would make its files beside it, as ours, and the owner could not write them."""
    run_id = fill(shared)
    check_reading(shared, run_id)
    lock_away(shared, folders=0o777, files=0o644)
    before = listing(shared)
    as_another(lambda: check_both(shared, run_id))
    assert listing(shared) == before


def test_a_file_in_a_folder_that_may_not_be_written(shared):
    run_id = fill(shared)
    check_reading(shared, run_id)
    lock_away(shared, files=0o666)
    before = listing(shared)
    as_another(lambda: check_both(shared, run_id))
    assert listing(shared) == before


LEFT = {
    "both": {"-wal", "-shm"},
    "the log alone": {"-wal"},
    "the index alone": {"-shm"},
    "neither": set(),
}


@pytest.mark.parametrize("left", LEFT)
def test_files_that_somebody_left(shared, left):
    """What is in a log that was left is read as well, also where SQLite cannot make an index of it."""
    run_id = fill(shared / "from")
    shutil.copytree(shared / "from", shared / "to")
    shared.chmod(0o755)
    services = open_store(shared / "from")
    if "-wal" in LEFT[left]:
        with services.runs._database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_autocheckpoint=0")
        services.runs.log_metric(run_id, "m", 0.75, 10**15)
    for suffix in LEFT[left]:
        name = f"mltrack.db{suffix}"
        shutil.copyfile(shared / "from" / name, shared / "to" / name)
    services.close()
    lock_away(shared / "to")
    before = listing(shared / "to")

    def work():
        found = open_store(shared / "to")
        expected = 0.75 if "-wal" in LEFT[left] else 0.5
        assert found.runs.get(run_id).data.metrics == {"m": expected}
        with pytest.raises(StoreReadOnly):
            found.runs.log_metric(run_id, "n", 1.0, 0)
        found.close()

    as_another(work)
    assert listing(shared / "to") == before


def test_an_empty_log_alone(shared):
    run_id = fill(shared)
    (shared / "mltrack.db-wal").touch()
    check_reading(shared, run_id)
    (shared / "mltrack.db-wal").touch()
    lock_away(shared)
    as_another(lambda: check_both(shared, run_id))


@pytest.mark.skipif(not IS_ROOT, reason="needs two users")
def test_what_the_owner_writes_meanwhile_is_seen(shared):
    run_id = fill(shared)
    check_reading(shared, run_id)
    lock_away(shared, folders=0o755, files=0o644)
    ask, answer = os.pipe(), os.pipe()

    def work():
        services = open_store(shared)
        for expected in (0.5, 0.6, 0.7):
            assert services.runs.get(run_id).data.metrics == {"m": expected}
            os.write(answer[1], b"x")
            os.read(ask[0], 1)
        services.close()

    child = os.fork()
    if not child:
        code = 1
        try:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        os._exit(code)
    os.close(answer[1])
    for number, value in enumerate((0.6, 0.7, 0.8)):
        assert os.read(answer[0], 1) == b"x"
        owner = open_store(shared)
        owner.runs.log_metric(run_id, "m", value, 10**15 + number)
        if number:  # once while the owner has it open, and once after that
            os.write(ask[1], b"x")
        owner.close()
        if not number:
            os.write(ask[1], b"x")
    assert os.waitpid(child, 0)[1] == 0


def test_a_schema_from_before_is_read_in_a_copy(shared):
    shared.mkdir()
    database = Database(f"sqlite:///{shared / 'mltrack.db'}")
    upgrade(database, "0002")
    with database.write() as connection:
        for statement in (
            "INSERT INTO experiments VALUES (0, 'Default', 'mlflow-artifacts:/0', 'active', 0, 0)",
            "INSERT INTO runs VALUES (1, 'r', 0, 'old', '', 'FINISHED', 0, 0, '', 'active')",
            "INSERT INTO metric_keys VALUES (1, 'm')",
            "INSERT INTO metrics VALUES (1, 1, 0, 5, 4602678819172646912)",
            "INSERT INTO latest_metrics VALUES (1, 'm', 0, 5, 4602678819172646912, 0.5, 0.5, 0.5, 1)",
        ):
            connection.execute(text(statement))
    database.close()
    open_store(shutil.copytree(shared, shared.parent / "warm")).close()
    lock_away(shared)
    before = listing(shared)

    def work():
        services = open_store(shared)
        assert services.runs.get("r").data.metrics == {"m": 0.5}
        with pytest.raises(StoreReadOnly):
            services.runs.log_metric("r", "m", 1.0, 0)
        copy = Path(services.runs._database.access._reader._copy)
        assert copy.exists()
        services.close()
        assert not copy.parent.exists()

    as_another(work)
    assert listing(shared) == before


def test_a_database_that_may_not_be_read_either(shared):
    fill(shared)
    lock_away(shared, files=0o000)

    def work():
        with pytest.raises(StoreUnreadable, match="may not be read by you"):
            open_store(shared)

    as_another(work)


def test_a_log_that_may_not_be_read_is_not_passed_over(shared):
    fill(shared)
    (shared / "mltrack.db-wal").write_bytes(b"x" * 100)
    lock_away(shared)
    (shared / "mltrack.db-wal").chmod(0)

    def work():
        with pytest.raises(StoreUnreadable, match="-wal may not be read"):
            open_store(shared)

    as_another(work)


def test_a_store_that_is_not_there_is_not_made(shared):
    shared.mkdir()
    lock_away(shared)

    def work():
        with pytest.raises(StoreUnwritable, match="No store can be created"):
            open_store(shared)

    as_another(work)
    assert not list(shared.iterdir())


def test_an_empty_file_becomes_no_store(shared):
    shared.mkdir()
    (shared / "mltrack.db").touch()
    lock_away(shared)

    def work():
        with pytest.raises(StoreReadOnly):
            open_store(shared)

    as_another(work)


@pytest.mark.skipif(not IS_ROOT, reason="one's own file in one's own folder can be written")
def test_what_an_interrupted_purge_left_stays(shared, caplog):
    run_id = fill(shared)
    check_reading(shared, run_id)
    left = shared / "artifacts" / ".purged" / "x"
    (left / "files").mkdir(parents=True)
    note = f'{{"entity": "run", "id": "{run_id}", "root": "0/{run_id}/artifacts"}}'
    (left / "of.json").write_text(note)
    lock_away(shared, folders=0o777, files=0o644)
    before = listing(shared)

    def look():
        check_reading(shared, run_id)
        assert "cannot be settled" not in caplog.text

    as_another(look)
    assert listing(shared) == before


def test_journals_of_others_stay(shared):
    run_id = fill(shared)
    check_reading(shared, run_id)
    uri = f"sqlite:///{shared / 'mltrack.db'}"
    journal = Journal(shared / "journals", uri)
    journal.point(run_id, "late", 0, 5, 1.0)
    journal.abandon()
    lock_away(shared)
    before = listing(shared)

    def work():
        services = open_store(shared)
        assert recover(shared / "journals", lambda: services, uri) == []
        assert "late" not in services.runs.get(run_id).data.metrics
        services.close()

    as_another(work)
    assert listing(shared) == before


def test_it_is_said_once_and_in_one_line(shared, mounted, caplog):
    run_id = fill(shared)
    mounted(shared)
    for _ in range(3):
        services = open_store(shared)
        services.runs.get(run_id)
        services.close()
    (line,) = [record.getMessage() for record in caplog.records]
    assert "can only be read (its file system is mounted read-only)" in line
    assert "nothing will be recorded there" in line
    assert "may be seen late" in line
    assert "\n" not in line


def test_over_the_wire_it_is_a_refusal_that_is_not_tried_again(shared, mounted):
    run_id = fill(shared)
    mounted(shared)
    local = open_store(shared, local_paths=False)
    client = connect(LocalTransport(local), "http://in-this-process")
    assert client.runs.get(run_id).data.metrics == {"m": 0.5}
    with pytest.raises(StoreUnwritable, match="can only be read"):
        client.runs.log_metric(run_id, "n", 1.0, 0)
    with pytest.raises(NotFound):
        client.runs.get("0" * 32)
    assert StoreReadOnly.status == 409  # MLflow's clients repeat 503 for minutes
    local.close()


def test_a_database_without_a_write_ahead_log(shared):
    run_id = fill(shared)
    check_reading(shared, run_id)
    connection = sqlite3.connect(shared / "mltrack.db")
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()
    lock_away(shared)
    as_another(lambda: check_both(shared, run_id))
