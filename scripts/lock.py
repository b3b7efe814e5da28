"""Write ``constraints.txt``: the newest release of everything that demo, tests and tools use today.

``make lock`` calls it. The file names releases and no address: it holds wherever packages come from.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "constraints.txt"
HEAD = """\
# What demo and tests run with, on every machine and every day; `make lock` writes it anew.
# `make test LATEST=1` goes without it. The package itself asks for ranges: see pyproject.toml.
"""


def newest(folder: str) -> list[str]:
    """Return a line ``name==version`` for each package of a new environment in ``folder``."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [f"{folder}/bin/python", "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "install", "--upgrade", "pip"], check=True)
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    subprocess.run([*pip, "install", "-e", ".[test]", *tools], check=True, cwd=ROOT)
    freeze = [*pip, "freeze", "--all", "--exclude-editable"]
    listed = subprocess.run(freeze, check=True, capture_output=True, text=True).stdout.splitlines()
    # "+cpu" and the like say where a wheel was built, which another index may not offer.
    return sorted({line.split("+", 1)[0] for line in listed}, key=str.lower)


def main() -> None:
    """Write the file."""
    with tempfile.TemporaryDirectory(prefix="lock-") as folder:
        lines = newest(folder)
    LOCK.write_text(HEAD + "\n".join(lines) + "\n")
    print(f"{LOCK.name}: {len(lines)} packages")


if __name__ == "__main__":
    main()
