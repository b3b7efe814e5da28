"""Many trainings in one run: each costs as much as the first, and writes what it would write alone."""

import json

import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, Ridge

from mltrack_jupyter.errors import ServerUnreachable
from mltrack_jupyter.tracking import fluent, origins, session
from mltrack_jupyter.tracking.autolog import stored


@pytest.fixture
def asked(monkeypatch):
    """Return how often a whole run is read, and the names that are asked for."""
    found = {"whole": 0, "names": []}
    runs = session.unflushed(session.get_tracking_uri()).runs
    whole, table = runs.get, runs.table

    def get(self, *args):
        found["whole"] += 1
        return whole(self, *args)

    def some(self, *args, columns=None, **kwargs):
        found["names"] += columns
        return table(self, *args, columns=columns, **kwargs)

    monkeypatch.setattr(runs, "get", get)
    monkeypatch.setattr(runs, "table", some)
    return found


def test_a_training_asks_for_its_own_names_alone(script, classes, asked):
    script.sklearn.autolog(log_models=False)
    counts = []
    with script.start_run():
        for C in range(1, 5):
            LogisticRegression(C=C).fit(*classes)
            counts.append(len(asked["names"]))
            asked["names"].clear()
    assert asked["whole"] == 0
    assert len(set(counts)) == 1


def test_datasets_do_not_wait_for_the_store(script, classes, runs, monkeypatch):
    script.sklearn.autolog(log_models=False)
    with script.start_run():
        monkeypatch.setattr(fluent, "services", lambda: pytest.fail("asked the store"))
        LogisticRegression().fit(*classes)
    [run] = runs()
    [item] = run.inputs.dataset_inputs
    assert (item.dataset.name, item.tags[0].value) == ("dataset", "train")


def test_a_list_of_names_that_is_full_is_left_alone(script, classes, runs, monkeypatch):
    script.sklearn.autolog(log_models=False, log_datasets=False)
    written = []
    set_tags = fluent.set_tags

    def note(tags, **kwargs):
        written.extend(tags)
        set_tags(tags, **kwargs)

    monkeypatch.setattr(fluent, "set_tags", note)
    with script.start_run() as run:
        for C in range(1, 31):
            LogisticRegression(C=C).fit(*classes)
    [stored_run] = runs()
    listed = stored_run.data.tags["mltrack.autolog.params"]
    assert json.loads(listed)[-1] == "…"
    assert len(listed) <= 5_000
    assert written.count("mltrack.autolog.params") < 25
    assert len(origins.known(run.info.run_id).params) == len(stored_run.data.params)


def test_what_others_log_between_two_trainings_stays_theirs(script, classes, numbers, runs):
    script.sklearn.autolog(log_models=False)
    with script.start_run() as run:
        run_id, client = run.info.run_id, script.Client()
        PCA(2).fit(classes[0])
        client.log_param(run_id, "C", "theirs")
        client.log_metric(run_id, "training_score", 7)
        client.set_tag(run_id, "estimator_name", "theirs")
        LogisticRegression().fit(*classes)
        client.log_param(run_id, "Ridge.alpha", "theirs")
        Ridge().fit(*numbers)
        Ridge().fit(*numbers)
    [run] = runs()
    params, metrics, tags = run.data.params, run.data.metrics, run.data.tags
    assert (params["C"], params["autolog.C"]) == ("theirs", "1.0")
    assert metrics["training_score"] == 7
    assert metrics["autolog.training_score"] <= 1
    assert (tags["estimator_name"], tags["autolog.estimator_name"]) == (
        "theirs",
        "LogisticRegression",
    )
    assert (params["Ridge.alpha"], params["autolog.Ridge.alpha"]) == ("theirs", "1.0")
    assert params["Ridge-2.alpha"] == "1.0"


def test_a_tag_that_was_set_a_moment_ago(script, classes, runs):
    script.sklearn.autolog(log_models=False)
    with script.start_run():
        script.set_tag("estimator_name", "mine")
        LogisticRegression().fit(*classes)
    assert runs()[0].data.tags["estimator_name"] == "mine"


def test_a_server_of_mlflows_tells_a_run_at_once(script, monkeypatch):
    with script.start_run() as run:
        script.log_params({"C": "mine", "tol": "1"})
        known = stored.Stored(run.info.run_id)
        runs = session.unflushed(session.get_tracking_uri()).runs

        def unknown(*_, **__):
            raise stored.EndpointNotFound("no such path")

        monkeypatch.setattr(runs, "table", unknown)
        assert known.by_hand("params", ["C", "gamma"], ()) == {"C": "mine"}
        monkeypatch.setattr(fluent, "get_run", unknown)
        assert known.by_hand("params", ["tol", "C"], {"C"}) == {"tol": "1"}


def test_while_the_store_is_away_what_is_logged_here_is_all_that_is_known(script, monkeypatch):
    with script.start_run() as run:
        script.log_param("C", "mine")
        script.flush_async_logging()
        runs = session.unflushed(session.get_tracking_uri()).runs

        def away(*_, **__):
            raise ServerUnreachable("nobody answers")

        monkeypatch.setattr(runs, "table", away)
        asked = stored.Stored(run.info.run_id)
        assert asked.by_hand("params", ["C", "tol"], ()) == {"C": None}
        # Nobody is asked a second time before what waits in the journal has been handed over.
        monkeypatch.setattr(runs, "table", None)
        monkeypatch.setattr(type(run.keeper), "pending", True)
        assert asked.by_hand("tags", ["estimator_name"], ()) == {}
