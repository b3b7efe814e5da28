"""What a model's folder says of itself, under MLflow's module name."""

from mltrack_jupyter.models.mlmodel import ModelInfo
from mltrack_jupyter.models.mlmodel import ModelMetadata as Model

__all__ = ["Model", "ModelInfo"]
