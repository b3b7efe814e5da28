"""Several kernels, stores that are down, the startup file, and notebooks that know their path."""

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from mltrack_jupyter.store import open_store

pytestmark = pytest.mark.kernel
ROOT = Path(__file__).parents[2]
STARTUP = ROOT / "ipython-config" / "startup" / "50-mltrack.py"


def test_two_notebooks_at_once(new_kernel, services, tmp_path):
    one, two = new_kernel(folder=tmp_path / "a"), new_kernel(folder=tmp_path / "b")
    code = "%%track -n {0}\nimport time\nwho = {0!r}\ntime.sleep(0.3)\nv = float({1})"
    first, second = one.start(code.format("one", 1)), two.start(code.format("two", 2))
    replies = one.wait(first), two.wait(second)
    runs = [services.runs.get(reply.run_id) for reply in replies]
    assert [run.info.status.value for run in runs] == ["FINISHED", "FINISHED"]
    assert [run.data.params["who"] for run in runs] == ["one", "two"]
    assert [run.data.metrics["v"] for run in runs] == [1.0, 2.0]


@pytest.mark.parametrize("quiet", ["", "-q"])
def test_a_store_that_is_down_does_not_stop_the_cell(new_kernel, tmp_path, quiet):
    broken = tmp_path / "file"
    broken.write_text("not a folder")
    kernel = new_kernel(store=broken / "inside")
    reply = kernel.run(f"%%track {quiet}\nprint('it ran')\nx = 3")
    assert reply.status == "ok"
    assert "it ran" in reply.text
    notices = [c["data"]["text/plain"] for c in reply.of("display_data")] + [
        line for line in reply.text.splitlines() if line.startswith("mltrack")
    ]
    assert len(notices) == 1
    assert "not tracked" in notices[0]
    assert kernel.value("x") == "3"
    assert kernel.run("%%track\n1/0").status == "error"


def test_a_script_that_a_cell_starts_writes_where_the_notebook_writes(new_kernel, tmp_path):
    kernel = new_kernel()
    script = tmp_path / "train.py"
    script.write_text(
        "import mltrack_jupyter as m\nwith m.start_run(run_name='script') as run: print(run.run_id)"
    )
    kernel.run("import sys, mltrack_jupyter as mltrack")
    kernel.run("mltrack.set_tracking_uri('chosen'); mltrack.set_experiment('e')")
    told = kernel.run(f"!cd / && {{sys.executable}} {script}").text.strip()
    found = "mltrack.search_runs(output_format='list')[0].info"
    assert kernel.value(f"{found}.run_id, {found}.run_name") == f"{told} script"


def test_the_startup_file_loads_it(new_kernel, services, tmp_path):
    startup = tmp_path / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    shutil.copy(STARTUP, startup)
    kernel = new_kernel(load=False)
    assert kernel.run("%%track\na = 1").status == "ok"
    assert "already loaded" in kernel.run("%load_ext mltrack_jupyter").text
    # One hook, however often it is loaded.
    kernel.run("import mltrack_jupyter\nmltrack_jupyter.load_ipython_extension(get_ipython())")
    assert len(kernel.run("%%track\na = 1").cards) == 2
    heavy = (
        "[m for m in ('sqlalchemy', 'pandas', 'sklearn', 'PIL', 'anywidget') if m in sys.modules]"
    )
    assert kernel.value("'_mltrack_autoload' in globals()") == "False"
    fresh = new_kernel(load=False)
    fresh.run("import sys")
    assert fresh.value(heavy) == "[]"
    rooms = "[m for m in sys.modules if m.endswith(('_jupyter.tracking', '_jupyter.capture'))]"
    assert fresh.value(rooms) == "[]"


def test_the_startup_file_is_silent_without_the_package(tmp_path):
    code = f"exec(open({str(STARTUP)!r}).read()); print('next')"
    command = [sys.executable, "-I", "-m", "IPython", "--no-banner", "--colors=nocolor", "-c", code]
    env = {**os.environ, "IPYTHONDIR": str(tmp_path)}
    done = subprocess.run(
        command, capture_output=True, text=True, env=env, cwd=tmp_path, timeout=60, check=False
    )
    assert done.stdout.strip() == "next"
    assert done.stderr == ""


