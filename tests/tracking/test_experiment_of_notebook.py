"""The experiment of a notebook, as the verbs of its kernel use it: what the store is asked, and when."""

import threading

import pytest

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.tracking import session


@pytest.fixture
def notebook(mltrack, environment):
    """A notebook whose path is what ``notebook.path`` says."""

    class Notebook:
        path = "nb/train.ipynb"

    environment.setattr(session.host(), "experiment", lambda: Notebook.path)
    return Notebook


def test_the_store_is_not_opened_merely_for_the_rule(notebook, mltrack, environment):
    unflushed, asked = session.unflushed, []

    def watched(uri):
        if threading.current_thread() is threading.main_thread():
            asked.append(uri)
        return unflushed(uri)

    environment.setattr(session, "unflushed", watched)
    with mltrack.start_run() as run:
        mltrack.log_metric("m", 1.0)
    assert asked == []
    found = mltrack.get_run(run.run_id)
    assert mltrack.get_experiment(found.info.experiment_id).name == "nb/train.ipynb"
    # What the run says of itself is what the store says, as soon as it is asked.
    assert run.info.experiment_id == found.info.experiment_id


def test_the_store_is_asked_once_a_second_for_many_runs(notebook, mltrack, environment):
    with mltrack.start_run():
        pass
    session.flush()
    unflushed, asked = session.unflushed, []

    def watched(uri):
        if threading.current_thread() is threading.main_thread():
            asked.append(uri)
        return unflushed(uri)

    environment.setattr(session, "unflushed", watched)
    for _ in range(20):
        with mltrack.start_run() as run:
            pass
    assert len(asked) < 5
    assert run.experiment[0]


def test_one_that_is_renamed_or_deleted_or_made_anew_elsewhere(notebook, mltrack):
    client = mltrack.Client()
    with mltrack.start_run():
        pass
    first = client.get_experiment_by_name("nb/train.ipynb").experiment_id
    client.rename_experiment(first, "put aside")
    with mltrack.start_run() as run:
        pass
    second = client.get_run(run.run_id).info.experiment_id
    assert second != first
    assert client.get_experiment(second).name == "nb/train.ipynb"
    client.delete_experiment(second)
    for verb in (mltrack.start_run, mltrack.search_runs, mltrack.search_logged_models):
        with pytest.raises(InvalidParameter, match=rf"restore_experiment\('{second}'\)"):
            verb()
    assert mltrack.active_run() is None
    client.restore_experiment(second)
    assert len(mltrack.search_runs()) == 1


def test_a_child_is_with_its_parent_whatever_the_notebook_is_called_now(notebook, mltrack):
    with mltrack.start_run() as parent:
        notebook.path = "renamed.ipynb"
        with mltrack.start_run(nested=True) as child:
            pass
    with mltrack.start_run() as next_one:
        pass
    runs = [mltrack.get_run(run.run_id).info.experiment_id for run in (parent, child, next_one)]
    names = [mltrack.get_experiment(number).name for number in runs]
    assert names == ["nb/train.ipynb", "nb/train.ipynb", "renamed.ipynb"]


def test_a_name_that_no_experiment_can_have_is_said_at_once(notebook, mltrack):
    notebook.path = "x" * 600 + ".ipynb"
    with pytest.raises(InvalidParameter, match="experiment"):
        mltrack.start_run()
    assert mltrack.active_run() is None


def test_a_genuine_server_creates_the_experiment(notebook, mltrack, environment):
    environment.setattr(session, "keeps_ids", lambda uri: False)
    with mltrack.start_run() as run:
        pass
    number = mltrack.get_run(run.info.run_id).info.experiment_id
    assert mltrack.get_experiment(number).name == "nb/train.ipynb"
