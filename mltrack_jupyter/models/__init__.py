"""Models as folders: MLflow's ``MLmodel`` format, and the rules by which one is trusted enough to load."""

from __future__ import annotations

import importlib
from typing import Any

from mltrack_jupyter.models import evaluation
from mltrack_jupyter.models.audit import Origin, TrustPolicy
from mltrack_jupyter.models.flavors import Flavor, Saved, flavor_of
from mltrack_jupyter.models.folder import ModelFolder
from mltrack_jupyter.models.loading import LoadedModel, load_model, open_model
from mltrack_jupyter.models.mlmodel import ModelInfo, ModelMetadata, read_metadata
from mltrack_jupyter.models.pyfunc import PyFuncModel
from mltrack_jupyter.models.saving import Provenance, save_model
from mltrack_jupyter.models.schema import Column, Schema, Tensor
from mltrack_jupyter.models.signature import ModelSignature, infer_signature
from mltrack_jupyter.models.utils import ModelInputExample

Model = ModelMetadata
"""What a folder says of itself, by MLflow's name."""

__all__ = [
    "Column",
    "Flavor",
    "LoadedModel",
    "Model",
    "ModelFolder",
    "ModelInfo",
    "ModelInputExample",
    "ModelMetadata",
    "ModelSignature",
    "Origin",
    "Provenance",
    "PyFuncModel",
    "Saved",
    "Schema",
    "Tensor",
    "TrustPolicy",
    "flavor_of",
    "infer_signature",
    "load_model",
    "open_model",
    "read_metadata",
    "save_model",
]

# MLflow has these under this name too; they are made of rooms above this one.
_ABOVE = {
    **dict.fromkeys(evaluation.NAMES, "evaluation"),
    "get_model_info": "tracking.models",
    "set_signature": "tracking.models",
}


def __getattr__(name: str) -> Any:
    if name not in _ABOVE:
        raise AttributeError(f"module 'mltrack_jupyter.models' has no attribute {name!r}")
    return getattr(importlib.import_module(f"mltrack_jupyter.{_ABOVE[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*__all__, *_ABOVE})
