"""What a user gets: Binder's recipe run in a clean environment, and what is there afterwards.

The environment is made once for all the tests, from the files of the checkout that git knows or would
take, outside of it, and with nothing of this process's environment that could lead back to it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
# The first test waits for npm and pip.
pytestmark = pytest.mark.timeout(900)

_GENERATED = (
    ".git", "node_modules", ".venv*", "lib", "dist", "labextension", "static", "__pycache__", ".mltrack",
)  # fmt: skip
_LEADING_BACK = ("PYTHON", "JUPYTER", "JPY_", "IPYTHON", "MLTRACK_", "MLFLOW_", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Installed:
    """An environment with the package, a folder for its files, and the copy it was built from."""

    prefix: Path
    home: Path
    checkout: Path
    env: dict[str, str]

    def run(self, *command: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        return run(command, self.home, {**self.env, **more})

    def python(self, code: str, *arguments: str, **more: str) -> str:
        return self.run(self.prefix / "bin" / "python", "-c", code, *arguments, **more).stdout


def run(
    command: Sequence[str | Path], cwd: Path, env: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, timeout=800, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done


def copy_checkout(target: Path) -> None:
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-coz", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode != 0:  # an unpacked archive
        shutil.copytree(ROOT, target, ignore=shutil.ignore_patterns(*_GENERATED))
        return
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    if shutil.which("npm") is None:
        pytest.skip("npm is needed to build the JupyterLab extension")
    base = tmp_path_factory.mktemp("packaging")
    prefix, home, checkout = base / "env", base / "home", base / "checkout"
    home.mkdir()
    copy_checkout(checkout)
    subprocess.run([sys.executable, "-m", "venv", prefix], check=True)
    env = {key: value for key, value in os.environ.items() if not key.startswith(_LEADING_BACK)}
    env["PATH"] = os.pathsep.join([str(prefix / "bin"), env["PATH"]])
    env["PIP_NO_COMPILE"] = "1"  # the tests use little of what is installed
    folders = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    env.update((name, str(home / name.lower())) for name in folders)
    run(["bash", checkout / "binder" / "postBuild"], checkout, env)
    return Installed(prefix, home, checkout, env)


def test_the_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    for name in ("package.json", "package-lock.json"):
        assert json.loads((ROOT / name).read_text())["version"] == project, name


def test_the_lock_has_a_release_for_everything_that_is_asked_for() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    locked = {
        canonicalize_name(name): version
        for name, _, version in (line.partition("==") for line in lines if line[:1] != "#")
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    asked = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    waiting, seen = ["test"], set()
    while waiting:
        extra = waiting.pop()
        seen.add(extra)
        for requirement in map(Requirement, extras[extra]):
            if requirement.name == "mltrack-jupyter":
                waiting += requirement.extras - seen
            else:
                asked.append(str(requirement))
    wrong = [
        text
        for text in asked
        for requirement in [Requirement(text)]
        if locked.get(canonicalize_name(requirement.name), "0") not in requirement.specifier
    ]
    assert wrong == [], "run: make lock"


def test_the_lab_extension_is_enabled(installed: Installed) -> None:
    done = installed.run("jupyter", "labextension", "list")
    lines = [line for line in (done.stdout + done.stderr).splitlines() if "mltrack-jupyter" in line]
    assert len(lines) == 1
    assert "enabled" in lines[0]
    assert "OK" in lines[0]


def test_the_server_extension_is_enabled(installed: Installed) -> None:
    done = installed.run("jupyter", "server", "extension", "list")
    text = done.stdout + done.stderr
    # The name with "enabled", and below it what came of loading it.
    assert re.search(r"^ +mltrack_jupyter.*enabled", text, re.MULTILINE), text
    assert re.search(r"^ +mltrack_jupyter .*OK", text, re.MULTILINE), text


def test_the_package_is_the_installed_one(installed: Installed) -> None:
    place = Path(
        installed.python("import mltrack_jupyter; print(mltrack_jupyter.__file__)").strip()
    )
    assert place.is_relative_to(installed.prefix)
    assert "site-packages" in place.parts


def test_the_command_finds_everything_in_place(installed: Installed, tmp_path: Path) -> None:
    shown = installed.run("mltrack", "doctor", tmp_path / "store").stdout
    assert shown
    assert [line for line in shown.splitlines() if not line.startswith("ok")] == []


def test_the_wheel_holds_every_part(installed: Installed) -> None:
    code = (
        "from importlib.metadata import distribution as d\n"
        "print(*(str(f) for f in d('mltrack-jupyter').files), sep='\\n')"
    )
    names = installed.python(code).splitlines()
    for ending in (
        "share/jupyter/labextensions/mltrack-jupyter/package.json",
        "share/jupyter/labextensions/mltrack-jupyter/install.json",
        "etc/jupyter/jupyter_server_config.d/mltrack_jupyter.json",
        "mltrack_jupyter/static/compare.js",
        "mltrack_jupyter/py.typed",
        "mltrack_jupyter/server/templates/login.html",
        "mltrack_jupyter/store/sql/migrations/versions/0001_first.py",
        "mltrack_jupyter/store/sql/migrations/script.py.mako",
    ):
        assert any(name.endswith(ending) for name in names), ending
    startup = [Path(name).name for name in names if "etc/ipython/startup/" in name]
    assert [name for name in startup if name.endswith(".py")] == ["50-mltrack.py"]
    foreign = [
        name for name in names if name.startswith(("tests/", "examples/", "docs/", "scripts/"))
    ]
    assert foreign == []


def test_mlflow_finds_the_plugins(installed: Installed) -> None:
    code = (
        "from importlib.metadata import entry_points\n"
        "for group in ('request_auth_provider', 'default_experiment_provider'):\n"
        "    (found,) = entry_points(group=f'mlflow.{group}')\n"
        "    print(found.name, found.load()().__class__.__name__)"
    )
    assert installed.python(code).splitlines() == [
        "mltrack-jupyter RequestAuth",
        "mltrack-jupyter NotebookExperiment",
    ]


_IN_A_KERNEL = """
import json, sys
from jupyter_client.manager import start_new_kernel

