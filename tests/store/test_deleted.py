"""A store that is deleted, or replaced by another one, while processes have it open."""

import os
import shutil
import sqlite3
import threading

import pytest

from mltrack_jupyter.entities import Metric, Process
from mltrack_jupyter.errors import NotFound, StoreTooNew, StoreUnwritable, Unavailable
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.sql import schema
from mltrack_jupyter.store.sql.database import Database
from mltrack_jupyter.store.sql.same_file import SameFile
from mltrack_jupyter.store.watch import Watcher
from mltrack_jupyter.testing.making import new_run


@pytest.fixture
def folder(tmp_path):
    return tmp_path / ".mltrack"


def runs_of_another_process(folder):
    """The runs that are in the file which has the store's name now."""
    with sqlite3.connect(folder / "mltrack.db") as connection:
        found = [run_id for (run_id,) in connection.execute("SELECT run_id FROM runs ORDER BY id")]
    connection.close()
    return found


def test_what_is_written_after_it_was_deleted_is_in_a_new_one(store, folder, caplog):
    old = new_run(store).info.run_id
    shutil.rmtree(folder)
    new = new_run(store).info.run_id
    assert runs_of_another_process(folder) == [new]
    assert caplog.text.count("was deleted or replaced") == 1
    with pytest.raises(NotFound):
        store.runs.get(old)


def test_nobody_sees_what_was_deleted(store, folder):
    run_id = new_run(store).info.run_id
    shutil.rmtree(folder)
    with pytest.raises(NotFound):
        store.runs.get(run_id)
    assert store.experiments.get("0").name == "Default"


def test_another_one_that_was_made_in_its_place_is_read_and_written(store, folder, tmp_path):
    new_run(store)
    shutil.rmtree(folder)
    other = open_store(folder)
    there = new_run(other).info.run_id
    store.runs.log_batch(there, [Metric("m", 1.0, 1)])
    assert other.runs.get(there).data.metrics == {"m": 1.0}
    other.close()
    assert runs_of_another_process(folder) == [there]  # closing touched nothing that is new


def test_a_moved_one_is_followed_by_its_name(store, folder, tmp_path):
    old = new_run(store).info.run_id
    os.replace(folder, tmp_path / "moved")
    new = new_run(store).info.run_id
    assert runs_of_another_process(folder) == [new]
    assert runs_of_another_process(tmp_path / "moved") == [old]


def test_one_of_a_newer_version_in_its_place_is_only_read(store, folder):
    shutil.rmtree(folder)
    open_store(folder).close()
    with sqlite3.connect(folder / "mltrack.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreTooNew):
        new_run(store)
    assert store.experiments.get("0").name == "Default"


def test_what_is_written_while_it_is_deleted_is_not_acknowledged(store, folder):
    database = store.runs._database

    def write():
        with database.write() as connection:
            connection.exec_driver_sql("UPDATE experiments SET name = 'lost'")
            shutil.rmtree(folder)

    with pytest.raises(Unavailable, match="nothing was written"):
        write()
    assert store.experiments.get("0").name == "Default"


def test_threads_that_find_it_deleted_make_one_new_one(store, folder):
    new_run(store)
    shutil.rmtree(folder)
    made = []
    threads = [
        threading.Thread(target=lambda: made.append(new_run(store, "0").info.run_id))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(runs_of_another_process(folder)) == sorted(made)
    assert len(made) == 8


def test_tidying_up_makes_no_new_one(store, folder):
    process = Process(process_id="p", host="h", boot_id="b", pid=1, started=1)
    store.leases.take(new_run(store).info.run_id, process)
    watcher = Watcher(store)
    shutil.rmtree(folder)
    assert store.leases.renew("p") == []
    assert store.leases.reap() == []
    store.journals.forget("0" * 32)
    assert watcher.poll() is None
    assert not folder.exists()
    watcher.close()


def test_where_none_can_be_made_that_is_said(store, folder):
    shutil.rmtree(folder)
    folder.write_text("a file")
    with pytest.raises(StoreUnwritable, match="No store can be created"):
        new_run(store)
    folder.unlink()
    assert new_run(store).info.run_id in runs_of_another_process(folder)


def test_the_watcher_sees_what_happens_in_the_new_one(store, folder):
    for _ in range(3):
        new_run(store)
    watcher = Watcher(store)
    shutil.rmtree(folder)
    run_id = new_run(store).info.run_id
    assert run_id in [change.entity_id for change in watcher.poll().changes]
    assert watcher.poll() is None
    watcher.close()


def test_what_is_no_file_is_not_looked_for(tmp_path, monkeypatch):
    """A database on a server has no path, which would be the working directory's."""
    monkeypatch.chdir(tmp_path)
    for path in ("", ":memory:"):
        file = SameFile(path)
        file.watch(lambda: pytest.fail("it was opened anew"))
        (tmp_path / "elsewhere").mkdir(exist_ok=True)
        monkeypatch.chdir(tmp_path / "elsewhere")
        file.check(file.follow())
        assert not file.is_missing


def test_what_was_begun_in_the_old_file_is_not_written_in_silence(tmp_path):
    """Whoever reads meanwhile opens the database anew; the writer is still in the one that is gone."""
    database = Database(f"sqlite:///{tmp_path / 'store' / 'mltrack.db'}")
    (tmp_path / "store").mkdir()
    schema.open_schema(database, schema.DEFAULT_LOCATION)

    def write():
        with database.write() as connection:
            connection.exec_driver_sql("UPDATE experiments SET name = 'lost'")
            shutil.rmtree(tmp_path / "store")
            (tmp_path / "store").mkdir()
            reader = threading.Thread(target=lambda: database.read().__enter__())
            reader.start()
            reader.join()

    with pytest.raises(Unavailable, match="nothing was written"):
        write()
    database.close()


def test_the_log_of_the_old_one_is_not_applied_to_the_new_one(store, folder, tmp_path):
    """SQLite would, and could destroy the backup that was put in place."""
    backup = open_store(tmp_path / "backup")
    names = {f"kept {number}" for number in range(300)}
    for name in names:
        backup.experiments.create(name)
    backup.close()
    for number in range(20):
        store.experiments.create(f"written later {number}" * 10)
    assert (folder / "mltrack.db-wal").stat().st_size
    os.replace(tmp_path / "backup" / "mltrack.db", folder / "mltrack.db")
    store.experiments.create("new")
    found = {item.name for item in store.experiments.search(1000).items}
    assert found == {*names, "Default", "new"}
    with sqlite3.connect(folder / "mltrack.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
