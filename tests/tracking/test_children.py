"""Processes that a process starts write where it writes, unless somebody says otherwise."""

import json

import pytest

from mltrack_jupyter import config, inheritance

WORKERS = """
import multiprocessing, os, subprocess, sys
import mltrack_jupyter as mltrack

def work(number):
    os.chdir("/")  # what a worker's own folder leads to is nobody's choice
    with mltrack.start_run() as run:
        mltrack.log_metric("n", number)
    return mltrack.get_tracking_uri(), run.info.experiment_id

def by_method(method):
    with multiprocessing.get_context(method).Pool(1) as pool:
        return pool.map(work, [1])[0]

def by_executor(method):
    from concurrent.futures import ProcessPoolExecutor
    with ProcessPoolExecutor(1, multiprocessing.get_context(method)) as pool:
        return pool.submit(work, 1).result()

def by_loky(_):
    import joblib
    from joblib.externals.loky import get_reusable_executor
    found = joblib.Parallel(n_jobs=2)(joblib.delayed(work)(n) for n in (1, 2))
    get_reusable_executor().shutdown()
    assert found[0] == found[1]
    return found[0]

def by_dask(_):
    from dask.distributed import Client, LocalCluster
    with LocalCluster(n_workers=1, processes=True, dashboard_address=None) as cluster, Client(cluster) as client:
        return client.submit(work, 1).result()

def by_spark(_):
    from pyspark.sql import SparkSession
    spark = SparkSession.builder.master("local[1]").getOrCreate()
    return spark.sparkContext.parallelize([1], 1).map(work).collect()[0]

def by_script(_):
    code = (
        "import mltrack_jupyter as m\\n"
        "with m.start_run() as r: print(m.get_tracking_uri(), r.info.experiment_id, sep='|')"
    )
    command = [sys.executable, "-c", code]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd="/", check=True).stdout
    return tuple(told.strip().split("|"))

def by_child_of_a_child(_):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(by_script, [None])
"""


@pytest.mark.parametrize(
    "how",
    [
        "method fork", "method spawn", "method forkserver", "executor spawn", "loky", "dask", "spark",
        "script", "child_of_a_child",
    ],
)  # fmt: skip
def test_a_child_inherits_the_store_and_the_experiment(run_script, tmp_path, how):
    way, _, argument = how.partition(" ")
    pytest.importorskip(
        {"dask": "distributed", "spark": "pyspark", "loky": "joblib"}.get(way, "os")
    )
    done = run_script(
        WORKERS
        + f"""
if __name__ == "__main__":
    for name in ("one", "two"):  # a fork server and the workers of a pool may be older than a choice
        mltrack.set_tracking_uri(name + ".db")
        right = mltrack.get_tracking_uri(), mltrack.set_experiment("chosen").experiment_id
        found = by_{way}({argument!r})
        assert tuple(found) == right, (found, right)
        print(len(mltrack.search_runs(output_format="list")))
        if {way!r} == "spark":
            break  # its machine goes on with the environment that it was started with
"""
    )
    assert set(done.stdout.split()) == {"2" if way == "loky" else "1"}
    assert not (tmp_path / "store").exists()


def test_who_used_the_store_of_the_project_hands_it_down(run_script, tmp_path):
    """A worker with a folder of its own would make a store there, which nobody would look for."""
    elsewhere = tmp_path / "elsewhere"
    project = tmp_path / "project"
    for folder in (elsewhere, project / ".mltrack", tmp_path / "other" / ".mltrack"):
        folder.mkdir(parents=True)
    done = run_script(
        f"""
import os, subprocess, sys
import mltrack_jupyter as mltrack
os.chdir({str(project)!r})
mltrack.start_run(); mltrack.end_run()
code = "import mltrack_jupyter as m; m.start_run(); print(m.get_tracking_uri())"
for folder in ({str(elsewhere)!r}, {str(tmp_path / "other")!r}):
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
print(mltrack.get_tracking_uri())
""",
        MLTRACK_TRACKING_URI="",
    )
    first, second, mine = done.stdout.split()
    assert first == mine
    assert second == f"sqlite:///{tmp_path / 'other' / '.mltrack' / 'mltrack.db'}"
    assert list(elsewhere.iterdir()) == []


def test_a_relative_path_of_the_environment_means_the_same_to_a_child(run_script, tmp_path):
    done = run_script(
        """
import subprocess, sys
import mltrack_jupyter as mltrack
mltrack.start_run()
code = "import mltrack_jupyter as m; print(m.get_tracking_uri())"
subprocess.run([sys.executable, "-c", code], cwd="/", check=True)
""",
        MLTRACK_TRACKING_URI="relative",
    )
    assert done.stdout.strip() == f"sqlite:///{tmp_path / 'relative' / 'mltrack.db'}"


CHILD = """
import mltrack_jupyter as m
with m.start_run() as run: print(m.get_tracking_uri(), m.get_experiment(run.info.experiment_id).name, sep="|")
"""


