"""What a process chose, handed down to the processes that it starts, as MLflow does.

The environment carries it, in one variable of our own (JSON), so that it reaches whatever is started: a
script, a worker of ``multiprocessing``, joblib, Dask or Spark, a kernel. ``MLTRACK_TRACKING_URI``,
``MLFLOW_TRACKING_URI`` and their kin are left as the user set them: each choice notes which values they
had, and one that is set to something else later, for a child or in it, is the newer choice and wins.

Workers of ``multiprocessing`` are told by their process's configuration as well: a fork server has the
environment of the time at which it was started.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

Kind = Literal["store", "registry", "experiment"]

VARIABLE = "MLTRACK_INHERITED"
STORE_SETTINGS = ("MLTRACK_TRACKING_URI", "MLFLOW_TRACKING_URI")
REGISTRY_SETTINGS = ("MLTRACK_REGISTRY_URI", "MLFLOW_REGISTRY_URI")
EXPERIMENT_SETTINGS = (
    "MLTRACK_EXPERIMENT_NAME",
    "MLFLOW_EXPERIMENT_NAME",
    "MLTRACK_EXPERIMENT_ID",
    "MLFLOW_EXPERIMENT_ID",
)
_SETTINGS: dict[Kind, tuple[str, ...]] = {
    "store": STORE_SETTINGS,
    "registry": REGISTRY_SETTINGS,
    "experiment": EXPERIMENT_SETTINGS,
}
OFFERED = "MLTRACK_OFFERED_TO_MLFLOW"
"""The variable with the tracking URI that a kernel set for MLflow: nobody chose it, and it is not for us."""
_IN_PROCESS = "mltrack"
# What this process was told, as soon as it tells something itself and may not be read any more.
_told: str | None = None


def said(*names: str) -> str:
    """Return the first of these environment variables that somebody set, else ``""``."""
    for name in names:
        value = os.environ.get(name, "")
        if value and not (name == "MLFLOW_TRACKING_URI" and value == os.environ.get(OFFERED)):
            return value
    return ""


def hand_down(kind: Kind, choice: Mapping[str, Any]) -> None:
    """Let the processes that are started from now on begin with a choice."""
    known = {name: said(name) for name in _SETTINGS[kind] if said(name)}
    _write({**_read(_now()), kind: {**choice, "over": known}})


def take_back(kind: Kind) -> None:
    """Hand down no choice any more, and forget the one that this process was told."""
    global _told
    _write({name: item for name, item in _read(_now()).items() if name != kind})
    kept = {name: item for name, item in _read(_told or "").items() if name != kind}
    _told = json.dumps(kept)


def inherited(kind: Kind) -> Mapping[str, Any] | None:
    """Return the choice that this process was started with, unless the environment says something newer."""
    found = _read(_now() if _told is None else _told).get(kind)
    if not isinstance(found, dict) or not isinstance(found.get("uri"), str):
        return None
    over = found.get("over") or {}
    newer = (said(name) not in ("", over.get(name)) for name in _SETTINGS[kind])
    return None if any(newer) else found


def _write(choices: Mapping[str, Any]) -> None:
    global _told
    if _told is None:
        _told = _now()
    text = json.dumps(choices) if choices else ""
    if not text:
        os.environ.pop(VARIABLE, None)
    elif os.environ.get(VARIABLE) != text:
        os.environ[VARIABLE] = text
    configuration = _configuration()
    if configuration is not None:
        configuration[_IN_PROCESS] = text


def _now() -> str:
    """Return what is handed down at present; in a process that has handed nothing down, what it was told."""
    configuration = _configuration()
    if configuration is not None and _IN_PROCESS in configuration:
        return str(configuration[_IN_PROCESS])
    return os.environ.get(VARIABLE, "")


def _configuration() -> dict[str, Any] | None:
    """Return what ``multiprocessing`` copies to each worker, wherever that comes from."""
    process = sys.modules.get("multiprocessing.process")
    found = getattr(process.current_process(), "_config", None) if process is not None else None
    return found if isinstance(found, dict) else None


@lru_cache(maxsize=8)
def _parse(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _read(text: str) -> dict[str, Any]:
    return _parse(text) if text else {}
