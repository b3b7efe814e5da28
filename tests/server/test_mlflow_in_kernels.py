"""MLflow as it is, in a kernel of JupyterLab: it logs to the server's store, and the token goes nowhere else."""

import json
import os
from types import SimpleNamespace

import pytest
from jupyter_server.auth import IdentityProvider, PasswordIdentityProvider
from kernels import Notebook
from requests import Request

from mltrack_jupyter import config, hosted, inheritance
from mltrack_jupyter.mlflow_plugin import RequestAuth
from mltrack_jupyter.server.app import MltrackApp

URI = "import os; os.environ.get('MLFLOW_TRACKING_URI', 'none')"


@pytest.fixture
def open_notebook():
    opened = []

    def open_(server, path="old.ipynb"):
        opened.append(Notebook(server, path))
        opened[-1].run("%load_ext mltrack_jupyter")
        return opened[-1]

    yield open_
    for notebook in opened:
        notebook.close()


@pytest.fixture(scope="module")
def services(own_server):
    services = own_server.services()
    yield services
    services.close()


def test_mlflow_code_logs_to_the_sidebar_and_to_the_notebooks_experiment(
    own_server, open_notebook, services
):
    notebook = open_notebook(own_server)
    assert notebook.run(URI) == own_server.tracking_uri
    notebook.run("import mlflow, sys")
    notebook.run(
        "with mlflow.start_run(run_name='theirs') as run:\n"
        "    mlflow.log_metric('accuracy', 0.5); mlflow.log_text('kept', 'a.txt')"
    )
    assert not notebook.error
    found = services.runs.get(notebook.run("run.info.run_id"))
    assert services.experiments.get(found.info.experiment_id).name == "old.ipynb"
    assert notebook.run("mlflow.artifacts.load_text(run.info.artifact_uri + '/a.txt')") == "kept"
    # Our own verbs find it, in the same store, which they open themselves.
    notebook.run("import mltrack_jupyter as mltrack\nwith mltrack.start_run(run_name='ours'): pass")
    assert notebook.run("mltrack.get_tracking_uri().startswith('sqlite:')") == "True"
    assert notebook.run("','.join(sorted(mlflow.search_runs()['tags.mlflow.runName']))") == (
        "ours,theirs"
    )
    assert notebook.run("len(mltrack.search_runs())") == "2"
    # No variable has the token, here or in what is started from here.
    assert notebook.run(f"{own_server.token!r} in str(dict(os.environ))") == "False"
    notebook.rename("renamed.ipynb")
    script = "import mlflow\nwith mlflow.start_run(): mlflow.log_metric('m', 1)"
    notebook.run(
        f"import subprocess\nsubprocess.run([sys.executable, '-c', {script!r}], check=True)"
    )
    notebook.run("with mlflow.start_run(): pass")
    assert not notebook.error
    number = services.experiments.get_by_name("renamed.ipynb").experiment_id
    assert len(services.runs.search([number]).items) == 2
    for package in ("mltrack", "mlflow"):  # MLflow's own choice is the last word for MLflow
        notebook.run(
            f"{package}.set_experiment('of {package}')\nwith mlflow.start_run() as run: pass"
        )
        chosen = services.runs.get(notebook.run("run.info.run_id")).info.experiment_id
        assert services.experiments.get(chosen).name == f"of {package}"


