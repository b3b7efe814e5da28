"""A connection remembers the numbers of metrics' names, and forgets those that were never committed."""

import pytest
from sqlalchemy import event

from mltrack_jupyter.entities import Metric
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.sql import point_writes
from mltrack_jupyter.testing.making import new_run


def test_the_number_of_a_name_that_was_rolled_back_is_not_used(tmp_path):
    services = open_store(tmp_path)
    run_id = new_run(services).info.run_id
    database = services.runs._database

    def break_off():
        with database.write() as connection:
            point_writes.add_points(connection, 1, [Metric("lost", 1.0, 1)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    services.runs.log_batch(run_id, [Metric("kept", 2.0, 1)])
    services.runs.log_batch(run_id, [Metric("lost", 3.0, 1)])
    assert [p.value for p in services.metrics.history(run_id, "lost")] == [3.0]
    assert [p.value for p in services.metrics.history(run_id, "kept")] == [2.0]
    services.close()


def test_a_point_before_the_latest_is_counted_once(tmp_path):
    services = open_store(tmp_path)
    run_id = new_run(services).info.run_id
    for steps in ([5, 6], [6, 7], [1], [1, 2]):
        services.runs.log_batch(run_id, [Metric("loss", 0.5, 1, step) for step in steps])
    with services.runs._database.read() as connection:
        counted = connection.exec_driver_sql("SELECT count, step FROM latest_metrics").all()
    assert counted == [(5, 7)]
    assert [p.step for p in services.metrics.history(run_id, "loss")] == [1, 2, 5, 6, 7]
    services.close()


def test_new_names_are_written_in_sets(tmp_path):
    services = open_store(tmp_path)
    run_id = new_run(services).info.run_id
    database = services.runs._database
    told = []
    event.listen(database.engine, "before_cursor_execute", lambda *call: told.append(call[2]))
    many = {(1, f"m{number}"): ([0], [1], [7]) for number in range(12_000)}
    with database.write() as connection:
        point_writes.append_points(connection, many)
    assert sum("INTO metric_keys" in statement for statement in told) < 10
    assert len(services.runs.get(run_id).data.metrics) == 12_000
    services.close()


def test_a_name_that_a_rival_wrote_meanwhile_is_found(tmp_path, monkeypatch):
    services = open_store(tmp_path)
    run_id = new_run(services).info.run_id
    services.runs.log_batch(run_id, [Metric("theirs", 1.0, 1)])
    services.close()
    services = open_store(tmp_path)
    real, answers = point_writes._stored_ids, [{}]
    monkeypatch.setattr(
        point_writes, "_stored_ids", lambda *asked: answers.pop() if answers else real(*asked)
    )
    services.runs.log_batch(run_id, [Metric("theirs", 2.0, 2), Metric("mine", 3.0, 2)])
    assert services.runs.get(run_id).data.metrics == {"theirs": 2.0, "mine": 3.0}
    services.close()
