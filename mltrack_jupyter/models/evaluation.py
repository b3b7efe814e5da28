"""The evaluation of models under MLflow's module name; it is made of a room above this one."""

from __future__ import annotations

import importlib
from typing import Any

NAMES = [
    "EvaluationArtifact",
    "EvaluationMetric",
    "EvaluationResult",
    "MetricThreshold",
    "evaluate",
    "make_metric",
]


def __getattr__(name: str) -> Any:
    if name not in NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("mltrack_jupyter.evaluation"), name)


def __dir__() -> list[str]:
    return NAMES