manager, client = start_new_kernel(kernel_name="python3", cwd=sys.argv[1])
outputs = []
try:
    for code in json.loads(sys.argv[2]):
        reply = client.execute_interactive(
            code, output_hook=lambda message: outputs.append(message["content"]), timeout=120
        )
        assert reply["content"]["status"] == "ok", (code, reply["content"], outputs)
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
print(json.dumps(outputs))
"""

_READ_RUNS = """
import json
import mltrack_jupyter as mltrack

runs = mltrack.search_runs(search_all_experiments=True, output_format="list")
print(json.dumps([
    [run.info.run_name, run.info.status.value, run.data.params, run.data.metrics] for run in runs
]))
"""


def test_a_plain_kernel_tracks_a_cell(installed: Installed, tmp_path: Path) -> None:
    store = tmp_path / "store"
    cells = [
        "%%track -n from-a-clean-kernel\nalpha = 0.25\nscore = sum([0.5, 0.25])",
        "import sys; assert not [path for path in sys.path if path.startswith("
        + repr(str(ROOT))
        + ")]",
    ]
    uri = {"MLTRACK_TRACKING_URI": str(store)}
    outputs = json.loads(installed.python(_IN_A_KERNEL, str(tmp_path), json.dumps(cells), **uri))
    assert any("application/vnd.mltrack.view+json" in item.get("data", {}) for item in outputs)
    runs = json.loads(installed.python(_READ_RUNS, **uri))
    assert runs == [["from-a-clean-kernel", "FINISHED", {"alpha": "0.25"}, {"score": 0.75}]]
    assert (store / "mltrack.db").is_file()


def readme_cells() -> list[str]:
    """Return what the README has typed into a notebook, cell by cell."""
    return re.findall(
        r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL
    )


_READ_MODELS = """
import json
import mltrack_jupyter as mltrack

print(json.dumps([[m.name, m.aliases] for m in mltrack.search_registered_models()]))
"""


def test_what_the_readme_shows_runs_after_the_install_alone(
    installed: Installed, tmp_path: Path
) -> None:
    cells = readme_cells()
    assert len(cells) == 3
    installed.python(_IN_A_KERNEL, str(tmp_path), json.dumps(cells))
    here = {"MLTRACK_TRACKING_URI": str(tmp_path / ".mltrack")}
    runs = json.loads(installed.python(_READ_RUNS, **here))
    assert [(status, params["max_depth"]) for _, status, params, _ in runs] == [
        ("FINISHED", "3"),
        ("FINISHED", "3"),
    ]
    assert all(metrics["accuracy"] > 0.9 for *_, metrics in runs)
    assert json.loads(installed.python(_READ_MODELS, **here)) == [["iris-tree", {"champion": "1"}]]
    for command in (["mltrack"], [installed.prefix / "bin" / "python", "-m", "mltrack_jupyter"]):
        shown = installed.run(*command, "runs", "list", tmp_path / ".mltrack").stdout
        assert shown.count("FINISHED") == 2


TOKEN = "a-token-of-this-test"


@pytest.fixture
def lab(installed: Installed) -> Iterator[str]:
    """JupyterLab as Binder starts it, on the checkout; the fixture is its address."""
    command = [
        installed.prefix / "bin" / "jupyter", "lab", "--no-browser", "--ServerApp.port=0",
        f"--IdentityProvider.token={TOKEN}", "--ServerApp.allow_root=True",
    ]  # fmt: skip
    log = (installed.home / "lab.log").open("w")
    process = subprocess.Popen(
        command, cwd=installed.checkout, env=installed.env, stdout=log, stderr=log
    )
    try:
        known = Path(installed.env["JUPYTER_RUNTIME_DIR"]) / f"jpserver-{process.pid}.json"
        for _ in range(300):
            if known.exists() and known.stat().st_size:
                break
            assert process.poll() is None, Path(log.name).read_text()[-3000:]
            time.sleep(0.1)
        yield json.loads(known.read_text())["url"]
    finally:
        process.terminate()
        process.wait(timeout=30)
        log.close()


def fetch(url: str) -> str:
    request = urllib.request.Request(url, headers={"Authorization": f"token {TOKEN}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read().decode()


def test_lab_opens_the_quickstart_with_the_extension(lab: str) -> None:
    page = fetch(f"{lab}lab/tree/examples/quickstart.ipynb")
    config = re.search(r'id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.DOTALL)
    assert config is not None
    extensions = {item["name"]: item for item in json.loads(config[1])["federated_extensions"]}
    entry = extensions["mltrack-jupyter"]["load"]
    assert "mltrack" in fetch(f"{lab}lab/extensions/mltrack-jupyter/{entry}")
    assert len(json.loads(fetch(f"{lab}api/contents/examples/quickstart.ipynb"))["content"]) > 0
    assert json.loads(fetch(f"{lab}mltrack/api/1/info"))["store"] == "sqlite"


_MLFLOW_SCRIPT = """
import mlflow

