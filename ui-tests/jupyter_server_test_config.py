"""The Jupyter server of the browser tests: a fresh root and store, on the loopback.

With ``UI_TEST_OLDER`` the store has runs already: better ones than the quickstart's, in other experiments.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from jupyterlab.galata import configure_jupyter_server

configure_jupyter_server(c)  # noqa: F821
root = Path(tempfile.mkdtemp(prefix="mltrack-ui-"))
c.ServerApp.ip = "127.0.0.1"  # noqa: F821
c.ServerApp.allow_root = True  # noqa: F821
c.ServerApp.root_dir = str(root)  # noqa: F821
c.MltrackApp.backend_store_uri = str(root / ".mltrack")  # noqa: F821

OLDER = """
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier
import mltrack_jupyter as mltrack

for name in ("Default", "other.ipynb"):
    mltrack.set_experiment(name)
    with mltrack.start_run(run_name="older"):
        model = DecisionTreeClassifier().fit(*load_iris(return_X_y=True))
        mltrack.log_metric("accuracy", 1.0)
        info = mltrack.log_model(model, "model")
mltrack.register_model(info.model_uri, "iris-tree", alias="champion")
"""
if os.environ.get("UI_TEST_OLDER"):
    store = {"MLTRACK_TRACKING_URI": str(root / ".mltrack")}
    subprocess.run([sys.executable, "-c", OLDER], env=os.environ | store, cwd=root, check=True)
