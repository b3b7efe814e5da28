"""Many models in one run: each has what is its own, and costs what the first did."""

import contextlib
from functools import partial

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from mltrack_jupyter.store.sql.database import Database
from mltrack_jupyter.tracking import session


@pytest.fixture
def model():
    return LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])


@pytest.fixture
def writes(monkeypatch):
    """A list to which each transaction that writes is added."""
    found, real = [], Database.write

    @contextlib.contextmanager
    def write(self, **options):
        found.append(self)
        with real(self, **options) as connection:
            yield connection

    monkeypatch.setattr(Database, "write", write)
    return found


def _statements(action):
    """Return how many statements an action sends to the store."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    found = []

    def note(connection, cursor, statement, *rest):
        found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        action()
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return len(found)


def test_a_model_is_one_transaction(mltrack, model, writes):
    with mltrack.start_run():
        mltrack.log_model(model)  # also opens the store
        mltrack.log_metric("loss", 0.5, step=1)
        session.flush()
        writes.clear()
        mltrack.log_model(model, step=1)
    assert len(writes) in (1, 2)  # the end of the run may be in the store by now


def test_a_model_takes_as_many_statements_as_the_one_before(mltrack, model):
    with mltrack.start_run():
        counts = []
        for number in range(6):
            mltrack.log_metrics({f"m{number}_{k}": 0.5 for k in range(20)}, step=number)
            mltrack.log_params({f"p{number}_{k}": k for k in range(20)})
            session.flush()
            counts.append(_statements(partial(mltrack.log_model, model, step=number)))
    # The thread of the journal may have asked something meanwhile.
    assert min(counts[3:]) == min(counts[:3])


def test_a_model_has_the_params_and_metrics_of_its_run_by_now(mltrack, model):
    with mltrack.start_run():
        mltrack.log_params({"a": 1, "b": 2})
        mltrack.log_metrics({"loss": 0.5, "system/cpu": 0.1})
        first = mltrack.log_model(model, params={"b": 3})
        mltrack.log_param("c", 4)
        mltrack.log_metric("later", 0.25, step=1)
        second = mltrack.log_model(model)
    assert first.params == {"a": "1", "b": "3"}
    assert second.params == {"a": "1", "b": "2", "c": "4"}
    found = [mltrack.get_logged_model(info.model_id) for info in (first, second)]
    assert [{point.key for point in each.metrics} for each in found] == [
        {"loss"},
        {"loss", "later"},
    ]
    assert found[0].status.value == "LOGGED_MODEL_READY"


def test_nothing_stays_of_a_model_whose_run_was_deleted(mltrack, model, tmp_path):
    client = mltrack.Client()
    with mltrack.start_run() as run:
        mltrack.log_model(model)
        client.delete_run(run.run_id)
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(mltrack.MltrackError, match="deleted"):
            mltrack.log_model(model)
        assert [path for path in sorted(tmp_path.rglob("*")) if "m-" in str(path)] == [
            path for path in before if "m-" in str(path)
        ]


def test_what_is_measured_of_a_model_is_not_measured_of_those_before(mltrack):
    from sklearn.tree import DecisionTreeClassifier

    from mltrack_jupyter.tracking.autolog import autolog

    autolog(silent=True)
    try:
        with mltrack.start_run() as run:
            for depth in (1, 2, 3):
                DecisionTreeClassifier(max_depth=depth).fit([[0.0], [1.0], [2.0]], [0, 1, 0])
    finally:
        autolog(disable=True)
    models = mltrack.search_logged_models(output_format="list")
    keys = [{point.key for point in model.metrics} for model in reversed(models)]
    assert len(keys) == 3
    assert not keys[0] & keys[1]
    assert not keys[1] & keys[2]
    assert set.union(*keys) == set(mltrack.get_run(run.run_id).data.metrics)


def test_what_is_measured_on_data_is_noted_to_the_models_of_its_step(mltrack, model):
    data = mltrack.data.from_numpy(np.eye(2), name="eye")
    with mltrack.start_run():
        ids = [mltrack.log_model(model, name).model_id for name in ("a", "b")]
        mltrack.log_metric("r2", 1.0, dataset=data)
        mltrack.log_metrics({"mse": 0.0}, dataset=data, model_id=ids[0])
    of_each = [
        {(point.key, point.dataset_name) for point in mltrack.get_logged_model(number).metrics}
        for number in ids
    ]
    assert of_each == [{("r2", "eye"), ("mse", "eye")}, {("r2", "eye")}]


def test_many_new_names_are_written_by_few_statements(mltrack):
    with mltrack.start_run() as run:
        mltrack.log_metric("first", 1.0)
        session.flush()
        values = {f"name_{k}": k / 7 for k in range(5000)} | {"nan": float("nan")}
        for key, value in values.items():
            mltrack.log_metric(key, value)
        assert _statements(session.flush) < 100
        for key in ("name_1", "name_2"):
            mltrack.log_metric(key, 9.0)
    assert mltrack.get_run(run.run_id).data.metrics["name_1"] == 9.0
    history = mltrack.Client().get_metric_history(run.run_id, "name_1")
    assert [point.value for point in history] == [1 / 7, 9.0]
    [found] = mltrack.search_runs(filter_string="metrics.name_4999 > 714", output_format="list")
    assert len(found.data.metrics) == 5002
