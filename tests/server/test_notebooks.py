"""Which experiment the verbs of a notebook use: the notebook's, unless one is chosen."""

import pytest
from kernels import Notebook

IMPORT = "import mltrack_jupyter as mltrack"
IDS = "','.join(sorted({run.info.experiment_id for run in mltrack.search_runs(output_format='list')}))"
NAMES = "','.join(sorted(r.info.run_name for r in mltrack.search_runs(output_format='list')))"
SCRIPT = "import mltrack_jupyter as m\nif __name__ == '__main__':\n    with m.start_run(run_name='child'): pass"


@pytest.fixture(scope="module")
def services(own_server):
    services = own_server.services()
    yield services
    services.close()


@pytest.fixture
def open_notebook(own_server):
    """Open notebooks, each with a kernel of its own."""
    opened = []

    def open_(path):
        opened.append(Notebook(own_server, path))
        opened[-1].run("%load_ext mltrack_jupyter")
        return opened[-1]

    yield open_
    for notebook in opened:
        notebook.close()


def name_of(services, experiment_id):
    return services.experiments.get(experiment_id).name


def names(services):
    return {item.name for item in services.experiments.search(1000).items}


def test_reading_before_the_first_run_finds_nothing_and_creates_nothing(open_notebook, services):
    before = names(services)
    services.runs.create(experiment_id="0", run_name="older")
    notebook = open_notebook("fresh.ipynb")
    notebook.run(IMPORT)
    assert notebook.run("len(mltrack.search_runs())") == "0"
    assert notebook.run("len(mltrack.search_logged_models())") == "0"
    assert notebook.run("get_ipython().run_line_magic('mltrack', 'runs').run_ids") == "[]"
    for asked in ("%mltrack compare", "mltrack.compare()", "%mltrack compare metrics.a > 0"):
        notebook.run(asked)
        assert "'fresh.ipynb'" in notebook.error
    notebook.run("mltrack.load_table('rows.json')")
    assert "No run of this notebook has a table" in notebook.error
    notebook.run("mltrack.search_runs(filter_string='metrics. >')")
    assert "filter" in notebook.error
    for asked in ("status", "experiment"):
        notebook.run(f"%%capture told\n%mltrack {asked}")
        assert "fresh.ipynb" in notebook.run("told.stdout")
    assert names(services) == before


# Each verb and, where it makes one, how its run is found.
WRITING = {
    "start_run": "with mltrack.start_run() as run: pass",
    "log_metric": "mltrack.log_metric('a', 1)\nrun = mltrack.active_run()",
    "log_param": "mltrack.log_param('a', 1)\nrun = mltrack.active_run()",
    "set_tag": "mltrack.set_tag('a', 1)\nrun = mltrack.active_run()",
    "log_text": "mltrack.log_text('a', 'a.txt')\nrun = mltrack.active_run()",
    "tracked cell": "%%track -q\na = 1\nrun = mltrack.active_run()",
    "child of a tracked cell": "%%track -q\nwith mltrack.start_run() as run: pass",
    "thread": (
        "import threading\nfound = []\n"
        "t = threading.Thread(target=lambda: found.append(mltrack.start_run()))\n"
        "t.start(); t.join(); run = found[0]"
    ),
    "fork": (
        "import multiprocessing\ndef work(_):\n    with mltrack.start_run() as run: return run.run_id\n"
        "with multiprocessing.get_context('fork').Pool(1) as pool:\n"
        "    run = mltrack.get_run(pool.map(work, [1])[0])"
    ),
}


@pytest.fixture(scope="module")
def work(own_server):
    """One notebook for all verbs."""
    notebook = Notebook(own_server, "work.ipynb")
    notebook.run(f"%load_ext mltrack_jupyter\n{IMPORT}")
    yield notebook
    notebook.close()


@pytest.mark.parametrize("verb", WRITING)
def test_every_verb_that_begins_a_run_does_so_in_the_experiment_of_the_notebook(
    work, services, verb
):
    work.run(WRITING[verb])
    assert not work.error
    number = work.run("mltrack.get_run(run.info.run_id).info.experiment_id")
    assert name_of(services, number) == "work.ipynb"
    assert work.run("run.info.experiment_id") == number == work.run(IDS)


@pytest.mark.parametrize(
    ("made", "expression"),
    [
        ("mltrack.set_experiment_tag('owner', 'ada')", "mltrack.get_experiment_by_name('work.ipynb').tags['owner']"),
        ("model = mltrack.create_external_model(name='m')", "mltrack.get_experiment(model.experiment_id).name"),
        ("model = mltrack.initialize_logged_model(name='n')", "mltrack.get_experiment(model.experiment_id).name"),
        ("with mltrack.set_active_model(name='o') as active: pass",
         "mltrack.get_experiment(mltrack.get_logged_model(active.model_id).experiment_id).name"),
        ("", "str(mltrack.search_logged_models(output_format='list') != [])"),
    ],
)  # fmt: skip
def test_so_do_tags_of_the_experiment_and_logged_models(work, made, expression):
    work.run(made)
    assert work.run(expression) in ("work.ipynb", "ada", "True")


