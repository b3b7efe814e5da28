"""Our remote client keeps the contract with MLflow's own server, too, where MLflow has a word for it.

Left out are the operations that MLflow has not (tables, series, the feed, registering in one step), what
only a message says, and the tests below, each with its reason.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from conftest import clean_environment

from mltrack_jupyter.store import open_store
from mltrack_jupyter.testing import (  # noqa: F401 - the test classes
    TestAliases,
    TestInputsAndOutputs,
    TestLoggedModels,
    TestMetrics,
    TestRegisteredModels,
    TestRuns,
    TestVersions,
)

pytest.importorskip("mlflow")
pytestmark = pytest.mark.server

WORDS = "MLflow refuses it, too, in other words"
WHOLE = "MLflow changes the value in silence; here it is kept whole or refused"
FAULT = "MLflow answers 500, which its clients retry for minutes"
LEFT_OUT = {
    "test_stages": FAULT,
    "test_a_version_is_a_number": WORDS,
    "test_tags_and_params": WORDS,
    "test_a_point_of_an_unknown_model_is_refused_altogether": WORDS,
    "test_a_value_keeps_its_eight_bytes": WHOLE,
    "test_a_step_or_time_beyond_is_refused": WHOLE,
    "test_long_values_are_kept_whole": WHOLE,
    "test_a_value_that_no_database_holds_is_refused": WHOLE,
    "test_a_name_fits_into_a_model_uri": "SQLite lets MLflow take names that no URI can hold",
    "test_a_dataset_has_a_name_and_a_digest_of_sensible_length": "MLflow takes datasets without a name",
    "test_the_datasets_of_experiments_are_summarised": "MLflow's own route of it cannot be reached",
    "test_old_clients_note_models_in_a_tag": "MLflow writes the keys in another order",
    "test_a_history_comes_as_columns": "MLflow has no such operation",
    "TestLoggedModels.test_search": FAULT,
    "test_the_last_point_of_a_model_is_searched_for": "MLflow finds a model by any of its points",
}


@pytest.fixture(autouse=True)
def left_out(request):
    """Leave out what MLflow does otherwise."""
    name = request.node.originalname
    reason = LEFT_OUT.get(name) or LEFT_OUT.get(f"{request.cls.__name__}.{name}")
    if reason is not None:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def services(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "mlflow", "server", "--host=127.0.0.1", f"--port={port}",
                "--workers=1", f"--backend-store-uri=sqlite:///{folder}/mlflow.db",
                "--serve-artifacts", f"--artifacts-destination={folder / 'artifacts'}",
            ],
            env=clean_environment() | {"MLFLOW_DISABLE_TELEMETRY": "true"},
            cwd=folder, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        _wait_for(url, process, folder / "log")
        services = open_store(url)
        yield services
        services.close()
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _wait_for(url, process, log):
    until = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(log.read_text())
