"""The examples do what their text says, in a folder of their own, as a visitor finds them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from mltrack_jupyter.entities import Run
from mltrack_jupyter.services import Services
from mltrack_jupyter.store import open_store

ROOT = Path(__file__).resolve().parent.parent
TOKEN = "0123456789abcdef-a-token-that-no-output-may-hold"
MAX_OUTPUT = 64_000
pytestmark = [pytest.mark.kernel, pytest.mark.timeout(600)]


def environment(folder: Path) -> dict[str, str]:
    """The package of this checkout, its magics, no store but the default one, and a token to leak."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MLTRACK_", "MLFLOW_", "JPY_"))}
    startup = folder / "ipython" / "profile_default" / "startup"
    shutil.copytree(ROOT / "ipython-config" / "startup", startup)
    env["IPYTHONDIR"] = str(folder / "ipython")
    env["PYTHONPATH"] = str(ROOT)
    env["MLTRACK_TRACKING_TOKEN"] = env["JUPYTER_TOKEN"] = TOKEN
    return env


def copied_examples(folder: Path) -> Path:
    # The folder of a store is looked for upwards; this one is not below another.
    place = folder / "examples"
    shutil.copytree(ROOT / "examples", place, ignore=shutil.ignore_patterns(".mltrack", ".ipynb_*"))
    (place / ".mltrack").mkdir()
    return place


def finished_runs(services: Services) -> list[Run]:
    experiment = services.experiments.get_by_name("iris-trees")
    runs = list(services.runs.search([experiment.experiment_id], max_results=1000))
    assert {run.info.status.value for run in runs} == {"FINISHED"}
    return runs


def check_store(services: Services) -> None:
    runs = finished_runs(services)
    assert len(runs) == 100
    best = max(run.data.metrics["accuracy"] for run in runs)
    version = services.registered_models.get_by_alias("iris-tree", "champion")
    assert (version.version, version.current_stage) == ("1", "Production")
    champion = services.runs.get(version.run_id)
    assert champion.data.metrics["accuracy"] == best
    winners = [run.data.params for run in runs if run.data.metrics["accuracy"] == best]
    smallest = min((int(p["max_leaf_nodes"]), int(p["max_depth"])) for p in winners)
    chosen = champion.data.params
    assert (int(chosen["max_leaf_nodes"]), int(chosen["max_depth"])) == smallest
    for run in runs:
        listed = services.run_artifacts.list(run.info.run_id, "model").files
        assert "model/MLmodel" in [item.path for item in listed]


def check_four_leaves(services: Services) -> None:
    four = [r for r in finished_runs(services) if r.data.params["max_leaf_nodes"] == "4"]
    scores = {int(run.data.params["max_depth"]): run.data.metrics["accuracy"] for run in four}
    assert sorted(scores) == list(range(1, 11))
    assert [depth for depth, score in scores.items() if score < max(scores.values())] == [1]


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    folder = tmp_path_factory.mktemp("quickstart")
    place = copied_examples(folder)
    notebook = nbformat.read(place / "quickstart.ipynb", as_version=4)
    resources = {"metadata": {"path": str(place)}}
    client = NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources)
    client.execute(env={**environment(folder), "JPY_SESSION_NAME": str(place / "quickstart.ipynb")})
    return notebook, place / ".mltrack"


def outputs_of(notebook: Any, cell_id: str) -> list[Any]:
    (cell,) = (cell for cell in notebook.cells if cell.id == cell_id)
    return list(cell.outputs)


def test_the_notebook_is_kept_without_outputs() -> None:
    notebook = nbformat.read(ROOT / "examples" / "quickstart.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells)


def test_the_notebook_tracks_compares_registers(quickstart: tuple[Any, Path]) -> None:
    services = open_store(quickstart[1])
    try:
        check_store(services)
        check_four_leaves(services)
        tracked = {run.info.run_name: run for run in finished_runs(services)}
        for name in ("first-tree", "second-tree"):
            tags = tracked[name].data.tags
            assert tags["mlflow.source.name"].endswith("quickstart.ipynb")
            assert "DecisionTreeClassifier" in tags["mltrack.code"]
        figures = services.run_artifacts.list(tracked["second-tree"].info.run_id, "figures").files
        assert [item.path for item in figures] == ["figures/figure-1.png"]
    finally:
        services.close()


def test_the_filter_cell_shows_the_depth_that_misses_the_best(quickstart: tuple[Any, Path]) -> None:
    notebook, _ = quickstart
    cell = next(
        c for c in notebook.cells if c.cell_type == "code" and c.source.startswith("four = ")
    )
    (output,) = cell.outputs
    rows = re.findall(r"^\d+\s+(\d+)\s+([\d.]+)$", output["data"]["text/plain"], re.MULTILINE)
    assert len(rows) == 10
    best = max(float(score) for _, score in rows)
    assert [depth for depth, score in rows if float(score) < best] == ["1"]


def test_the_outputs_are_small_and_hold_no_token(quickstart: tuple[Any, Path]) -> None:
    notebook, _ = quickstart
    assert TOKEN not in json.dumps(notebook)
    outputs = [item for cell in notebook.cells for item in cell.get("outputs", [])]
    sizes = [len(json.dumps(item).encode()) for item in outputs]
    assert max(sizes) <= MAX_OUTPUT, sizes
    assert not [item for item in outputs if item.get("name") == "stderr"], (
        "nothing is printed in red"
    )


def test_the_views_stay_readable_without_a_server(quickstart: tuple[Any, Path]) -> None:
    notebook, _ = quickstart
    view = "application/vnd.mltrack.view+json"
    shown = [
        output["data"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if view in output.get("data", {})
    ]
    assert [data[view]["view"]["kind"] for data in shown] == ["card", "card", "compare", "compare"]
    for data in shown:
        assert "<script" not in data["text/html"]
        assert data["text/plain"].strip()
    assert [len(data[view]["run_ids"]) for data in shown] == [1, 1, 100, 10]


def test_the_script_does_the_same(tmp_path: Path) -> None:
    place = copied_examples(tmp_path)
    done = subprocess.run(
        [sys.executable, str(place / "quickstart.py")],
        cwd=place, env=environment(tmp_path), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert TOKEN not in done.stdout
    assert "iris-tree version 1: accuracy" in done.stdout
    services = open_store(place / ".mltrack")
    try:
        check_store(services)
        check_four_leaves(services)
    finally:
        services.close()