def test_a_rename_is_followed_by_all_verbs(open_notebook, services):
    notebook = open_notebook("draft.ipynb")
    notebook.run(f"{IMPORT}\nwith mltrack.start_run(run_name='before'): pass")
    assert notebook.run(NAMES) == "before"
    notebook.rename("final.ipynb")
    assert notebook.run(NAMES) == ""
    notebook.run("%%track -q -n tracked\na = 1")
    notebook.run("with mltrack.start_run(run_name='by-hand'): pass")
    child = (
        f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {SCRIPT!r}], check=True)"
    )
    notebook.run(child)
    assert notebook.run(NAMES) == "by-hand,child,tracked"
    assert name_of(services, notebook.run(IDS)) == "final.ipynb"


def test_what_is_chosen_wins(open_notebook, services):
    notebook = open_notebook("chooses.ipynb")
    notebook.run(f"{IMPORT}\nmltrack.set_experiment('chosen')")
    notebook.run("%%track -q\na = 1")
    notebook.run("with mltrack.start_run(): pass")
    assert notebook.run("len(mltrack.search_runs())") == "2"
    assert name_of(services, notebook.run(IDS)) == "chosen"
    other = open_notebook("environment.ipynb")
    other.run(f"%env MLFLOW_EXPERIMENT_NAME=named\n{IMPORT}")
    other.run("with mltrack.start_run(): pass")
    assert name_of(services, other.run(IDS)) == "named"
    assert not {"chooses.ipynb", "environment.ipynb"} & names(services)


def test_two_notebooks_of_one_folder_keep_apart(open_notebook, services):
    one, two = open_notebook("one.ipynb"), open_notebook("two.ipynb")
    for notebook in (one, two):
        notebook.run(f"{IMPORT}\nwith mltrack.start_run(run_name={notebook.path!r}): pass")
    assert (one.run(NAMES), two.run(NAMES)) == ("one.ipynb", "two.ipynb")


def test_a_script_or_a_module_that_is_the_first_to_track(open_notebook, own_server, services):
    folder = own_server.folder / "work"
    (folder / "train.py").write_text(SCRIPT)
    (folder / "helper.py").write_text(
        "import mltrack_jupyter as m\ndef fit():\n    with m.start_run(run_name='helper'): pass\n"
    )
    notebook = open_notebook("first.ipynb")
    notebook.run("import sys\n!{sys.executable} train.py")
    notebook.run("from helper import fit; fit()")
    notebook.run(IMPORT)
    assert notebook.run(NAMES) == "child,helper"
    assert name_of(services, notebook.run(IDS)) == "first.ipynb"


INNER = """
import nbformat
from nbclient import NotebookClient
cell = "import mltrack_jupyter as m\\nwith m.start_run(run_name='inner'): pass"
cells = [nbformat.v4.new_code_cell(cell)]
_ = NotebookClient(nbformat.v4.new_notebook(cells=cells), timeout=60).execute()
"""


def test_a_notebook_that_a_notebook_executes_belongs_to_it(open_notebook, services):
    notebook = open_notebook("outer.ipynb")
    notebook.rename("renamed-outer.ipynb")
    notebook.run(INNER)
    assert not notebook.error
    notebook.run(IMPORT)
    assert notebook.run(NAMES) == "inner"
    assert name_of(services, notebook.run(IDS)) == "renamed-outer.ipynb"


def test_an_experiment_that_was_deleted_is_not_logged_to_unnoticed(open_notebook, services):
    notebook = open_notebook("deleted.ipynb")
    notebook.run(f"{IMPORT}\nwith mltrack.start_run(): pass")
    number = notebook.run(IDS)
    notebook.run(f"mltrack.delete_experiment({number!r})")
    for verb in ("mltrack.start_run()", "mltrack.search_runs()", "mltrack.log_metric('a', 1)",
                 "%mltrack compare", "mltrack.set_experiment_tag('a', 1)"):  # fmt: skip
        notebook.run(verb)
        assert f"restore_experiment('{number}')" in notebook.error, verb
    notebook.run("%mltrack status")
    assert not notebook.error
    notebook.run(f"mltrack.restore_experiment({number!r})\nwith mltrack.start_run(): pass")
    assert notebook.run("len(mltrack.search_runs())") == "2"


def test_a_kernel_without_a_notebook_uses_the_default_experiment(own_server, services):
    from kernels import Kernel

    kernel = Kernel(own_server)
    kernel.run(f"%load_ext mltrack_jupyter\n{IMPORT}\nwith mltrack.start_run() as run: pass")
    assert kernel.run("mltrack.get_run(run.run_id).info.experiment_id") == "0"
    kernel.close()