@pytest.mark.parametrize(
    ("before", "said", "own", "store", "experiment"),
    [
        # The parent's choice is newer than what its environment said.
        ({"MLFLOW_TRACKING_URI": "before"}, {}, "", "chosen", "trees"),
        ({"MLTRACK_TRACKING_URI": "before"}, {}, "", "chosen", "trees"),
        ({"MLFLOW_EXPERIMENT_NAME": "before"}, {}, "", "chosen", "trees"),
        # What is said to the child is newer still, by either name.
        ({}, {"MLFLOW_TRACKING_URI": "said"}, "", "said", "Default"),
        ({}, {"MLTRACK_TRACKING_URI": "said"}, "", "said", "Default"),
        ({"MLFLOW_TRACKING_URI": "before"}, {"MLFLOW_TRACKING_URI": "said"}, "", "said", "Default"),
        ({"MLTRACK_TRACKING_URI": "before"}, {"MLTRACK_TRACKING_URI": "said"}, "", "said", "Default"),
        ({}, {"MLFLOW_EXPERIMENT_NAME": "said"}, "", "chosen", "said"),
        ({}, {"MLTRACK_EXPERIMENT_ID": "0"}, "", "chosen", "Default"),
        # To say nothing takes nothing back.
        ({"MLTRACK_TRACKING_URI": "before"}, {"MLTRACK_TRACKING_URI": ""}, "", "chosen", "trees"),
        # What the child says itself is the newest, before and after it asked.
        ({}, {}, "import os; os.environ['MLFLOW_TRACKING_URI'] = 'own';", "own", "Default"),
        ({}, {}, "import mltrack_jupyter as m; m.set_tracking_uri('own');", "own", "Default"),
        ({}, {}, "import mltrack_jupyter as m; m.set_experiment('own');", "chosen", "own"),
        ({}, {}, "import mltrack_jupyter as m; m.start_run(); m.end_run(); m.set_tracking_uri(None);",
         ".mltrack", "Default"),
    ],
)  # fmt: skip
def test_the_newest_choice_counts(run_script, tmp_path, before, said, own, store, experiment):
    done = run_script(
        f"""
import os, subprocess, sys
import mltrack_jupyter as mltrack
mltrack.set_tracking_uri("chosen")
mltrack.set_experiment("trees")
environment = os.environ | {said!r}
subprocess.run([sys.executable, "-c", {own + CHILD!r}], env=environment, check=True)
""",
        **{"MLTRACK_TRACKING_URI": "", **before},
    )
    assert done.stdout.strip() == f"sqlite:///{tmp_path / store / 'mltrack.db'}|{experiment}"


def test_what_is_taken_back_is_not_handed_down(run_script, tmp_path):
    done = run_script(
        """
import os, subprocess, sys
import mltrack_jupyter as mltrack
mltrack.set_tracking_uri("chosen")
mltrack.set_tracking_uri(None)
code = "import mltrack_jupyter as m; print(m.get_tracking_uri(), m.is_tracking_uri_set())"
subprocess.run([sys.executable, "-c", code], check=True)
""",
        MLTRACK_TRACKING_URI="",
    )
    assert done.stdout.split() == [f"sqlite:///{tmp_path / '.mltrack' / 'mltrack.db'}", "False"]


def test_the_command_line_looks_where_its_parent_writes(run_script):
    done = run_script(
        """
import subprocess, sys
import mltrack_jupyter as mltrack
mltrack.set_tracking_uri("chosen")
mltrack.set_experiment("of the notebook")
subprocess.run([sys.executable, "-m", "mltrack_jupyter.cli", "experiments", "list"], check=True)
""",
        MLTRACK_TRACKING_URI="",
    )
    assert "of the notebook" in done.stdout


def test_an_experiment_that_was_chosen_while_the_server_was_away(run_script):
    """Its id is not known yet: the child has its name, and its runs find the experiment later."""
    done = run_script(
        """
import json, os, warnings
import mltrack_jupyter as mltrack
warnings.simplefilter("ignore")
mltrack.set_tracking_uri("http://127.0.0.1:9/mltrack")
mltrack.set_experiment("trees")
print(os.environ["MLTRACK_INHERITED"])
""",
        MLTRACK_TRACKING_URI="",
        MLTRACK_HTTP_REQUEST_MAX_RETRIES="0",
    )
    told = json.loads(done.stdout)["experiment"]
    assert (told["id"], told["name"]) == ("", "trees")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"store": 1}', '{"store": {}}', "\x01"])
def test_a_damaged_inheritance_is_none(environment, tmp_path, text):
    environment.setattr(inheritance, "_told", None)
    environment.setattr(inheritance, "_configuration", lambda: None)
    environment.setenv(inheritance.VARIABLE, text)
    environment.chdir(tmp_path)
    assert config.tracking_uri() == str(tmp_path / ".mltrack")
