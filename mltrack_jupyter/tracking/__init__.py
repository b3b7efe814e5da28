"""Tracking: the active run, and MLflow's fluent verbs."""

from __future__ import annotations

import importlib
from typing import Any

# Under this module MLflow's older scripts look for them.
_HOMES = {
    "MlflowClient": "client",
    "get_registry_uri": "tracking.registry_store",
    "get_tracking_uri": "tracking.fluent",
    "is_tracking_uri_set": "tracking.organising",
    "set_registry_uri": "tracking.registry_store",
    "set_tracking_uri": "tracking.fluent",
}


# MLflow's scripts reach these as attributes, without an import of their own.
_MODULES = ("client", "fluent")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"mltrack_jupyter.tracking.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'mltrack_jupyter.tracking' has no attribute {name!r}")
    return getattr(importlib.import_module(f"mltrack_jupyter.{_HOMES[name]}"), name)
