"""Small data, an empty store, and every library as it was once a test has ended."""

import os

# For data of sixty rows, threads of OpenMP only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from sklearn.datasets import make_classification, make_regression

from mltrack_jupyter.tracking import session
from mltrack_jupyter.tracking.autolog import autolog


@pytest.fixture(autouse=True)
def switched_off_afterwards():
    yield
    autolog(disable=True)


@pytest.fixture
def script(mltrack):
    """The package as a script has it: a kernel that other tests were in is not remembered."""
    before = session.host()
    session.set_host(None)
    yield mltrack
    session.set_host(before)


@pytest.fixture
def classes():
    X, y = make_classification(60, 4, random_state=0)
    return X, y


@pytest.fixture
def numbers():
    X, y = make_regression(40, 3, random_state=0)
    return X, y


@pytest.fixture
def runs(script):
    """Return a function that returns every run, the oldest first."""

    def every():
        found = script.search_runs(output_format="list", search_all_experiments=True)
        return sorted(found, key=lambda run: run.info.start_time)

    return every


@pytest.fixture
def files(script):
    """Return a function that returns the paths of a run's files, those of models among them."""
    client = script.Client()

    def below(run, path=""):
        items = client.list_artifacts(run.info.run_id, path)
        return [
            name
            for item in items
            for name in (below(run, item.path) if item.is_dir else [item.path])
        ]

    return below


@pytest.fixture
def steps(script):
    """Return a function that returns the steps of a metric."""
    return lambda run, key: [
        point.step for point in script.get_metric_history(run.info.run_id, key)
    ]