@pytest.mark.parametrize(
    ("options", "settings", "expected"),
    [
        (["--MltrackApp.set_mlflow_tracking_uri=False"], {}, "none"),
        ([], {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9/mine"}, "http://127.0.0.1:9/mine"),
        ([], {"MLFLOW_TRACKING_AUTH": "mine"}, "none"),
        ([], {"HTTP_PROXY": "http://127.0.0.1:9"}, "none"),
        (["--MltrackApp.set_kernel_environment=False"], {}, "offered"),
    ],
    ids=[
        "switched off",
        "set",
        "another sign-in",
        "behind a proxy",
        "no store told",
    ],
)
def test_unless_it_is_set_or_switched_off_or_could_not_sign_in(
    start_server, open_notebook, options, settings, expected
):
    server = start_server(*options, env=settings)
    notebook = open_notebook(server)
    assert notebook.run(URI) == (server.tracking_uri if expected == "offered" else expected)
    # Our own verbs keep to the store beside the notebook, whatever MLflow is told.
    told = notebook.run("import mltrack_jupyter; mltrack_jupyter.get_tracking_uri()")
    assert told.startswith("sqlite:")


@pytest.mark.parametrize(
    ("provider", "told"),
    [
        (PasswordIdentityProvider(token="t0k"), True),
        (
            PasswordIdentityProvider(token="", hashed_password=""),
            True,
        ),  # nobody is asked who they are
        (PasswordIdentityProvider(token="", hashed_password="argon2:x"), False),
        (type("Hub", (IdentityProvider,), {"get_user": lambda *_: None})(token="t0k"), False),
    ],
    ids=["token", "open", "password only", "a sign-in of its own"],
)
def test_kernels_are_told_where_the_token_is_enough(environment, provider, told):
    app = SimpleNamespace(
        serverapp=SimpleNamespace(identity_provider=provider), set_mlflow_tracking_uri=True
    )
    MltrackApp._offer_to_mlflow(app)
    assert (os.environ.get(hosted.SERVER) == str(os.getpid())) is told


@pytest.fixture
def kernels_server(tmp_path, environment):
    """Say where the Jupyter server of a kernel is, and what its token is."""

    def write(**info):
        known = {"port": 8888, "hostname": "127.0.0.1", "base_url": "/u/", "secure": False,
                 "token": "t0k", "sock": "", "pid": 7} | info  # fmt: skip
        (tmp_path / "jpserver-7.json").write_text(json.dumps(known))

    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        environment.delenv(name, raising=False)
    environment.setenv("NETRC", str(tmp_path / "none"))
    environment.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    environment.setenv("JPY_PARENT_PID", "7")
    write()
    return write


@pytest.mark.parametrize(
    ("url", "signed"),
    [
        ("http://127.0.0.1:8888/u/mltrack/api/2.0/mlflow/runs/create", True),
        ("http://127.0.0.1:8888/u/mltrack", False),
        ("http://127.0.0.1:8888/u/mltracks/api", False),
        ("http://127.0.0.1:8888/api/kernels", False),
        ("http://127.0.0.1:8889/u/mltrack/api", False),
        ("https://127.0.0.1:8888/u/mltrack/api", False),
        ("http://127.0.0.1:8888@evil.example/u/mltrack/api", False),
        ("http://127.0.0.1.evil.example:8888/u/mltrack/api", False),
        ("http://evil.example/u/mltrack/api", False),
        ("http://evil.example:8888/u/mltrack/api", False),
    ],
)
def test_the_token_goes_to_that_server_only(kernels_server, environment, url, signed):
    def sent():
        prepared = Request("GET", url).prepare()
        prepared.headers["Authorization"] = "Bearer other"
        return RequestAuth().get_auth()(prepared).headers["Authorization"]

    assert sent() == ("Bearer t0k" if signed else "Bearer other")
    environment.setenv("HTTP_PROXY", "http://proxy.example:3128")
    assert sent() == "Bearer other"
    environment.setenv("NO_PROXY", "127.0.0.1")
    assert sent() == ("Bearer t0k" if signed else "Bearer other")
    kernels_server(hostname="192.0.2.1")
    assert sent() == "Bearer other"


@pytest.mark.parametrize(
    ("info", "offered"),
    [
        ({}, "http://127.0.0.1:8888/u/mltrack"),
        ({"hostname": "0.0.0.0"}, "http://127.0.0.1:8888/u/mltrack"),
        ({"hostname": "localhost", "base_url": "/"}, "http://localhost:8888/mltrack"),
        ({"hostname": "::1"}, "http://[::1]:8888/u/mltrack"),
        ({"secure": True}, None),
        ({"sock": "/run/jupyter.sock"}, None),
        ({"hostname": "192.0.2.1"}, None),
        ({"port": "8888"}, None),
    ],
)
def test_where_a_server_is_reached(kernels_server, environment, info, offered):
    environment.setattr(hosted, "is_kernel", lambda: True)
    environment.setattr(hosted, "_has_plugin", lambda: True)
    environment.setenv(hosted.SERVER, "7")
    # As a kernel finds it whose server was started in another one.
    environment.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1/outer")
    environment.setenv(inheritance.OFFERED, "http://127.0.0.1:1/outer")
    kernels_server(**info)
    hosted.offer_to_mlflow()
    assert os.environ.get("MLFLOW_TRACKING_URI") == os.environ.get(inheritance.OFFERED) == offered
    assert config.chosen_uri() == ""


def test_a_notebook_that_is_executed_by_a_program_of_a_notebook(kernels_server, environment):
    environment.setattr(hosted, "is_kernel", lambda: True)
    environment.setattr(hosted, "_has_plugin", lambda: True)
    environment.setattr(hosted, "kernel_id", lambda: "inner")
    environment.setenv(hosted.KERNEL, "outer")
    environment.setenv(hosted.SERVER, "7")
    environment.setenv("JPY_PARENT_PID", "8")  # of the program, which is no server
    hosted.hand_down_kernel()
    hosted.offer_to_mlflow()
    assert hosted.nearest_kernel_id() == "outer"
    assert os.environ["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:8888/u/mltrack"


def test_a_server_without_the_extension_offers_nothing(kernels_server, environment):
    environment.setattr(hosted, "is_kernel", lambda: True)
    environment.setattr(hosted, "_has_plugin", lambda: True)
    environment.setenv(hosted.SERVER, "6")  # of the server in whose terminal it was started
    hosted.offer_to_mlflow()
    assert "MLFLOW_TRACKING_URI" not in os.environ


def test_a_child_keeps_its_parents_store_whatever_mlflow_is_offered(environment, tmp_path):
    inheritance.hand_down("store", {"uri": str(tmp_path)})
    environment.setattr(inheritance, "_told", None)
    environment.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1/mltrack")
    assert config.chosen_uri() == "http://127.0.0.1:1/mltrack"
    environment.setenv(inheritance.OFFERED, "http://127.0.0.1:1/mltrack")
    assert config.chosen_uri() == str(tmp_path)


def test_another_server_is_signed_in_to_as_without_us(kernels_server, environment, tmp_path):
    (tmp_path / "netrc").write_text("machine company.example login ada password secret\n")
    environment.setenv("NETRC", str(tmp_path / "netrc"))
    prepared = Request("GET", "http://company.example/api").prepare()
    assert RequestAuth().get_auth()(prepared).headers["Authorization"].startswith("Basic ")
