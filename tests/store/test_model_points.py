"""Points that all models of a step have are stored once, and nobody who reads finds a difference."""

import random

import pytest
import sqlalchemy as sa

from mltrack_jupyter.entities import (
    Metric,
    ModelDataset,
    ModelInput,
    ModelOrder,
    ModelOutput,
    RunEntry,
)
from mltrack_jupyter.store import open_store
from mltrack_jupyter.store.sql.tables import logged_model_metrics, step_models, step_points

KEYS, STEPS = ("acc", "loss"), (0, 1)


@pytest.fixture
def store(tmp_path):
    opened = open_store(tmp_path)
    yield opened
    opened.close()


def rows(store, table):
    with store.runs._database.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar()


class Noted:
    """A run with models at steps, and what each of them was told, as MLflow keeps it: one by one."""

    def __init__(self, store):
        self.store = store
        self.experiment = store.experiments.create("models")
        self.run_id = store.runs.create(self.experiment).info.run_id
        self.steps = {step: [] for step in STEPS}
        self.points = {}
        self.time = self.place = 0

    def make(self, step):
        model_id = self.store.logged_models.create(self.experiment).info.model_id
        self.store.runs.log_outputs(self.run_id, [ModelOutput(model_id, step)])
        self.steps[step].append(model_id)
        self.points[model_id] = set()
        return model_id

    def log(self, step, model_ids, value=0.5, key="acc", data="", send=None):
        self.time += 1
        digest = "1" if data else ""
        found = [
            Metric(key, value, self.time, step, data, digest, model_id) for model_id in model_ids
        ]
        (send or self.send)(found)
        for model_id in model_ids:
            self.points[model_id].add((key, value, self.time, step, data))

    def send(self, points):
        self.store.runs.log_batch(self.run_id, points)

    def hand_over(self, points):
        """Send points as the journal of a process does."""
        entry = RunEntry(run_id=self.run_id, noted=points)
        self.store.journals.append("j", self.place, self.place + 1, [entry])
        self.place += 1

    def purge(self, model_id):
        self.store.logged_models.delete(model_id)
        self.store.workspace.purge(model_ids=[model_id])
        del self.points[model_id]
        for models in self.steps.values():
            if model_id in models:
                models.remove(model_id)

    def found(self):
        return {
            model.info.model_id: {
                (p.key, p.value, p.timestamp, p.step, p.dataset_name) for p in model.data.metrics
            }
            for model in self.store.logged_models.search([self.experiment], max_results=1000)
        }

    def latest(self, key):
        return {
            model_id: max(point[2:3] + point[1:2] for point in points if point[0] == key)[1]
            for model_id, points in self.points.items()
            if any(point[0] == key for point in points)
        }


@pytest.fixture
def noted(store):
    return Noted(store)


@pytest.mark.parametrize("seed", range(8))
def test_each_model_has_what_it_was_told(noted, seed):
    chance = random.Random(seed)
    for _ in range(60):
        step, key = chance.choice(STEPS), chance.choice(KEYS)
        made = noted.steps[step]
        kind = chance.choice(["make", "all", "all", "all", "some", "data", "other step", "purge"])
        if kind == "make" or not made:
            noted.make(step)
            continue
        if kind == "purge":
            noted.purge(chance.choice([made[-1], chance.choice(made)]))
            continue
        some = chance.sample(made, chance.randint(1, len(made))) if kind == "some" else made
        at = 1 - step if kind == "other step" else step
        noted.log(at, some, chance.random(), key, "iris" if kind == "data" else "")
    assert noted.found() == noted.points
    search, number = noted.store.logged_models.search, [noted.experiment]
    for key in KEYS:
        latest = noted.latest(key)
        above = search(number, f"metrics.{key} > 0.5", 1000)
        assert {m.info.model_id for m in above} == {m for m in latest if latest[m] > 0.5}
        ordered = search(number, order_by=[ModelOrder(field_name=f"metrics.{key}")], max_results=99)
        values = [latest.get(model.info.model_id) for model in ordered]
        known = [value for value in values if value is not None]
        assert values == sorted(known) + [None] * (len(values) - len(known))
    on_iris = {model for model in noted.points if any(p[4] for p in noted.points[model])}
    asked = [ModelDataset(dataset_name="iris")]
    found = search(number, datasets=asked, max_results=99)
    assert {model.info.model_id for model in found} == on_iris


