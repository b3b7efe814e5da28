"""Registered models and their versions, under MLflow's module name."""

from mltrack_jupyter.entities import Alias as RegisteredModelAlias
from mltrack_jupyter.entities import (
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
    RegisteredModelTag,
)

__all__ = [
    "ModelVersion",
    "ModelVersionTag",
    "RegisteredModel",
    "RegisteredModelAlias",
    "RegisteredModelTag",
]
