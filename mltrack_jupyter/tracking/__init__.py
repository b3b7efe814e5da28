"""Tracking: the active run, and MLflow's fluent verbs."""

from __future__ import annotations

import importlib
from typing import Any

# Under this module MLflow's older scripts look for them.
_HOMES = {
    "MlflowClient": "client",
    "get_registry_uri": "tracking.organising",
    "get_tracking_uri": "tracking.fluent",
    "is_tracking_uri_set": "tracking.organising",
    "set_registry_uri": "tracking.organising",
    "set_tracking_uri": "tracking.fluent",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'mltrack_jupyter.tracking' has no attribute {name!r}")
    return getattr(importlib.import_module(f"mltrack_jupyter.{_HOMES[name]}"), name)
