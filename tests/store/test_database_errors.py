"""Database servers that cannot be used, and databases that are no stores: what is said, and left alone."""

import sys

import databases
import pytest
from sqlalchemy import inspect, text

from mltrack_jupyter.errors import InvalidParameter, StoreUnreadable, Unavailable
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.sql import tables
from mltrack_jupyter.store.sql.database import Database
from mltrack_jupyter.store.sql.dialects import dialect_of
from mltrack_jupyter.testing.making import NOW, new_run

pytestmark = pytest.mark.database


def test_a_wrong_password(kind, database_server_of, tmp_path):
    server = database_server_of(kind)
    wrong = server.new_database().replace(databases.PASSWORD, "falsch-2718")
    with pytest.raises(Unavailable, match="refuses the user or the password") as caught:
        open_store(wrong, artifact_root=tmp_path)
    assert "falsch-2718" not in str(caught.value)


def test_a_database_that_does_not_exist(kind, database_server_of, tmp_path):
    with pytest.raises(Unavailable, match="CREATE DATABASE"):
        open_store(database_server_of(kind).url("nowhere"), artifact_root=tmp_path)


@pytest.mark.parametrize("scheme", ["postgresql", "mysql", "mariadb"])
def test_nobody_at_the_port(scheme, tmp_path):
    with pytest.raises(Unavailable, match=r"does not answer.*Is it running") as caught:
        open_store(f"{scheme}://me:geheim@127.0.0.1:1/db", artifact_root=tmp_path)
    assert "geheim" not in str(caught.value)


def test_a_server_that_goes_away_and_comes_back(kind, tmp_path):
    server = databases.start_another(kind)
    services = open_store(server.new_database(), artifact_root=tmp_path)
    try:
        run_id = new_run(services, params={"kept": "yes"}).info.run_id
        server.stop()
        with pytest.raises(Unavailable, match="does not answer") as caught:
            services.runs.get(run_id)
        with pytest.raises(Unavailable, match="does not answer"):
            services.runs.log_metric(run_id, "m", 1.0, NOW)
        assert databases.PASSWORD not in str(caught.value)
        server.start()
        assert services.runs.get(run_id).data.params == {"kept": "yes"}
    finally:
        services.close()
        server.close()


@pytest.mark.parametrize(
    ("url", "driver", "extra"),
    [
        ("postgresql://u:geheim@host/db", "psycopg", "'mltrack-jupyter[postgresql]'"),
        ("mysql://u:geheim@host/db", "pymysql", "'mltrack-jupyter[mysql]'"),
        ("mariadb://u:geheim@host/db", "pymysql", "'mltrack-jupyter[mysql]'"),
    ],
)
def test_a_missing_driver_names_the_extra(url, driver, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, driver, None)
    with pytest.raises(InvalidParameter) as caught:
        open_store(url)
    assert f"pip install {extra}" in str(caught.value)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("url", ["postgresql://u:geheim@host:port/db", "oracle://u:geheim@host/db"])
def test_no_password_in_what_is_said_of_a_wrong_url(url):
    with pytest.raises(InvalidParameter) as caught:
        open_store(url)
    assert "geheim" not in str(caught.value)


def test_nor_in_what_a_store_says_of_itself(services):
    assert databases.PASSWORD not in repr(services)


def test_a_database_of_others_is_left_alone(url, tmp_path):
    database = Database(url)
    with database.write() as connection:
        connection.execute(text("CREATE TABLE invoices (id INTEGER)"))
    with pytest.raises(StoreUnreadable, match="invoices"):
        open_store(url, artifact_root=tmp_path)
    with database.read() as connection:
        assert inspect(connection).get_table_names() == ["invoices"]
    database.close()


def test_half_made_tables_are_finished(url, tmp_path):
    """MySQL cannot take tables back, so a process that dies may leave the first of them."""
    database = Database(url)
    with database.write() as connection:
        dialect_of(connection).compare_by_characters(connection)
        tables.experiments.create(connection)
        tables.experiment_tags.create(connection)
    database.close()
    services = open_store(url, artifact_root=tmp_path)
    assert services.experiments.get("0").name == "Default"
    assert new_run(services, metrics={"m": 1.0}).data.metrics == {"m": 1.0}
    services.close()
