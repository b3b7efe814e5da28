"""What runs share is collected when no run has it, never before, whoever asks for it meanwhile."""

import hashlib
import io
import threading
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event

from mltrack_jupyter.entities import RunEntry
from mltrack_jupyter.errors import DamagedArtifact, InvalidParameter
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.artifacts import save
from mltrack_jupyter.store.sql import shared_files
from mltrack_jupyter.testing.making import new_run

DAY = 24 * 3600 * 1000
BODY = b"numpy==2.0\n"
DIGEST = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def store(folder):
    services = open_store(folder)
    yield services
    services.close()


@pytest.fixture
def later(monkeypatch):
    def move(milliseconds):
        now = shared_files.now_ms()
        monkeypatch.setattr(shared_files, "now_ms", lambda: now + milliseconds)

    return move


@pytest.fixture
def statements():
    """Return a context that lists the statements that are executed in it."""

    @contextmanager
    def noted():
        said = []

        def hear(_connection, _cursor, statement, *_more):
            said.append(statement)

        event.listen(Engine, "before_cursor_execute", hear)
        try:
            yield said
        finally:
            event.remove(Engine, "before_cursor_execute", hear)

    return noted


def give(services, run_id, path="a"):
    if services.run_artifacts.share(run_id, {path: DIGEST}).sha256:
        services.run_artifacts.put_shared(DIGEST, io.BytesIO(BODY))
        services.run_artifacts.share(run_id, {path: DIGEST})


def given(services, count=1):
    found = [new_run(services).info.run_id for _ in range(count)]
    for run_id in found:
        give(services, run_id)
    return found


def kept(folder):
    return sorted((folder / "artifacts" / shared_files.FOLDER).iterdir())


def purge(services, *run_ids):
    for run_id in run_ids:
        services.runs.delete(run_id)
    services.workspace.purge(list(run_ids))


def read(services, run_id, path="a"):
    with services.run_artifacts.read(run_id, path).file as file:
        return file.read()


def test_it_is_kept_once_and_goes_with_the_last_run(store, folder, later):
    first, second = given(store, 2)
    assert [place.read_bytes() for place in kept(folder)] == [BODY]
    later(2 * DAY)
    purge(store, first)
    assert read(store, second) == BODY
    purge(store, second)
    assert kept(folder) == []
    (third,) = given(store)
    assert read(store, third) == BODY


def test_what_was_used_today_stays(store, folder, later):
    (first,) = given(store)
    purge(store, first)
    assert len(kept(folder)) == 1
    later(DAY - 60_000)
    store.workspace.purge()
    assert len(kept(folder)) == 1
    (second,) = given(store)
    purge(store, second)
    later(DAY - 60_000)
    store.workspace.purge()
    assert len(kept(folder)) == 1
    later(2 * DAY)
    store.workspace.purge()
    assert kept(folder) == []


def test_an_experiment_takes_its_runs_with_it(store, folder, later):
    experiment = store.experiments.create("one")
    run_id = store.runs.create(experiment_id=experiment).info.run_id
    give(store, run_id)
    later(2 * DAY)
    store.experiments.delete(experiment)
    store.workspace.purge(experiment_ids=[experiment])
    assert kept(folder) == []


def test_who_brings_it_while_it_is_collected_keeps_it(store, folder, later, monkeypatch):
    """Between the end of the collector's transaction and the deletion of the file comes another run."""
    (first,) = given(store)
    later(2 * DAY)
    store.runs.delete(first)
    found = []
    taken = shared_files.SharedFiles._take_unused

    def slow(self):
        places = taken(self)
        if places and not found:
            found.extend(given(store))
        return places

    monkeypatch.setattr(shared_files.SharedFiles, "_take_unused", slow)
    store.workspace.purge([first])
    assert read(store, found[0]) == BODY
    assert len(kept(folder)) == 1


def test_many_at_once_and_a_collector(store, folder, monkeypatch):
    monkeypatch.setattr(shared_files, "_YOUNG", -10_000)
    runs = [new_run(store).info.run_id for _ in range(12)]
    over = threading.Event()
    failed = []

    def collect():
        while not over.is_set():
            store.workspace.purge()

    def bring(mine):
        try:
            for run_id in mine:
                # As a client does, until nothing is missing.
                for _ in range(50):
                    if not store.run_artifacts.share(run_id, {"a": DIGEST}).sha256:
                        break
                    store.run_artifacts.put_shared(DIGEST, io.BytesIO(BODY))
        except Exception as error:  # told by the test
            failed.append(error)

    collector = threading.Thread(target=collect)
    threads = [threading.Thread(target=bring, args=(runs[at::3],)) for at in range(3)]
    for thread in (collector, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    over.set()
    collector.join()
    assert failed == []
    assert [read(store, run_id) for run_id in runs] == [BODY] * 12
    assert len(kept(folder)) == 1


def test_a_damaged_file_is_told(store, folder, tmp_path):
    (run_id,) = given(store)
    (place,) = kept(folder)
    place.write_bytes(b"other")
    with pytest.raises(DamagedArtifact):
        save(store.run_artifacts.read(run_id, "a"), tmp_path / "a", "a")


def test_a_run_with_a_place_of_its_own_keeps_its_files_there(store, tmp_path):
    experiment = store.experiments.create("elsewhere", artifact_location=str(tmp_path / "other"))
    run_id = store.runs.create(experiment_id=experiment).info.run_id
    with pytest.raises(InvalidParameter, match="below the store's own root"):
        store.run_artifacts.share(run_id, {"a": DIGEST})


def test_a_batch_gives_each_of_its_runs_its_own_by_a_few_statements(store, statements):
    given(store)
    runs = [new_run(store).info.run_id for _ in range(20)]
    shared = [{f"a/{number}": DIGEST} for number in range(20)]
    entries = [RunEntry(run_id=run, shared=files) for run, files in zip(runs, shared, strict=True)]
    with statements() as said:
        store.journals.append("j", 0, 1, entries)
    assert sum("shared_files" in text for text in said) == 3
    for run_id, files in zip(runs, shared, strict=True):
        assert [read(store, run_id, path) for path in files] == [BODY]
        assert len(store.run_artifacts.list(run_id, "a").files) == 1


def test_a_journal_gives_what_is_there_and_leaves_out_the_rest(store):
    given(store)
    run_id = new_run(store).info.run_id
    entry = RunEntry(run_id=run_id, shared={"a/b": DIGEST, "c": "0" * 64})
    answer = store.journals.append("j", 0, 1, [entry])
    assert (answer.position, answer.refused) == (1, [])
    told = store.workspace.changes(since=0).changes[-1]
    assert (told.entity_id, told.action) == (run_id, "log")
    assert read(store, run_id, "a/b") == BODY
    assert [item.path for item in store.run_artifacts.list(run_id).files] == ["a"]
    with pytest.raises(InvalidParameter, match="SHA-256"):
        store.journals.append("j", 1, 2, [RunEntry(run_id=run_id, shared={"a": "x"})])
