"""Stores on PostgreSQL and MariaDB: errors, several processes, and what their SQL does differently."""

import math
import os
import subprocess
import sys
import threading

import pytest
from msgspec.structs import replace
from sqlalchemy import exc as sa_exc
from sqlalchemy import insert

from mltrack_jupyter.entities import Metric, Param, Tag
from mltrack_jupyter.errors import (
    AlreadyExists,
    BadRequest,
    InvalidParameter,
)
from mltrack_jupyter.store import open_store, watch
from mltrack_jupyter.store.sql import tables
from mltrack_jupyter.store.sql.database import Database, held
from mltrack_jupyter.store.sql.retries import ATTEMPTS, retried
from mltrack_jupyter.store.sql.upserts import upsert
from mltrack_jupyter.testing.making import new_experiment, new_model, new_run, unique

pytestmark = pytest.mark.database
SOAK = bool(os.environ.get("SOAK"))

BEGIN = """
import sys
from pathlib import Path
from mltrack_jupyter.entities import Metric
from mltrack_jupyter.errors import AlreadyExists
from mltrack_jupyter.store import open_store
url, folder, index = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
print("ready", flush=True)
sys.stdin.readline()
services = open_store(url, artifact_root=folder)
"""
RUN = """
run = services.runs.create(experiment_id="0", run_name=index)
services.runs.log_metric(run.info.run_id, "m", 1.0, 0)
"""
POINTS = """
for step in range(100):
    own, shared = Metric(f"m{index}", 0.5, step, step), Metric("shared", float(index), step, step)
    services.runs.log_batch(sys.argv[4], metrics=[own, shared])
"""
ONE_BY_ONE = """
for step in range(int(sys.argv[5])):
    services.runs.log_metric(sys.argv[4], f"m{index}", 0.5, step, step)
"""
REGISTER = """
try:
    print(services.experiments.create("the same"))
except AlreadyExists:
    print(services.experiments.get_by_name("the same").experiment_id)
for _ in range(5):
    services.model_versions.create(sys.argv[4], "s3://bucket/model")
"""


@pytest.fixture
def database(url, services):
    database = Database(url)
    yield database
    database.close()


