"""The Jupyter server of the browser tests: a fresh root and store, on the loopback."""

import tempfile
from pathlib import Path

from jupyterlab.galata import configure_jupyter_server

configure_jupyter_server(c)  # noqa: F821
root = Path(tempfile.mkdtemp(prefix="mltrack-ui-"))
c.ServerApp.ip = "127.0.0.1"  # noqa: F821
c.ServerApp.allow_root = True  # noqa: F821
c.ServerApp.root_dir = str(root)  # noqa: F821
c.MltrackApp.backend_store_uri = str(root / ".mltrack")  # noqa: F821
