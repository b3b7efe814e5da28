"""MLflow databases of other years, and damaged ones, written by hand with the columns they had."""

import contextlib
import math
import sqlite3

import pytest

from mltrack_jupyter.entities import RunStatus

OLD = """
CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name VARCHAR(256), artifact_location VARCHAR(256),
                          lifecycle_stage VARCHAR(32));
CREATE TABLE runs (run_uuid VARCHAR(32) PRIMARY KEY, name VARCHAR(250), source_type VARCHAR(20), source_name VARCHAR(500),
                   entry_point_name VARCHAR(50), user_id VARCHAR(256), status VARCHAR(20), start_time BIGINT,
                   end_time BIGINT, source_version VARCHAR(50), lifecycle_stage VARCHAR(20), artifact_uri VARCHAR(200),
                   experiment_id INTEGER);
CREATE TABLE tags (key VARCHAR(250), value VARCHAR(250), run_uuid VARCHAR(32));
CREATE TABLE metrics (key VARCHAR(250), value FLOAT, timestamp BIGINT, run_uuid VARCHAR(32));
CREATE TABLE params (key VARCHAR(250), value VARCHAR(250), run_uuid VARCHAR(32));
INSERT INTO experiments VALUES (0, 'Default', './mlruns/0', 'active'), (3, 'trees', './mlruns/3', 'active');
INSERT INTO runs VALUES ('r1', '', 'LOCAL', 'train.py', 'main', 'ada', 'FINISHED', 1551000000000, 1551000060000, '0123abc',
                         'active', './mlruns/3/r1/artifacts', 3);
INSERT INTO runs VALUES ('r2', '', 'UNKNOWN', '', '', 'ada', 'RUNNING', 1551000000000, NULL, '', 'deleted', '/elsewhere/r2', 3);
INSERT INTO tags VALUES ('mlflow.source.name', 'tagged.py', 'r1');
INSERT INTO metrics VALUES ('rmse', 0.9, 1551000001000, 'r1'), ('rmse', 0.7, 1551000002000, 'r1'),
                           ('big', 1.7976931348623157e308, 1551000001000, 'r1');
INSERT INTO params VALUES ('alpha', '0.5', 'r1');
"""
LATER = """
ALTER TABLE metrics ADD COLUMN step BIGINT DEFAULT 0;
ALTER TABLE metrics ADD COLUMN is_nan BOOLEAN DEFAULT 0;
CREATE TABLE latest_metrics (key VARCHAR(250), value FLOAT, timestamp BIGINT, step BIGINT, is_nan BOOLEAN, run_uuid VARCHAR(32));
CREATE TABLE experiment_tags (key VARCHAR(250), value VARCHAR(5000), experiment_id INTEGER);
CREATE TABLE registered_models (name VARCHAR(256), creation_time BIGINT, last_updated_time BIGINT, description VARCHAR(5000));
CREATE TABLE model_versions (name VARCHAR(256), version INTEGER, creation_time BIGINT, last_updated_time BIGINT,
                             description VARCHAR(5000), user_id VARCHAR(256), current_stage VARCHAR(20), source VARCHAR(500),
                             run_id VARCHAR(32), status VARCHAR(20), status_message VARCHAR(500));
INSERT INTO latest_metrics VALUES ('rmse', 0.7, 1551000002000, 0, 0, 'r1');
INSERT INTO experiment_tags VALUES ('team', 'blue', 3);
INSERT INTO metrics VALUES ('gone', 0, 1551000003000, 'r1', 7, 1);
INSERT INTO registered_models VALUES ('reg', 1551000000000, 1551000000000, 'a description');
INSERT INTO model_versions VALUES ('reg', 2, 1551000000000, 1551000000000, '', 'ada', 'Production', './mlruns/3/r1/artifacts/m',
                                   'r1', 'READY', '');
"""


