"""What a batch costs: few statements, few rows, and nothing for a run that is over when the store hears of it."""

import time

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.schema import CreateIndex

from mltrack_jupyter.entities import Process, RunEntry, RunStatus, Tag
from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.store.journal.draining import Drain
from mltrack_jupyter.store.journal.journal import Journal
from mltrack_jupyter.store.journal.keeper import Keeper
from mltrack_jupyter.store.journal.sinks import StoreSink
from mltrack_jupyter.store.sql import tables, upserts
from mltrack_jupyter.store.sql.database import Database

OWNER = Process(process_id="p", host="here", boot_id="b", pid=1, started=1)


@pytest.fixture
def database(desk, tmp_path):
    database = Database(f"sqlite:///{tmp_path / '.mltrack' / 'mltrack.db'}")
    yield database
    database.close()


def hand_over(desk, journal):
    Drain(journal.journal_id, desk.folder, journal.segments).run(StoreSink(desk.services))


def owners(database):
    with database.read() as connection:
        return connection.execute(select(tables.run_leases.c.process_id)).scalars().all()


def begin(desk, journal, run_id):
    desk.begin(journal, run_id)
    journal.entry(RunEntry(run_id=run_id, process=OWNER, tags=[Tag("a", "1")]))


def test_a_run_that_goes_on_has_an_owner_and_one_that_is_over_has_none(desk, journal, database):
    begin(desk, journal, "goes-on")
    begin(desk, journal, "is-over")
    journal.entry(
        RunEntry(
            run_id="is-over", status=RunStatus.FAILED, end_time=1_760_000_000_001, process=OWNER
        )
    )
    hand_over(desk, journal)
    assert owners(database) == ["p"]
    info = desk.services.runs.get("is-over").info
    assert (info.status, info.end_time) == (RunStatus.FAILED, 1_760_000_000_001)
    assert desk.services.runs.get("goes-on").info.status is RunStatus.RUNNING
    journal.entry(RunEntry(run_id="goes-on", status=RunStatus.FINISHED, end_time=2, process=OWNER))
    hand_over(desk, journal)
    assert owners(database) == []


def test_a_run_is_told_of_once_in_a_batch(desk, journal):
    begin(desk, journal, "one")
    journal.points("one", [("m", 0, 1, 1.0)])
    journal.entry(RunEntry(run_id="one", status=RunStatus.FINISHED, end_time=2))
    hand_over(desk, journal)
    found = desk.services.workspace.changes(0).changes
    assert [item.action for item in found if item.entity_id == "one"] == ["create", "log", "update"]


def test_metrics_that_are_logged_together_again_and_again(desk, journal):
    for step in range(20_000):  # the names are said again in each file
        journal.points(desk.run_id, [("a", step, 1, step / 2), ("b", step, 1, -step)])
    assert len(journal.segments) > 1
    journal.points(desk.run_id, [("b", 20_000, 1, 0.5), ("a", 20_000, 1, 1.5)])
    hand_over(desk, journal)
    for key, last in (("a", 1.5), ("b", 0.5)):
        points = desk.services.metrics.history(desk.run_id, key)
        assert [point.step for point in points] == list(range(20_001))
        sign = 0.5 if key == "a" else -1
        assert [point.value for point in points] == [*(s * sign for s in range(20_000)), last]


def test_of_metrics_that_are_logged_together_one_bad_name_takes_back_all(desk, journal):
    with pytest.raises(InvalidParameter):
        journal.points(desk.run_id, [("good", 0, 1, 1.0), ("b?d", 0, 1, 1.0)])
    journal.points(desk.run_id, [("other", 0, 1, 1.0)])
    hand_over(desk, journal)
    assert set(desk.services.runs.get(desk.run_id).data.metrics) == {"other"}


def test_no_file_is_left_by_a_thread_that_is_done_before_its_keeper_is(desk, monkeypatch):
    keeper = Keeper(desk.folder, desk.services.uri, lambda: desk.services)
    desk.begin(keeper.journal)
    keeper.wrote()
    seal = Journal.seal

    def slowly(journal):
        time.sleep(0.4)
        seal(journal)

    monkeypatch.setattr(Journal, "seal", slowly)
    assert keeper.close()
    assert desk.files() == []


def test_runs_that_end_one_after_the_other_are_handed_over_together(desk, until, monkeypatch):
    keeper = Keeper(desk.folder, desk.services.uri, lambda: desk.services)
    batches = []
    send = StoreSink.append
    monkeypatch.setattr(
        StoreSink, "append", lambda sink, *of: (batches.append(of), send(sink, *of))[1]
    )
    begun = time.monotonic()
    for number in range(200):
        begin(desk, keeper.journal, f"run-{number}")
        journal = keeper.journal
        journal.entry(RunEntry(run_id=f"run-{number}", status=RunStatus.FINISHED, end_time=2))
        keeper.wrote()
        keeper.hurry()
        time.sleep(0.001)
    until(lambda: not keeper.pending)
    assert len(batches) <= 2 + (time.monotonic() - begun) / 0.05
    assert keeper.close()


def test_columns_of_rows_are_written_in_any_order(database):
    names = ("detail", "entity_id", "entity", "actor", "action", "timestamp", "parent_id")
    with database.write() as connection:
        upserts.upsert_columns(
            connection,
            tables.changes,
            names,
            [[name] * 777 for name in names[:5]] + [[7] * 777, [""] * 777],
        )
        rows = connection.execute(
            select(tables.changes).where(tables.changes.c.timestamp == 7)
        ).all()
    assert len(rows) == 777
    assert {row[1:] for row in rows} == {
        (7, "actor", "entity", "entity_id", "", "action", "detail")
    }


def test_indexes_on_servers():
    """The options of their indexes are said when such a store is opened, and change nothing for SQLite."""

    def made(dialect):
        found = [index for table in tables.metadata.sorted_tables for index in table.indexes]
        texts = {index.name: str(CreateIndex(index).compile(dialect=dialect)) for index in found}
        return [
            texts[name]
            for name in ("ix_params_key_value", "ix_tags_key_value", "ix_changes_entity")
        ]

    before = made(sqlite.dialect())
    tables.suit("postgresql")
    tables.suit("mysql")
    assert made(sqlite.dialect()) == before
    assert ["WHERE" in text for text in before] == [False, True, False]
    assert ["WHERE" in text for text in made(postgresql.dialect())] == [True, True, False]
    assert all("(100)" in text or "(255)" in text for text in made(mysql.dialect()))