def together(url, folder, count, code, *arguments):
    """Run a piece of code in processes that begin at the same moment; return what they said."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", BEGIN + code, url, folder, str(index), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for index in range(count)
    ]  # fmt: skip
    for process in processes:
        process.stdout.readline()
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    found = [process.communicate(timeout=900 if SOAK else 120) for process in processes]
    assert [error for _, error in found] == [""] * count
    return [said.strip() for said, _ in found]


def all_changes(services):
    return services.workspace.changes(0, 10_000).changes


# --- several processes --------------------------------------------------------------------------


def test_eight_processes_begin_with_an_empty_database(url, tmp_path):
    together(url, tmp_path, 8, RUN)
    services = open_store(url, artifact_root=tmp_path)
    assert [item.experiment_id for item in services.experiments.search(10)] == ["0"]
    names = sorted(run.info.run_name for run in services.runs.search(["0"]))
    services.close()
    assert names == [str(index) for index in range(8)]


def test_four_processes_write_into_one_run(url, services, database, tmp_path):
    run_id = new_run(services).info.run_id
    together(url, tmp_path, 4, POINTS, run_id)
    for index in range(4):
        steps = [point.step for point in services.metrics.history(run_id, f"m{index}")]
        assert steps == list(range(100))
    assert len(services.metrics.history(run_id, "shared")) == 400
    assert services.runs.get(run_id).data.metrics["shared"] == 3.0
    services.runs.log_batch(
        run_id, metrics=[Metric("shared", 0.0, 0, 0)] * 3
    )  # one is there already
    with database.read() as connection:
        query = tables.latest_metrics.select().where(tables.latest_metrics.c.key == "shared")
        (row,) = connection.execute(query)
    assert (row.count, row.min, row.max) == (400, 0.0, 3.0)


@pytest.mark.parametrize(("count", "points"), [(8, 1000 if SOAK else 25)])
def test_eight_processes_write_points_one_by_one(url, services, tmp_path, count, points):
    run_id = new_run(services).info.run_id
    together(url, tmp_path, count, ONE_BY_ONE, run_id, str(points))
    for index in range(count):
        steps = [point.step for point in services.metrics.history(run_id, f"m{index}")]
        assert steps == list(range(points))


def test_numbers_of_versions_are_given_once(url, services, tmp_path):
    name = new_model(services)
    assert len(set(together(url, tmp_path, 4, REGISTER, name))) == 1
    found = services.model_versions.search(f"name = '{name}'")
    assert sorted(int(item.version) for item in found) == list(range(1, 21))


def test_a_reader_of_the_feed_misses_nothing(url, services, tmp_path):
    seen, stop = [], threading.Event()
    reading = open_store(url, artifact_root=tmp_path)

    def read():
        cursor = 0
        while True:
            last = stop.is_set()
            part = reading.workspace.changes(cursor)
            seen.extend(change.seq for change in part.changes)
            cursor = part.last
            if last and not part.changes:
                return

    def write():
        for _ in range(15):
            services.experiments.create(unique())

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write) for _ in range(6)]
    for thread in [reader, *writers]:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    reader.join()
    reading.close()
    assert len(seen) == 90
    assert seen == [change.seq for change in all_changes(services)]


# --- conflicts ----------------------------------------------------------------------------------


def test_two_that_wait_for_each_other_both_finish(services, database):
    """Two transactions hold one run each and want the other's: the database ends one of them."""
    ids = [new_run(services).info.run_id for _ in range(2)]
    meet, tries, errors = threading.Barrier(2, timeout=20), [], []

    @retried
    def both(mine, other):
        tries.append(mine)
        with database.write() as connection:
            for run_id in (mine, other):
                query = tables.runs.select().where(tables.runs.c.run_id == run_id)
                connection.execute(held(connection, query)).first()
                if run_id == mine and tries.count(mine) == 1:
                    meet.wait()

    def work(*arguments):
        try:
            both(*arguments)
        except Exception as error:
            errors.append(error)

    threads = [
        threading.Thread(target=work, args=ids),
        threading.Thread(target=work, args=ids[::-1]),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert len(tries) == 3


def test_a_conflict_that_stays_is_an_error_after_five_tries(database):
    tries = []

    @retried
    def again():
        tries.append(1)
        with database.write() as connection:
            for _ in range(2):
                connection.execute(insert(tables.metric_keys), {"key": "twice"})

    with pytest.raises(BadRequest) as caught:
        again()
    assert len(tries) == ATTEMPTS
    assert "INSERT" not in str(caught.value)


def test_two_who_create_the_same_name_at_once(services):
    made, taken = [], []

    def create():
        try:
            made.append(services.experiments.create("the same"))
        except AlreadyExists:
            taken.append(1)

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), len(taken)) == (1, 5)


# --- what their SQL does differently ------------------------------------------------------------


def test_names_differ_by_case_accents_and_blanks(services):
    stem = unique()
    names = [stem, stem.upper(), f"{stem} ", f"{stem}é", f"{stem}e", f"{stem}😀"]
    ids = [services.experiments.create(name) for name in names]
    assert [services.experiments.get_by_name(name).experiment_id for name in names] == ids
    run = new_run(services, params={"k": "1", "K": "2", "é": "3", "e": "4"})
    assert run.data.params == {"k": "1", "K": "2", "é": "3", "e": "4"}


def test_keys_and_names_may_be_as_long_as_allowed(services):
    name, key = "ü" * 500, "ü" * 250
    number = services.experiments.create(name)
    run = new_run(services, number, params={key: "1"}, tags={key: "2"}, metrics={key: 3.0})
    assert run.data.metrics == {key: 3.0}
    assert services.experiments.get_by_name(name).experiment_id == number


def test_values_of_a_megabyte(services):
    value = "ü" * 1_000_000
    run = new_run(services, params={"long": value}, tags={"long": value})
    assert run.data.params["long"] == value
    assert run.data.tags["long"] == value


