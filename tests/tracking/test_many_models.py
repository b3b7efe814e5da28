"""Many models in one run: each has what is its own, and costs what the first did."""

import contextlib
import multiprocessing
import random
import sqlite3
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


def _rows_of_points(store):
    """Return how many points of logged models a store holds: for one model, and for all of a step."""
    session.flush()
    with contextlib.closing(sqlite3.connect(store / "mltrack.db")) as connection:
        tables = "logged_model_metrics", "step_points"
        return [connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables]


def test_a_point_is_one_row_however_many_models_have_it(mltrack, model, tmp_path):
    with mltrack.start_run():
        for _ in range(4):
            mltrack.log_model(model, metrics=[])
        mltrack.log_metrics({"a": 0.5, "b": 0.25})
        assert _rows_of_points(tmp_path / "store") == [0, 2]
        mltrack.log_model(model, metrics=[])
        mltrack.log_metrics({"a": 0.5, "b": 0.25})
        assert _rows_of_points(tmp_path / "store") == [0, 4]
    models = mltrack.search_logged_models(output_format="list")
    assert sorted(len(each.metrics) for each in models) == [2, 4, 4, 4, 4]


def _log_there(uri, run_id, steps):
    import mltrack_jupyter as mltrack

    mltrack.set_tracking_uri(uri)
    fitted = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
    with mltrack.start_run(run_id=run_id):
        for time, step in steps:
            if time is None:
                mltrack.log_model(fitted, "there", step=step)
            else:
                mltrack.log_metrics({"x": time / 7, "there": time}, step=step, timestamp=time)


class _Rule:
    """MLflow's rule: a point is noted to each model that its process made at its step by then."""

    def __init__(self):
        self.models, self.points, self.latest = {}, {}, {}

    def make(self, name, step):
        self.models[len(self.points)] = (name, step)
        self.points[len(self.points)] = set(self.latest.values())

    def log(self, name, time, step, values, only=None):
        for key, value in values.items():
            point = (key, value, time, step)
            self.latest[key] = max(self.latest.get(key, point), point, key=lambda p: (p[3], p[2]))
            for number, made in self.models.items():
                if made == (name, step) if only is None else number == only:
                    self.points[number].add(point)


@pytest.mark.parametrize("seed", range(3))
def test_points_are_noted_by_the_rule_whoever_logs_them(mltrack, model, seed, tmp_path):
    chance, rule, ids = random.Random(seed), _Rule(), []
    with mltrack.start_run() as run:
        for time in range(1, 31):
            step = chance.choice([0, 0, 1])
            values = {"x": time / 3, f"y{time % 2}": time}
            kind = chance.choice(["model", "points", "points", "point", "one model"])
            if kind == "model":
                ids.append(mltrack.log_model(model, "here", step=step).model_id)
                rule.make("here", step)
            elif kind == "one model" and ids:
                only = chance.randrange(len(ids))
                mltrack.log_metrics(values, step, timestamp=time, model_id=ids[only])
                rule.log("here", time, step, values, only)
            elif kind == "point":
                mltrack.log_metric("z", time, step, timestamp=time)
                rule.log("here", time, step, {"z": time})
            else:
                mltrack.log_metrics(values, step, timestamp=time)
                rule.log("here", time, step, values)
        session.flush()
        steps = [(None, 0), (100, 0), (None, 0), (None, 1), (101, 0), (102, 1)]
        context = multiprocessing.get_context("spawn")
        other = context.Process(target=_log_there, args=(tmp_path / "store", run.run_id, steps))
        other.start()
        other.join()
        for time, step in steps:
            if time is None:
                rule.make("there", step)
            else:
                rule.log("there", time, step, {"x": time / 7, "there": time})
        mltrack.log_metrics({"x": 1.0}, 0, timestamp=200)
        rule.log("here", 200, 0, {"x": 1.0})
    session.flush()
    made = mltrack.search_logged_models(output_format="list")
    oldest_first = sorted(made, key=lambda each: each.creation_timestamp)
    here = [mltrack.get_logged_model(model_id) for model_id in ids]
    there = [each for each in oldest_first if each.name == "there"]
    assert len(here) + len(there) == len(made) == len(rule.points)
    for number, each in enumerate([*here, *there]):
        points = {(p.key, p.value, p.timestamp, p.step) for p in each.metrics}
        assert points == rule.points[number], number