@pytest.fixture
def database(tmp_path):
    """Write a database beside its artifacts; more statements change it."""
    place = tmp_path / "mlflow.db"
    artifacts = tmp_path / "mlruns" / "3" / "r1" / "artifacts"
    artifacts.mkdir(parents=True)
    (artifacts / "a.txt").write_text("hello")

    def write(*scripts):
        with contextlib.closing(sqlite3.connect(place)) as connection:
            for script in scripts:
                connection.executescript(script)
        return place

    return write


def test_a_database_of_before_mlflow_1(database, target, bring):
    report = bring(database(OLD), target)
    assert report.matches, (report.problems, report.found, report.there)
    run = target.runs.get("r1")
    assert run.info.experiment_id == "3"
    assert run.info.status is RunStatus.FINISHED
    assert (run.info.start_time, run.info.end_time) == (1551000000000, 1551000060000)
    assert run.data.tags["mlflow.source.name"] == "tagged.py"
    assert run.data.tags["mlflow.source.git.commit"] == "0123abc"
    assert run.data.tags["mlflow.project.entryPoint"] == "main"
    assert run.data.tags["mlflow.source.type"] == "LOCAL"
    assert run.data.metrics == {"rmse": 0.7, "big": math.inf}
    assert len(target.metrics.history("r1", "rmse").items) == 2
    with target.run_artifacts.read("r1", "a.txt").file as file:
        assert file.read() == b"hello"
    assert target.runs.get("r2").info.lifecycle_stage == "deleted"
    assert bring(database(), target).skipped == 2
    database("INSERT INTO metrics VALUES ('rmse', 0.6, 1551000003000, 'r1')")
    assert bring(database(), target).skipped == 1
    assert target.runs.get("r1").data.metrics["rmse"] == 0.6


def test_a_database_of_some_years_later(database, target, bring):
    report = bring(database(OLD, LATER), target)
    assert report.matches, (report.problems, report.found, report.there)
    (point,) = target.metrics.history("r1", "gone").items
    assert (point.step, math.isnan(point.value)) == (7, True)
    assert target.experiments.get("3").tags == {"team": "blue"}
    version = target.model_versions.get("reg", "2")
    assert (version.current_stage, version.run_id) == ("Production", "r1")


def test_what_is_damaged_is_listed_and_the_rest_arrives(database, target, bring):
    place = database(
        OLD,
        LATER,
        """
        INSERT INTO runs (run_uuid, status, start_time, experiment_id) VALUES
            ('odd', 'ASLEEP', 0, 3), ('late', 'FINISHED', 'yesterday', 3), ('bare', NULL, NULL, 3), ('../x', 'FINISHED', 0, 3),
            ('bytes', CAST(X'FFFE' AS TEXT), 0, 3);
        INSERT INTO metrics VALUES ('rmse', 'wide', 1551000004000, 'r1', 0, 0), ('rmse', NULL, 1551000005000, 'r1', 0, 0),
            ('rmse', 0.5, 'noon', 'r1', 0, 0);
        INSERT INTO experiments VALUES (9, NULL, '', NULL);
        INSERT INTO registered_models VALUES ('bad', 'never', 0, '');
        """,
    )
    report = bring(place, target)
    assert sorted(item.what.split()[-1] for item in report.problems) == sorted(
        ["odd", "late", "../x", "bytes", "''", "'bad'"]
    ), report.problems
    assert len([note for note in report.notes if "'rmse' is left out" in note]) == 3
    assert len(target.metrics.history("r1", "rmse").items) == 2
    assert target.runs.get("bare").info.status is RunStatus.RUNNING
    assert target.model_versions.get("reg", "2").version == "2"


@pytest.mark.parametrize("table", ["tags", "params", "metrics", "experiment_tags", "latest_metrics", "model_versions"])  # fmt: skip
def test_a_table_that_is_not_there(database, target, bring, table):
    place = database(OLD, LATER, f"DROP TABLE {table}")
    if table == "metrics":
        with pytest.raises(Exception, match="nothing that can be imported"):
            bring(place, target)
        return
    report = bring(place, target)
    assert report.problems == []
    assert target.runs.get("r1").info.user_id == "ada"
