"""Run the quickstart notebook in a real kernel, a progress line a cell, and show what it made."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

import mltrack_jupyter as mltrack

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = ROOT / "examples" / "quickstart.ipynb"


def title(cell: nbformat.NotebookNode) -> str:
    """Return the first line of a cell that says something."""
    lines = [line for line in cell.source.splitlines() if line.strip()]
    return lines[0][:70] if lines else "(empty)"


def run_notebook() -> None:
    """Execute the notebook where it stands; its outputs are not written back."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    count = sum(cell.cell_type == "code" for cell in notebook.cells)
    started: dict[int, float] = {}
    done = 0

    def begin(cell: nbformat.NotebookNode, cell_index: int) -> None:
        if cell.cell_type == "code":
            started[cell_index] = time.perf_counter()

    def end(cell: nbformat.NotebookNode, cell_index: int, execute_reply: dict) -> None:
        nonlocal done
        if cell_index in started:
            done += 1
            seconds = time.perf_counter() - started[cell_index]
            print(f"  [{done}/{count}] {seconds:5.1f} s  {title(cell)}", flush=True)

    client = NotebookClient(
        notebook,
        timeout=600,
        kernel_name="python3",
        resources={"metadata": {"path": str(NOTEBOOK.parent)}},
        on_cell_start=begin,
        on_cell_executed=end,
    )
    print(f"Running {NOTEBOOK.relative_to(ROOT)} in a real kernel:", flush=True)
    client.execute(env={**os.environ, "JPY_SESSION_NAME": str(NOTEBOOK)})


def report() -> None:
    """Print the runs' table, the best run and the registered version."""
    mltrack.set_experiment("iris-trees")
    runs = mltrack.search_runs(order_by=["metrics.accuracy DESC"])
    shown = runs[["tags.mlflow.runName", "params.max_leaf_nodes", "params.max_depth"]].copy()
    shown["accuracy"] = runs["metrics.accuracy"]
    shown["status"] = runs["status"]
    shown.columns = ["run", "max_leaf_nodes", "max_depth", "accuracy", "status"]
    print(f"\n{len(runs)} runs in {mltrack.get_tracking_uri()}:\n")
    print(shown.to_string(index=False, max_rows=12))
    model = mltrack.Client().get_model_version_by_alias("iris-tree", "champion")
    best = mltrack.get_run(model.run_id)
    print(
        f"\nBest run: {best.info.run_name} ({model.run_id}), accuracy {best.data.metrics['accuracy']:.4f}"
    )
    print(
        f"Registered: iris-tree version {model.version}, stage {model.current_stage}, alias champion"
    )


def main() -> int:
    """Run the demo; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--headless", action="store_true", help="do not open JupyterLab")
    headless = parser.parse_args().headless
    os.chdir(NOTEBOOK.parent)
    run_notebook()
    report()
    if headless:
        return 0
    print("\nOpening JupyterLab on the notebook (stop it with Ctrl-C) …", flush=True)
    lab = [sys.executable, "-m", "jupyter", "lab", "--ServerApp.root_dir", str(ROOT), str(NOTEBOOK)]
    return subprocess.call(lab)


if __name__ == "__main__":
    sys.exit(main())
