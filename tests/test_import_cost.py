"""What an import loads: nothing that is not used."""

import json

import pytest

HEAVY = ["numpy", "pandas", "sqlalchemy", "tornado", "plotly", "matplotlib", "IPython", "httpx",
         "alembic", "sklearn", "jupyter_server", "anywidget", "asyncio", "yaml", "difflib"]  # fmt: skip
SAY = f"""
import json, sys
{{}}
print(json.dumps([name for name in {HEAVY} if name in sys.modules]))
"""
BEFORE = """
import mltrack_jupyter as mltrack
mltrack.start_run, mltrack.log_metric, mltrack.search_runs, mltrack.Client, mltrack.log_figure
mltrack.set_tracking_uri("somewhere")
mltrack.autolog()
"""
AFTER = """
import mltrack_jupyter as mltrack
with mltrack.start_run():
    mltrack.log_metric("m", 1.0)
    mltrack.log_text("x", "a.txt")
"""


def loaded(run_script, code):
    return json.loads(run_script(SAY.format(code)).stdout)


def test_the_package_alone_loads_nothing(run_script):
    assert loaded(run_script, "import mltrack_jupyter") == []


def test_the_fluent_api_loads_nothing_before_it_is_used(run_script):
    assert loaded(run_script, BEFORE) == []


def test_logging_loads_the_database_and_no_more(run_script):
    assert set(loaded(run_script, AFTER)) <= {"sqlalchemy", "asyncio"}


@pytest.mark.parametrize(
    "room", ["entities", "services", "services.dispatch", "store", "errors", "config"]
)
def test_the_lower_rooms_know_no_library(run_script, room):
    assert loaded(run_script, f"import mltrack_jupyter.{room}") == []


def test_a_client_of_a_server_loads_no_database(run_script):
    code = """
from mltrack_jupyter.store import open_store
open_store("http://127.0.0.1:1/mltrack").close()
"""
    assert "sqlalchemy" not in loaded(run_script, code)