def test_unload_takes_away_what_load_added(new_kernel):
    kernel = new_kernel(load=False)
    state = (
        "lambda s: (sorted(s.magics_manager.magics['cell']), sorted(s.magics_manager.magics['line']),"
        " len(s.input_transformers_cleanup), {k: len(v) for k, v in s.events.callbacks.items()})"
    )
    # Where the package is installed, its startup file has loaded it already.
    kernel.run("%unload_ext mltrack_jupyter")
    kernel.run(f"state = {state}\ns = get_ipython()\nbefore = state(s)")
    kernel.run(
        "%load_ext mltrack_jupyter\n%reload_ext mltrack_jupyter\n%unload_ext mltrack_jupyter"
    )
    assert kernel.value("state(s)") == kernel.value("before")


def test_run_all_stops_and_the_notebook_keeps_one_card_a_cell(
    tmp_path, store, services, monkeypatch
):
    for name in [name for name in os.environ if name.startswith(("MLFLOW_", "MLTRACK_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MLTRACK_TRACKING_URI", str(store))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    cells = ["%load_ext mltrack_jupyter", "%%track\na = 1", "%%track\n1/0", "never = 1"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    with pytest.raises(CellExecutionError):
        NotebookClient(notebook, timeout=60).execute(cwd=str(tmp_path))
    shown = [cell.get("outputs", []) for cell in notebook.cells]
    assert [output.output_type for output in shown[1]] == ["display_data"]
    assert "FINISHED" in shown[1][0]["data"]["text/plain"]
    assert [output.output_type for output in shown[2]] == ["display_data", "error"]
    assert "FAILED" in shown[2][0]["data"]["text/plain"]
    assert shown[3] == []
    view = shown[1][0]["data"]["application/vnd.mltrack.view+json"]
    assert services.runs.get(view["run_ids"][0]).info.status.value == "FINISHED"
    assert len(nbformat.writes(notebook)) < 20_000


@pytest.mark.parametrize(
    ("last", "status", "reason"),
    [("1/0", "FAILED", "ZeroDivisionError: division by zero"), ("1/1", "FINISHED", None)],
)
def test_a_run_left_open_ends_as_the_notebook_that_was_executed(
    tmp_path, environment, last, status, reason
):
    environment.setenv("MLTRACK_TRACKING_URI", str(tmp_path / ".mltrack"))
    environment.setenv("PYTHONPATH", str(ROOT))
    environment.setenv("IPYTHONDIR", str(tmp_path))
    cells = ["%load_ext mltrack_jupyter\nimport mltrack_jupyter as mltrack", "mltrack.start_run()"]
    code = [nbformat.v4.new_code_cell(cell) for cell in (*cells, last)]
    try:
        NotebookClient(nbformat.v4.new_notebook(cells=code), timeout=60).execute(cwd=str(tmp_path))
    except CellExecutionError:
        assert status == "FAILED"
    services = open_store(tmp_path / ".mltrack")
    (run,) = services.runs.search(["0"])
    services.close()
    assert (run.info.status.value, run.data.tags.get("mltrack.status_reason")) == (status, reason)


class _Sessions(http.server.BaseHTTPRequestHandler):
    path_of_notebook = "work/train.ipynb"
    name = ""
    kernel = ""
    seen: list = []

    def do_GET(self):
        self.seen.append((self.path, self.headers["Authorization"]))
        body = json.dumps(
            [{"path": self.path_of_notebook, "name": self.name, "kernel": {"id": self.kernel}}]
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def test_the_notebook_is_known_from_the_server_and_a_rename_is_followed(
    new_kernel, services, tmp_path
):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Sessions)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    runtime, root = tmp_path / "runtime", tmp_path / "root"
    runtime.mkdir()
    (root / "work").mkdir(parents=True)
    for name in ("train", "renamed"):
        (root / "work" / f"{name}.ipynb").write_text("{}")
    info = {
        "port": server.server_port,
        "hostname": "localhost",
        "base_url": "/u/",
        "secure": False,
        "token": "t0k",
        "root_dir": str(root),
        "pid": os.getpid(),
    }
    (runtime / f"jpserver-{os.getpid()}.json").write_text(json.dumps(info))
    env = {
        "JPY_PARENT_PID": str(os.getpid()),
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "http_proxy": "http://127.0.0.1:9",
        "JPY_SESSION_NAME": "/else/where.ipynb",
    }
    kernel = new_kernel(env=env)
    _Sessions.kernel = kernel.id
    tags = services.runs.get(kernel.run("%%track\na = 1").run_id)
    assert services.experiments.get(tags.info.experiment_id).name == "work/train.ipynb"
    assert tags.data.tags["mltrack.kernel.id"] == _Sessions.kernel
    assert tags.data.tags["mltrack.notebook.path"] == "work/train.ipynb"
    _Sessions.path_of_notebook = "RTC:work/renamed.ipynb"
    tags = services.runs.get(kernel.run("%%track\na = 1").run_id).data.tags
    assert tags["mlflow.source.name"] == "work/renamed.ipynb"
    server.shutdown()
    server.server_close()
    again = services.runs.get(kernel.run("%%track\na = 1").run_id).data.tags
    assert again["mlflow.source.name"] == "work/renamed.ipynb"
    assert _Sessions.seen[0] == ("/u/api/sessions", "token t0k")


def test_the_notebook_is_known_in_colab(new_kernel, services):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Sessions)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    env = {
        "COLAB_JUPYTER_IP": "127.0.0.1",
        "KMP_TARGET_PORT": str(server.server_port),
        "JPY_PARENT_PID": str(os.getpid()),
    }
    kernel = new_kernel(env=env)
    _Sessions.kernel, _Sessions.path_of_notebook = kernel.id, "fileId=1Qx"
    _Sessions.name = "My%20first%20model.ipynb"
    try:
        tags = services.runs.get(kernel.run("%%track\na = 1").run_id).data.tags
    finally:
        server.shutdown()
        server.server_close()
    assert tags["mlflow.source.name"] == "My first model.ipynb"


def test_the_first_cell_knows_its_repository_without_a_line_before(new_kernel, services, tmp_path):
    repo = tmp_path / "repo"
    repo.mkdir()
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(repo)]
    (repo / "a.txt").write_text("a")
    for words in (["init", "-qb", "trunk"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], check=True)
    kernel = new_kernel(folder=repo, load=False)
    run = services.runs.get(kernel.run("%%track\na = 1").run_id)
    assert run.data.tags["mlflow.source.git.branch"] == "trunk"
    assert Path(run.data.tags["mltrack.git.root"]) == repo


def test_the_commit_is_known(new_kernel, services, tmp_path):
    repo = tmp_path / "repo"
    (repo / "nb").mkdir(parents=True)
    notebook = repo / "nb" / "a.ipynb"
    notebook.write_text("{}")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(repo)]
    for words in (["init", "-qb", "trunk"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    kernel = new_kernel(folder=repo / "nb", env={"JPY_SESSION_NAME": str(notebook)})
    shutil.rmtree(repo / "nb" / ".ipython", ignore_errors=True)
    tags = services.runs.get(kernel.run("%%track\na = 1").run_id).data.tags
    assert tags["mlflow.source.name"] == "nb/a.ipynb"
    assert tags["mlflow.source.git.commit"] == commit.stdout.strip()
    assert tags["mlflow.source.git.branch"] == "trunk"
    assert tags["mltrack.git.dirty"] == "false"
    notebook.write_text("{ }")
    tags = services.runs.get(kernel.run("%%track\na = 1").run_id).data.tags
    assert tags["mltrack.git.dirty"] == "true"