@pytest.mark.parametrize("way", ["send", "hand_over"])
def test_one_row_for_the_models_of_a_step(store, noted, way):
    models = [noted.make(0) for _ in range(5)]
    noted.log(0, models, send=getattr(noted, way))
    assert (rows(store, step_points), rows(store, logged_model_metrics)) == (1, 0)
    noted.log(0, models[1:], send=getattr(noted, way))
    noted.log(1, models, send=getattr(noted, way))
    noted.log(0, models, data="iris", send=getattr(noted, way))
    assert (rows(store, step_points), rows(store, logged_model_metrics)) == (1, 4 + 5 + 5)
    assert noted.found() == noted.points


def test_a_point_that_is_sent_again_is_there_once(noted):
    models = [noted.make(0), noted.make(0)]
    points = [Metric("acc", 0.5, 7, 0, model_id=model) for model in models]
    for again in (points, points, points[:1], [*points, *points]):
        noted.send(again)
    assert [len(found) for found in noted.found().values()] == [1, 1]
    data = noted.store.logged_models.get(models[0]).data
    assert len(data.metrics) == 1


def test_what_names_data_too_keeps_it(noted):
    models = [noted.make(0), noted.make(0)]
    noted.send([Metric("acc", 0.5, 7, 0, "iris", "1", models[0])])
    noted.send([Metric("acc", 0.5, 7, 0, model_id=model) for model in models])
    found = [noted.store.logged_models.get(model).data.metrics for model in models]
    assert [[point.dataset_name for point in points] for points in found] == [["iris"], [""]]


def test_a_later_model_has_no_part_in_what_one_before_had(store, noted):
    """Numbers of rows that were deleted are given out again."""
    first, last = noted.make(0), noted.make(0)
    noted.log(0, [first, last])
    noted.purge(last)
    again = noted.make(0)
    assert noted.found() == noted.points
    assert noted.points[again] == set()
    noted.log(0, [first, again])
    assert rows(store, step_points) == 2
    assert noted.found() == noted.points


def test_points_go_with_the_last_model_that_has_them(store, noted):
    models = [noted.make(0) for _ in range(3)]
    noted.log(0, models[:2])
    noted.log(0, models)
    noted.purge(models[0])
    assert rows(store, step_points) == 2
    noted.purge(models[1])
    assert rows(store, step_points) == 1  # nobody has the first one any more
    assert noted.found() == noted.points
    noted.purge(models[2])
    assert (rows(store, step_points), rows(store, step_models)) == (0, 0)


@pytest.mark.parametrize("entity", ["run", "experiment"])
def test_points_of_models_outlive_no_experiment(store, noted, entity):
    models = [noted.make(0) for _ in range(3)]
    noted.log(0, models)
    if entity == "run":  # a model that is at no path of the run stays
        store.runs.delete(noted.run_id)
        store.workspace.purge(run_ids=[noted.run_id])
        assert noted.found() == noted.points
    else:
        store.experiments.delete(noted.experiment)
        store.workspace.purge(experiment_ids=[noted.experiment])
        assert (rows(store, step_points), rows(store, step_models)) == (0, 0)


def test_a_model_that_was_only_read_has_no_part(store, noted):
    models = [noted.make(0), noted.make(0)]
    read = store.logged_models.create(noted.experiment).info.model_id
    noted.points[read] = set()
    store.runs.log_inputs(noted.run_id, models=[ModelInput(read)])
    noted.log(0, models)
    assert rows(store, step_points) == 1
    noted.log(0, [*models, read])
    assert rows(store, step_points) == 1
    assert noted.found() == noted.points