def test_infinity_can_be_searched_and_ordered_by(services):
    number = new_experiment(services)
    values = [0.0, math.inf, -math.inf, 1e308, -1e308, math.nan]
    for value in values:
        new_run(services, number, name=str(value), metrics={"m": value})
    new_run(services, number, name="none")

    def names(**options):
        return [run.info.run_name for run in services.runs.search([number], **options)]

    ascending = ["-inf", "-1e+308", "0.0", "1e+308", "inf"]
    assert names(order_by=["metrics.m ASC"]) == [*ascending, "nan", "none"]
    assert names(order_by=["metrics.m DESC"]) == [*ascending[::-1], "nan", "none"]
    assert names(filter="metrics.m > 1e308") == ["inf"]
    assert names(filter="metrics.m < -1e308") == ["-inf"]
    assert sorted(names(filter="metrics.m != 0")) == sorted({*ascending, "nan"} - {"0.0"})


def test_times_are_compared_with_parts_of_a_number(services):
    number = new_experiment(services)
    new_run(services, number, start=5)
    for condition, count in {
        "start_time > 4.6": 1, "start_time > 5.4": 0, "start_time = 5.4": 0, "start_time < 1e30": 1,
        "start_time = 5.0": 1, "start_time >= 5.4": 0, "start_time < 9e999": 1,
    }.items():  # fmt: skip
        assert len(services.runs.search([number], filter=condition)) == count, condition


def test_a_backslash_in_a_pattern_is_a_backslash(services):
    number = new_experiment(services)
    new_run(services, number, params={"path": r"C:\data_1"})
    for pattern, count in {r"C:\%": 1, r"C:\data\_1": 0, r"c:\%": 0, r"C:\data_1": 1}.items():
        assert len(services.runs.search([number], filter=f"params.path LIKE '{pattern}'")) == count
    assert len(services.runs.search([number], filter=r"params.path ILIKE 'c:\DATA%'")) == 1


def test_nothing_with_a_nul_is_stored(services):
    run_id = new_run(services).info.run_id
    for write in (
        lambda: services.runs.log_param(run_id, "p", "a\0b"),
        lambda: services.runs.set_tag(run_id, "t", "a\0b"),
        lambda: services.experiments.create("a\0b"),
    ):
        with pytest.raises(InvalidParameter):
            write()


def test_numbers_of_experiments_go_on_after_an_import(services):
    made = services.experiments.get(new_experiment(services))
    other = replace(made, experiment_id=str(int(made.experiment_id) + 100), name=unique())
    assert services.transfer.import_experiment(other).experiment_id == other.experiment_id
    assert int(new_experiment(services)) == int(other.experiment_id) + 1


def test_tags_are_replaced_and_kept(services, database):
    run_id = new_run(services, tags={"a": "1"}).info.run_id
    services.runs.log_batch(run_id, tags=[Tag("a", "2"), Tag("b", "3")], params=[Param("p", "")])
    assert services.runs.get(run_id).data.tags["a"] == "2"
    rows = [{"key": "k", "value": value, "experiment": 0} for value in ("1", "2")]
    with database.write() as connection:
        assert upsert(connection, tables.experiment_tags, rows[:1], replace=False) == 1
        assert upsert(connection, tables.experiment_tags, rows[1:], replace=False) == 0
    assert services.experiments.get("0").tags["k"] == "1"


def test_a_reader_sees_one_state(services, database):
    run = new_run(services, tags={"a": "1"})
    query = tables.tags.select().where(tables.tags.c.key == "a", tables.tags.c.value != "0")
    with database.read() as connection:
        before = connection.execute(query).all()
        services.runs.set_tag(run.info.run_id, "a", "2")
        assert connection.execute(query).all() == before
        with pytest.raises(sa_exc.DBAPIError):
            connection.execute(tables.tags.delete())


# --- the watcher --------------------------------------------------------------------------------


def test_the_watcher_asks_a_server_at_its_own_pace(services, monkeypatch):
    monkeypatch.setattr(watch, "_PACE", 60.0)
    watcher = watch.Watcher(services)
    assert watcher.poll() is None
    run_id = new_run(services).info.run_id
    assert watcher.poll() is None  # too early to ask
    monkeypatch.setattr(watch, "_PACE", 0.0)
    assert run_id in [change.entity_id for change in watcher.poll().changes]
    assert watcher.poll() is None
    watcher.close()
