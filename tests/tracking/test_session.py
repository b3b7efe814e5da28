"""The session of a process: what it owns, and that nothing of it leaves the process."""

import os
import pickle

import pytest

from mltrack_jupyter.tracking import scope, session
from mltrack_jupyter.tracking.session import Session


def test_the_verbs_are_those_of_the_default_session(mltrack, tmp_path):
    mltrack.set_tracking_uri(tmp_path / "chosen")
    assert session.default.get_tracking_uri() == mltrack.get_tracking_uri()
    with mltrack.start_run() as run:
        assert session.default.scopes.active() is run
        assert list(session.default.stores.keepers()) == [mltrack.get_tracking_uri()]
    assert session.services() is session.default.stores.services(mltrack.get_tracking_uri())


def test_another_session_has_nothing_in_common_with_it(mltrack, tmp_path):
    other = Session()
    other._uri = session.normalise_uri(tmp_path / "other")
    with mltrack.start_run():
        assert other.scopes.active() is None
        assert other.stores.keepers() == {}
    assert other.services() is not session.services()
    other.stores.close()
    assert session.is_open(mltrack.get_tracking_uri())


def test_a_verb_travels_and_is_that_of_the_process_where_it_arrives(mltrack):
    for verb in (mltrack.set_tracking_uri, mltrack.set_experiment, session.services):
        assert pickle.loads(pickle.dumps(verb)).__self__ is session.default
    with pytest.raises(TypeError, match=r"run_handle\(\)"):
        pickle.dumps(Session())


def test_closing_opens_anew_at_the_next_use(mltrack):
    uri = mltrack.get_tracking_uri()
    first = session.services()
    assert session.close()
    assert not session.is_open(uri)
    with mltrack.start_run() as run:
        mltrack.log_param("a", 1)
    assert session.services() is not first
    assert mltrack.get_run(run.run_id).data.params == {"a": "1"}


def test_what_is_open_in_a_store_is_known_by_its_scopes(mltrack):
    with mltrack.start_run() as outer, mltrack.start_run(nested=True) as inner:
        assert session.default.scopes.opened() == [inner, outer]
        assert list(session.default.scopes.inside(inner)) == [inner, outer]
    assert scope.open_runs() == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_journal_that_is_not_ready_for_a_fork_keeps_no_other_one_from_it(run_script):
    done = run_script(
        """
import os, threading, mltrack_jupyter as mltrack
from mltrack_jupyter.tracking import session
def log(name):
    mltrack.set_tracking_uri(name)
    with mltrack.start_run() as run:
        mltrack.log_metric("m", 1.0)
    return session.keeper(mltrack.get_tracking_uri())
first, second = log("one"), log("two")
def interrupted():
    raise KeyboardInterrupt
first.before_fork = interrupted
if not os.fork():
    os._exit(0)
os.wait()
for keeper in (first, second):  # another thread can hand over what each has
    found = []
    thread = threading.Thread(target=lambda: found.append(keeper._draining.acquire(timeout=5)))
    thread.start(); thread.join()
    print(found, hasattr(keeper._fork, "held"))
"""
    )
    assert "KeyboardInterrupt" in done.stderr
    assert done.stdout.splitlines() == ["[True] False", "[True] True"]