with mlflow.start_run():
    mlflow.log_params({"max_depth": 3})
    mlflow.log_metric("accuracy", 0.96)
"""


def test_the_two_variables_of_the_readme_are_all_that_an_mlflow_script_needs(
    installed: Installed, lab: str, tmp_path: Path
) -> None:
    named = re.findall(r"`(MLFLOW_\w+)=([^`]*)`", (ROOT / "README.md").read_text())
    assert [name for name, _ in named] == ["MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_TOKEN"]
    values = (named[0][1].replace("http://localhost:8888/", lab), TOKEN)
    told = dict(zip((name for name, _ in named), values, strict=True))
    clean = {key: value for key, value in os.environ.items() if not key.startswith(_LEADING_BACK)}
    # MLflow itself is in the environment of the tests, and not in that of the user.
    done = run([sys.executable, "-c", _MLFLOW_SCRIPT], tmp_path, {**clean, **told})
    link = re.search(r"(http\S+)/#/experiments/0/runs/(\w{32})", done.stdout + done.stderr)
    assert link is not None, done.stdout + done.stderr
    # The browser keeps what stands behind #, and the extension opens the run.
    request = urllib.request.Request(f"{link[1]}/", headers={"Authorization": f"token {TOKEN}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.url == f"{lab}lab"
    script = _MLFLOW_SCRIPT.replace("import mlflow", "import mltrack_jupyter as mlflow")
    installed.python(script, **told)
    runs = json.loads(installed.python(_READ_RUNS, **told))
    assert [params for _, _, params, _ in runs].count({"max_depth": "3"}) >= 2


def test_the_demo_runs_in_the_clean_environment(installed: Installed) -> None:
    """What ``make demo`` shows, from the copy; its store lies in the copy."""
    script = installed.checkout / "scripts" / "demo.py"
    shown = installed.run(installed.prefix / "bin" / "python", script, "--headless").stdout
    assert "100 runs in " in shown
    assert "iris-tree version 1, stage Production, alias champion" in shown


_WITHOUT_THE_PACKAGE = """
import sys
sys.modules["mltrack_jupyter"] = None  # to import it raises ModuleNotFoundError
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance(colors="nocolor")
cell = "%%track -n first\\nalpha = 0.5\\nscore = alpha * 2\\nscore"
before = shell.run_cell(cell)
print("BEFORE", type(before.error_in_exec).__name__, before.error_in_exec)
assert shell.run_cell(sys.argv[1]).success
assert shell.run_cell(cell).success
assert shell.user_ns["score"] == 1.0
assert not shell.run_cell("%%track\\n1 / 0").success
assert shell.run_cell("%mltrack compare").success
print("SHIMMED")
"""


def test_a_notebook_says_what_is_missing_and_the_shim_helps(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "magics.md").read_text()
    shim = text.split("<!-- shim -->")[1].split("```python\n")[1].split("```")[0]
    assert len(shim.strip().splitlines()) == 2
    env = {**os.environ, "IPYTHONDIR": str(tmp_path)}
    done = run([sys.executable, "-c", _WITHOUT_THE_PACKAGE, shim], tmp_path, env)
    assert "BEFORE UsageError Cell magic `%%track` not found" in done.stdout
    assert "SHIMMED" in done.stdout
