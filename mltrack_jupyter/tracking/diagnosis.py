"""What is installed and set here, in a few lines that can be pasted into a question."""

from __future__ import annotations

import os
import sys
from importlib.metadata import PackageNotFoundError, requires, version

from mltrack_jupyter import config
from mltrack_jupyter.secret_words import IN_VARIABLES
from mltrack_jupyter.shown import hide_password, shown
from mltrack_jupyter.store import StoreUri
from mltrack_jupyter.tracking import session
from mltrack_jupyter.tracking.programs import system_name


def doctor(mask_envs: bool = False) -> None:
    """Print the versions, the store and the settings that are in force here.

    Tokens and passwords are never shown; ``mask_envs`` hides the other values of the environment too.
    """
    lines = {
        "System": system_name(),
        "Python": sys.version.split()[0],
        "mltrack-jupyter": config.package_version(),
        "Tracking URI": StoreUri.of(session.get_tracking_uri()).shown,
        "Environment": ", ".join(_settings(mask_envs)) or "nothing set",
        "Dependencies": ", ".join(_dependencies()),
    }
    for name, value in lines.items():
        sys.stdout.write(f"{name}: {shown(value)}\n")


def _settings(masked: bool) -> list[str]:
    names = sorted(name for name in os.environ if name.startswith(("MLTRACK_", "MLFLOW_")))
    hidden = {name for name in names if masked or any(word in name for word in IN_VARIABLES)}
    return [
        f"{name}={'***' if name in hidden else hide_password(os.environ[name])}" for name in names
    ]


def _dependencies() -> list[str]:
    try:
        needed = requires("mltrack-jupyter") or []
    except PackageNotFoundError:
        needed = []
    # "name>=1 ; extra == 'x'": only what is needed always.
    names = [item for item in needed if "extra ==" not in item]
    found = []
    for item in names:
        name = item.partition(";")[0].strip()
        for sign in "<>=!~[ ":
            name = name.partition(sign)[0]
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} (missing)")
    return found
