"""Stores, and a real Jupyter server, for the tests of every room."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import databases
import pytest
from objects import s3, sftp, web  # noqa: F401 - fixtures
from rights import mounted, shared  # noqa: F401 - fixtures

from mltrack_jupyter.store import open_store

TOKEN = "token-of-the-tests"
# What else is installed would only make the start slower.
EXTENSIONS = {
    "mltrack_jupyter": True,
    **dict.fromkeys(
        ("jupyterlab", "jupyter_lsp", "jupyter_server_terminals", "notebook_shim"), False
    ),
}
# What a run stands on has tests of its own; elsewhere its files would only be in the way.
os.environ["MLTRACK_RECORD_ENVIRONMENT"] = "0"
SETTINGS = ("MLTRACK_", "MLFLOW_", "JUPYTER_", "JPY_")


@pytest.fixture(autouse=True)
def same_settings_afterwards():
    """What a test (or the real mlflow in it) says by the environment is gone when the test has ended."""
    before = {name: value for name, value in os.environ.items() if name.startswith(SETTINGS)}
    yield
    for name in [name for name in os.environ if name.startswith(SETTINGS)]:
        del os.environ[name]
    os.environ.update(before)


class JupyterServer:
    """A Jupyter server with the extension, in a process of its own, on a free port of 127.0.0.1."""

    def __init__(self, folder, *options, token=TOKEN, env=None, port=0):
        self.folder = folder
        self.token = token
        self.store = folder / "work" / ".mltrack"
        (folder / "work").mkdir(parents=True, exist_ok=True)
        self._log = (folder / "server.log").open("wb")
        settings = {
            "HOME": str(folder),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
        }
        self.process = subprocess.Popen(
            [
                sys.executable, "-m", "jupyter_server", "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}",
                "--ServerApp.port_retries=0",
                "--ServerApp.open_browser=False", "--ServerApp.allow_root=True",
                f"--ServerApp.root_dir={folder / 'work'}", f"--IdentityProvider.token={token}",
                f"--ServerApp.jpserver_extensions={EXTENSIONS}", *options,
            ],
            env=clean_environment() | settings | (env or {}),
            cwd=folder / "work",
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.url = self._wait_for_url()

    def _wait_for_url(self):
        info = self.folder / "runtime" / f"jpserver-{self.process.pid}.json"
        for _ in range(2400):
            if self.process.poll() is not None:
                raise RuntimeError(self.log())
            if info.exists() and info.read_text().endswith("}"):
                return json.loads(info.read_text())["url"].rstrip("/")
            time.sleep(0.05)
        raise RuntimeError(f"the server did not start:\n{self.log()}")

    @property
    def tracking_uri(self):
        return f"{self.url}/mltrack"

    def services(self):
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("MLTRACK_TRACKING_TOKEN", self.token)
            return open_store(self.tracking_uri)

    def log(self):
        return (self.folder / "server.log").read_text()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)
        self._log.close()
        return self.process.returncode


def clean_environment():
    """Return this process's environment without anything that chooses a store or a server."""
    return {key: value for key, value in os.environ.items() if not key.startswith(SETTINGS)}


def pytest_collection_modifyitems(items):
    """Mark what starts a server, so that ``-m "not server"`` leaves it out."""
    for item in items:
        if {"server", "own_server", "start_server"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.server)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """One server for all tests; each of them makes things under names of its own."""
    server = JupyterServer(tmp_path_factory.mktemp("server"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def own_server(tmp_path_factory):
    """One server for the tests of a file, with a store that nobody else writes to."""
    server = JupyterServer(tmp_path_factory.mktemp("own"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def database_server_of():
    """Start the database server of a kind when it is first asked for; all of them end with the session."""
    yield databases.server_of
    databases.end_all()


@pytest.fixture
def start_server(tmp_path):
    """Start servers with options of their own."""
    started = []

    def start(*options, name="server", **settings):
        started.append(JupyterServer(tmp_path / name, *options, **settings))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def store(tmp_path):
    """An empty store of its own."""
    services = open_store(tmp_path / ".mltrack")
    yield services
    services.close()


@pytest.fixture
def environment(monkeypatch):
    """Hide what the environment of the tests says about stores and servers."""
    for name in list(os.environ):
        if name.startswith(SETTINGS):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MLTRACK_RECORD_ENVIRONMENT", "0")
    return monkeypatch


@pytest.fixture
def run_script(tmp_path):
    """Run Python code in processes of their own, below a folder with a store."""

    def run(code, *arguments, check=True, **settings):
        path = tmp_path / f"script{len(list(tmp_path.glob('script*')))}.py"
        path.write_text(code)
        done = subprocess.run(
            [sys.executable, str(path), *arguments],
            env=clean_environment() | {"MLTRACK_TRACKING_URI": str(tmp_path / "store")} | settings,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if check:
            assert done.returncode == 0, done.stderr
        return done

    run.store = Path(tmp_path / "store")
    return run
