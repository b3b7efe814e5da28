"""Stages of life, under MLflow's module name."""

from mltrack_jupyter.entities import LifecycleStage

__all__ = ["LifecycleStage"]
